"""All images side by side: the same place of each, under its own map, and what the page says of them."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from making_cases import DOSE_GRID, GRID, METHODS, TwoMaps, a_bundle

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.display import DisplaySettings
from PulsarCAMLib.core.errors import Cancelled
from PulsarCAMLib.core.inputs import InputRole
from PulsarCAMLib.explanation import explain_case
from PulsarCAMLib.outputs.contract import Content
from PulsarCAMLib.outputs.pages.page import Report, report_html
from PulsarCAMLib.outputs.pictures.files import Pictures
from PulsarCAMLib.outputs.pictures.inputs import draw_inputs
from PulsarCAMLib.outputs.pictures.inputs_content import (
    inputs_of,
    inputs_picture_of,
    outline_note,
    rows_of,
    shared_notes,
)
from PulsarCAMLib.systems.registry import map_text, register, system_of, unregister


@pytest.fixture(scope="module")
def case():
    """The same field on two grids: linear in millimetres, so that interpolation gives it exactly."""
    images = {}
    for role, grid in (("flair", GRID), ("rtdose", DOSE_GRID)):
        k, j, i = np.indices(grid.shape)
        lps = grid.to_lps(np.stack([i, j, k], axis=-1))
        images[role] = Image((lps @ np.array([1.0, 0.5, 0.2]) + 100).astype(np.float32), grid)
    return Case(images, (), "flair")


@pytest.fixture(scope="module")
def result(case, tmp_path_factory):
    register(TwoMaps())
    yield explain_case(case, a_bundle(tmp_path_factory.mktemp("model") / "model"), methods=METHODS)
    unregister("two-maps")


def test_every_image_is_shown_at_the_same_place(result, case):
    (unit,) = result.units
    picture = inputs_picture_of(result, unit, case.images, "saliency", "large")
    assert picture.panels[0].bare_text == "FLAIR"
    (title,) = (panel.bare_text for panel in picture.panels[1:])
    low, high = re.fullmatch(r"planned dose: ([\d.]+) Gy black, ([\d.]+) Gy white", title).groups()
    shown = case.images["rtdose"].voxels
    assert 0 <= float(low) < float(high) <= shown.max(), "beside its grid there is none"
    assert picture.note == "", "of one time point, whose images are channels of their own"
    flair, dose = (panel.grey for panel in picture.panels)
    inside = (picture.panels[0].mask >= 0.5) & (flair > 0.05) & (flair < 0.95) & (dose > 0.05) & (dose < 0.95)
    assert inside.sum() > 1000
    np.testing.assert_allclose(np.polyfit(flair[inside], dose[inside], 1)[0], 1, atol=0.15)
    assert np.corrcoef(flair[inside], dose[inside])[0, 1] > 0.99


def test_an_image_that_was_registered_is_brought_to_where_it_belongs(result, case):
    """The file says that the dose lies elsewhere, and the registration knows: it is as if it had not moved."""
    (unit,) = result.units
    wanted = inputs_picture_of(result, unit, case.images, "saliency", "large").panels[1].grey
    moved = replace(DOSE_GRID, origin=tuple(np.add(DOSE_GRID.origin, (7, -9, 4))))
    images = {**case.images, "rtdose": replace(case.images["rtdose"], geometry=moved)}
    astray = inputs_picture_of(result, unit, images, "saliency", "large").panels[1].grey
    way = np.eye(4)
    way[:3, 3] = [7, -9, 4]
    places = {**unit.samples.places, "rtdose": replace(unit.samples.places["rtdose"], geometry=moved, way=way)}
    known = replace(unit, samples=replace(unit.samples, places=places))
    found = inputs_picture_of(result, known, images, "saliency", "large").panels[1].grey
    np.testing.assert_allclose(found, wanted, atol=1e-3)
    assert np.abs(astray - wanted).max() > 0.1


def test_time_points_have_rows_of_their_own_and_many_images_are_shared_out():
    def of(*times):
        return [InputRole(f"a{n}", "A", time_point=time) for n, time in enumerate(times)]

    assert rows_of(of("baseline", "before", "baseline", "before")) == ((0, 2), (1, 3))
    assert rows_of(of(*["baseline"] * 3)) == ((0, 1, 2),)
    assert rows_of(of(*["baseline"] * 5)) == ((0, 1, 2), (3, 4))


def test_below_it_is_the_map_of_the_image_alone_on_one_scale(result, case):
    (unit,) = result.units
    picture = inputs_picture_of(result, unit, case.images, "saliency", "predicted")
    headings = [next(iter(panel.maps)) for panel in picture.panels]
    assert all(heading.startswith("alone: ") and "control" in heading for heading in headings)
    assert len({panel.top for panel in picture.panels}) == 1
    first, second = (next(iter(panel.maps.values())) for panel in picture.panels)
    assert not np.array_equal(first, second)
    assert unit.predicted_class in picture.subtitle
    assert "The patient spans" in picture.subtitle


def test_a_method_without_maps_of_each_shows_that_of_all_over_each(result, case):
    (unit,) = result.units
    picture = inputs_picture_of(result, unit, case.images, "gradcam", "large")
    assert {next(iter(panel.maps)) for panel in picture.panels} == {"map of all images together"}
    first, second = (next(iter(panel.maps.values())) for panel in picture.panels)
    np.testing.assert_array_equal(first, second)


def test_the_picture_is_drawn_and_written_beside_the_other(result, case, tmp_path):
    content = Content(case, result, [DisplaySettings("saliency", "large")])
    names = Pictures(1).names(content)
    assert names == ["pictures/01-patient_saliency.png", "pictures/01-patient_saliency_inputs.png"]
    Pictures(1).write(tmp_path, content)
    assert all((tmp_path / name).stat().st_size > 10_000 for name in names)
    alone = replace(case, images={"flair": case.images["flair"]})
    assert Pictures(1).names(replace(content, case=alone)) == names[:1]
    assert inputs_of(result, alone.images) == ()


def test_among_several_classes_the_predicted_one_is_large(result, case, tmp_path):
    (unit,) = result.units
    other = next(name for name in result.task.names if name != unit.predicted_class)
    first, second = (DisplaySettings("saliency", name) for name in (other, unit.predicted_class))
    content = Content(case, result, [first, second])
    assert content.large(first) == "predicted"
    assert content.large_first[0] == second, "the scene's overlay"
    Report().write(tmp_path, content)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert f"what moves {unit.predicted_class}, up or down (the predicted class)" in page
    assert "Not on this page" not in page
    alone = Content(case, result, [first])
    assert alone.large(first) == other, "who asks for one class sees it"
    assert Content(case, result, [first, replace(second, method="gradcam")]).large(first) == other


def test_the_lesion_system_keeps_its_large_map():
    assert system_of().task.shown_of_several == "non-response"


def test_an_absolute_gradient_is_no_evidence_for_a_class(result, case):
    (unit,) = result.units
    picture = inputs_picture_of(result, unit, case.images, "saliency", "large")
    assert picture.subtitle.startswith("What moves large, up or down. ")
    assert inputs_picture_of(result, unit, case.images, "gradcam", "large").subtitle.startswith("Evidence for large. ")
    assert map_text("smoothgrad", "pd") == "what moves pd, up or down"
    assert map_text("one of another version", "pd") == "evidence for pd"


def test_images_whose_difference_alone_is_seen_are_said_to_share_their_map(result):
    rano = system_of("rano")
    roles = [role for role in rano.inputs if role.name in ("t1", "t1-before", "flair", "flair-before")]

    def told(**chosen):
        known = rano.preprocessing(modalities=("t1", "flair"), **chosen)
        return shared_notes(SimpleNamespace(system=rano, card=SimpleNamespace(preprocessing=known)), roles)

    assert told() == []
    (said,) = told(subtraction=True)
    assert said.startswith(
        "The network sees only the difference of T1 now and T1 before; of FLAIR now and FLAIR before"
    )
    assert "equal shares by construction" in said


def test_the_outline_is_said_to_be_of_one_time_point_where_there_are_several(result):
    (unit,) = result.units
    roles = [InputRole("flair", "FLAIR now"), InputRole("other", "FLAIR before", time_point="before")]
    for way, says in ((None, "for nothing was registered"), (np.eye(4), "as the registration brings them")):
        shown = SimpleNamespace(samples=SimpleNamespace(way_to=lambda role, way=way: way))
        (said,) = outline_note(result, shown, roles)
        assert said.startswith("The blue outline is that of the FLAIR now in every panel")
        assert says in said
    assert outline_note(result, unit, roles[:1]) == []


def test_names_with_dollar_signs_are_no_formulas(result, case):
    (unit,) = result.units
    picture = inputs_picture_of(result, unit, case.images, "saliency", "large")
    assert r"$\alpha$ patient" in draw_inputs(replace(picture, title=r"$\alpha$ patient")).texts


def test_the_page_shows_every_image_and_its_share_beside_the_control(result, case):
    page = report_html(result, case.reference_image.voxels, method="saliency", target="large", images=case.images)
    assert "Every image" in page
    assert "Networks that have learnt nothing" in page
    assert "max over channels of |dy_c/dx|" in page
    assert page.count("planned dose") >= 2
    assert "Every image" not in report_html(result, case.reference_image.voxels, method="saliency", target="large")


def test_a_stop_writes_no_page(result, case):
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 1

    with pytest.raises(Cancelled):
        report_html(result, case.reference_image.voxels, method="saliency", images=case.images, cancelled=cancelled)
