"""Many pictures are drawn by two processes; what happens to the second one takes none of them away."""

from __future__ import annotations

import multiprocessing
import os
import signal

import pytest
from making_files import PLAIN, a_volume, two_boxes
from making_models import CARD_FIELDS, random_members

from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.outputs.pictures import drawing
from PulsarCAMLib.outputs.pictures.content import picture_of
from PulsarCAMLib.systems.bundles.bundle import save_bundle

MANY = drawing.FEW + 8


@pytest.fixture(scope="module")
def picture(tmp_path_factory):
    bundle = save_bundle(tmp_path_factory.mktemp("models") / "random", random_members(), CARD_FIELDS)
    volume = a_volume(PLAIN)
    lesions, _ = lesions_from_labels(two_boxes(PLAIN, second=2))
    result = explain_scan(volume, PLAIN, lesions, bundle)
    return picture_of(result, result.lesions[0], volume, "pixelwise", "non-response")


def kill_the_second() -> None:
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)


@pytest.mark.parametrize("killed_before", [None, 0, 1, MANY // 2, MANY - 1, MANY], ids=str)
def test_every_picture_is_drawn_whenever_the_second_process_dies(picture, tmp_path, killed_before):
    drawing.save_picture(picture, tmp_path / "alone.png")
    with drawing.drawing_pool(MANY, 2) as draw:
        for n in range(MANY):
            if n == killed_before:
                kill_the_second()
            draw(picture, tmp_path / f"{n}.png")
        if killed_before == MANY:
            kill_the_second()
    alone = (tmp_path / "alone.png").read_bytes()
    assert [(tmp_path / f"{n}.png").read_bytes() == alone for n in range(MANY)] == [True] * MANY
    assert not multiprocessing.active_children()


def draw_all(picture, paths, error: BaseException | None = None) -> None:
    with drawing.drawing_pool(MANY, 2) as draw:
        for path in paths:
            draw(picture, path)
        if error:
            raise error


def test_an_error_of_a_picture_is_raised_and_the_second_process_ends(picture, tmp_path):
    with pytest.raises(FileNotFoundError):
        draw_all(picture, [tmp_path / ("no folder/p.png" if n == 0 else f"{n}.png") for n in range(MANY)])
    assert not multiprocessing.active_children()


def test_leaving_by_an_error_waits_for_no_more_than_what_is_being_drawn(picture, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        draw_all(picture, [tmp_path / f"{n}.png" for n in range(MANY)], KeyboardInterrupt())
    assert len(list(tmp_path.iterdir())) <= drawing.AHEAD + 1
    assert not multiprocessing.active_children()


def test_few_pictures_start_no_process(picture, tmp_path):
    with drawing.drawing_pool(2, 2) as draw:
        draw(picture, tmp_path / "0.png")
        assert (tmp_path / "0.png").stat().st_size > 1000
        assert not multiprocessing.active_children()
