"""Work beside other work: its result, its error, and that it is told to stop."""

from __future__ import annotations

import threading

import pytest

from PulsarCAMLib.core.beside import beside
from PulsarCAMLib.core.errors import InputError


def test_it_works_meanwhile():
    begun, go_on = threading.Event(), threading.Event()

    def work(stopped):
        begun.set()
        return go_on.wait(30), threading.current_thread()

    with beside(work) as found:
        assert begun.wait(30)  # before anybody asks
        go_on.set()
        waited, thread = found()
    assert waited
    assert thread is not threading.current_thread()


def test_its_error_is_raised_where_the_result_is_asked_for():
    def work(stopped):
        raise InputError("It cannot be told.")

    with beside(work) as found, pytest.raises(InputError, match="cannot be told"):
        found()


def test_an_error_in_the_context_stops_it():
    ended = threading.Event()
    waiting = threading.Event()

    def work(stopped):
        while not stopped():
            waiting.wait(0.01)
        ended.set()

    with pytest.raises(KeyboardInterrupt), beside(work):
        raise KeyboardInterrupt
    assert ended.is_set()  # nothing goes on behind the back of whoever stopped it


def test_on_one_core_it_waits_until_it_is_asked():
    order = []
    with beside(lambda stopped: order.append(threading.current_thread()), cores=1) as found:
        assert not order
        found()
    assert order == [threading.current_thread()]
