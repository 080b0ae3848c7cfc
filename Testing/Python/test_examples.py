"""The examples in the docstrings that a scripting user meets first are true."""

from __future__ import annotations

import doctest
import importlib

import pytest

WITH_EXAMPLES = {
    "core.geometry.volume": 1,
    "core.lesion": 1,
    "core.display": 1,
    "lesions.from_labels": 2,
    "cohort.labels.response": 1,
    "cohort.tables.columns": 1,
    "systems.bundles.bundle": 1,
    "explanation.probabilities": 1,
    "explanation.explain": 1,
}
"""Module of the library to the number of functions and classes with examples in it."""


def examples_in(module):
    return [test for test in doctest.DocTestFinder().find(module) if test.examples]


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_the_examples_are_true(name):
    module = importlib.import_module(f"PulsarCAMLib.{name}")
    assert len(examples_in(module)) >= WITH_EXAMPLES[name]
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


def test_ten_functions_have_examples():
    assert sum(WITH_EXAMPLES.values()) >= 10
