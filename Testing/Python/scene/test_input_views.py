"""All images of a model side by side: which view stands where, and what the layout says."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.core.inputs import InputRole
from PulsarCAMLib.scene.showing.input_views import InputView, layout_of, rows_of_views, show_inputs


def views_of(*names: str, time_points=()) -> list[InputView]:
    """Views of roles, of one time point unless others are named."""
    times = time_points or ["baseline"] * len(names)
    return [
        InputView(InputRole(name, name.upper(), time_point=time), None)
        for name, time in zip(names, times, strict=True)
    ]  # fmt: skip


def names_of(rows) -> list[list[str]]:
    """Names of the roles, row by row."""
    return [[view.role.name for view in row] for row in rows]


def test_visits_stand_below_each_other_and_images_of_one_visit_beside_each_other():
    found = views_of("t1", "t1_before", "t2", "t2_before", time_points=["baseline", "before"] * 2)
    assert names_of(rows_of_views(found)) == [["t1", "t2"], ["t1_before", "t2_before"]]


def test_images_of_one_time_point_fill_a_row_or_a_square():
    assert names_of(rows_of_views(views_of("a", "b", "c"))) == [["a", "b", "c"]]
    assert names_of(rows_of_views(views_of("a", "b", "c", "d", "e"))) == [["a", "b", "c"], ["d", "e"]]


def test_the_layout_is_well_formed_and_names_each_view_once(a_scene):
    odd = [InputView(InputRole("plan", 'Dose "D95" < 70 & more'), None), *views_of("t1")]
    tree = ET.fromstring(layout_of(rows_of_views(odd)))
    tags = [view.get("singletontag") for view in tree.iter("view")]
    assert tags == ["PulsarCAMInput-plan", "PulsarCAMInput-t1"]
    labels = [each.text for each in tree.iter("property") if each.get("name") == "viewlabel"]
    assert labels == ['Dose "D95" < 70 & more', "T1"]
    assert {each.text for each in tree.iter("property") if each.get("name") == "viewgroup"} == {"41509"}


def test_without_a_main_window_it_is_one_sentence(a_scene):
    with pytest.raises(OutputError, match="main window"):
        show_inputs(views_of("t1"), 0.5)
