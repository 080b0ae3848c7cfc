"""What to do about an error is told in the words of the place where it is read."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

import PulsarCAMLib
from PulsarCAMLib.core.errors import COLUMN, OPTION, PANEL, BundleError, Cure, InputError, PulsarCAMError
from PulsarCAMLib.io.dicom import BY_SERIES
from PulsarCAMLib.lesions.from_files import BY_LABEL, BY_SEGMENT

LIBRARY = Path(PulsarCAMLib.__file__).parent


def test_each_place_has_its_own_words_and_the_command_line_those_of_the_message():
    error = InputError("The mask has names", Cure("choose one", "by --labels", panel="tick one", column="write one"))
    assert str(error) == error.told(OPTION) == "The mask has names; choose one by --labels."
    assert error.told(PANEL) == "The mask has names; tick one."
    assert error.told(COLUMN) == "The mask has names; write one."


def test_a_place_without_words_gets_what_holds_everywhere():
    error = BundleError("It is there", Cure("choose another name", "or add --overwrite"))
    assert error.told(PANEL) == error.told(COLUMN) == "It is there; choose another name."
    assert str(error) == "It is there; choose another name or add --overwrite."


def test_most_errors_say_the_same_everywhere():
    for where in (OPTION, PANEL, COLUMN):
        assert PulsarCAMError("Nothing fits.").told(where) == "Nothing fits."


def test_a_cure_survives_the_way_from_another_process():
    error = pickle.loads(pickle.dumps(InputError("It has names", BY_SEGMENT)))
    assert (str(error), error.cure) == ("It has names; choose them by --segments.", BY_SEGMENT)
    assert error.told(PANEL) == "It has names; choose them by name in the list of lesions."


@pytest.mark.parametrize("cure", [BY_SEGMENT, BY_LABEL, BY_SERIES])
def test_the_panel_is_not_told_of_options(cure):
    assert "--" in cure.told(OPTION)
    assert "--" not in cure.told(PANEL) + cure.told(COLUMN)


def test_options_are_named_in_cures_only():
    """Below the command line no sentence that is raised names an option in its own words."""
    named = re.compile(r"raise \w+Error\([^)]*--[a-z]", re.DOTALL)
    rooms = [path for path in LIBRARY.rglob("*.py") if path.relative_to(LIBRARY).parts[0] not in ("cli", "desktop")]
    texts = [(path.name, text) for path in rooms for text in named.findall(path.read_text(encoding="utf-8"))]
    assert [found for found in texts if "Cure(" not in found[1]] == []
