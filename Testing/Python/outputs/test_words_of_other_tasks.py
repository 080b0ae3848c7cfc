"""Pages, pictures and cards of a system that answers for patients say nothing of lesions; what maps are is told."""

import re
import struct

import numpy as np
import pytest
import torch
from making_models import CARD_FIELDS
from reading_reports import Page
from stranger import STRANGER

from PulsarCAMLib.agreement.map_comparison import compare_maps
from PulsarCAMLib.cli.explain.wanted import Wanted, costs
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.evaluation.discrimination import discrimination
from PulsarCAMLib.evaluation.resampling import interval_or_none
from PulsarCAMLib.explanation.explain import explain_case
from PulsarCAMLib.outputs.pages.card_text import card_blocks
from PulsarCAMLib.outputs.pages.page import report_html
from PulsarCAMLib.outputs.pictures.agreement import draw_agreement
from PulsarCAMLib.outputs.study.gallery import Explained, Shown
from PulsarCAMLib.outputs.study.gallery_pictures import maps_png
from PulsarCAMLib.study.figures.narrative import _interval
from PulsarCAMLib.systems.bundles.bundle import bundle_of
from PulsarCAMLib.systems.contract import NoSizes
from PulsarCAMLib.systems.registry import register, system_of, unregister
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing

GRID = VolumeGeometry((6, 12, 12), (1.0, 1.0, 2.0), (5.0, -7.0, 3.0))
FOREIGN = re.compile(r"lesion|\bGTV\b|\brisk\b|respon(?!sib)|metasta", re.IGNORECASE)


@pytest.fixture(scope="module", autouse=True)
def stranger():
    register(STRANGER)
    yield
    unregister(STRANGER.name)


@pytest.fixture(scope="module")
def result(stranger):
    torch.manual_seed(0)
    small = VolumePreprocessing(size=(6, 8, 8))
    members = [STRANGER.network(NoSizes(STRANGER.name), small).eval() for _ in range(2)]
    fields = {key: value for key, value in CARD_FIELDS.items() if key not in ("response", "synthetic")}
    fields |= {"name": "sizes", "title": "Sizes", "synthetic": False, "preprocessing": small.to_card()}
    fields |= {"architecture": NoSizes(STRANGER.name).to_card(), "decision": {"temperature": 1.0}}
    bundle = bundle_of(members, fields, "sizes")
    voxels = np.random.default_rng(0).normal(100, 5, GRID.shape).astype(np.float32)
    return explain_case(Case({"flair": Image(voxels, GRID)}, reference="flair"), bundle), voxels, bundle


def test_the_page_of_a_patient_says_nothing_of_lesions(result):
    found, voxels, _ = result
    compared = compare_maps(found, voxels)
    text = Page(
        report_html(found, voxels, comparison=compared, others=[("saliency", "small"), ("gradcam", "small")])
    ).text
    assert sorted(set(FOREIGN.findall(text))) == []
    assert "Patients by probability of large" in text
    assert "Partial rank correlation inside the region looked at" in text
    assert "Activated cm³" in text
    for word in ("Volume cm³", "Core, margin", ", margin 0", "Margin 2"):  # of a head they mean nothing
        assert word not in text
    assert "Of the FLAIR after a Gaussian" in text
    assert "Saliency (small); Grad-CAM (small): in the files beside it" in text
    method = STRANGER.method("saliency")
    assert method.equation.lower() in text.lower()
    assert method.unit.lower() in text.lower()


def test_the_picture_of_a_comparison_measures_under_the_surface_of_what_was_looked_at(result):
    found, voxels, _ = result
    figure = draw_agreement(compare_maps(found, voxels), "saliency", "large", found.task)
    assert figure.axes[1].get_xlabel() == "depth under the surface of the region looked at (mm)"


def test_a_card_tells_every_maps_equation_unit_and_cost(result):
    card = result[2].card
    blocks = {block.title: dict(block.facts) for block in card_blocks(card)}
    for method in STRANGER.maps:
        told = blocks["Maps"][method.title]
        assert all(part in told for part in (method.equation, f"unit: {method.unit}", f"{method.passes(3):.0f} passes"))
    assert not FOREIGN.search(" ".join(blocks["Maps"].values()))


def test_what_takes_long_is_told_before_it_starts(result):
    def told(*methods):
        return list(costs(Wanted(methods, ("large",), (), ()), result[2]))

    assert told("saliency", "gradcam") == []
    (sentence,) = told("saliency", "occlusion")
    cost = STRANGER.method("occlusion").cost
    assert sentence.startswith(f"Occlusion takes about {cost:.0f} passes through each of 2 members")


def test_too_few_patients_have_no_interval():
    labels, patients = np.array([0, 0, 1, 1, 1]), np.array([1, 1, 1, 1, 1])
    scores = np.array([0.1, 0.6, 0.5, 0.8, 0.9])
    alone = discrimination(labels, scores, patients, resamples=50)
    assert (alone.low, alone.high) == (None, None)
    assert not alone.differs_from_chance
    assert "AUC 0.833 (no interval: too few patients, permutation p" in alone.sentence()
    assert _interval({"auc": 0.833, "low": None, "high": None}) == "0.833 (no interval: too few patients)"


def test_an_auc_that_most_samples_lack_has_no_interval():
    task, patients = STRANGER.task, np.array([1, 2, 3])
    scores = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4]])
    found = discrimination(np.array([0, 1, 2]), scores, patients, resamples=200, task=task)
    assert (found.low, found.high) == (None, None)
    nan = np.nan
    assert interval_or_none(np.array([0.5, nan, nan])) == (None, None)
    low, high = interval_or_none(np.array([0.5, 0.7, nan]))
    assert 0.5 <= low < high <= 0.7


def test_many_maps_of_a_held_out_visit_have_a_row_for_each_method():
    """Three methods of four classes were fifteen panels in a row, 2340 pixels wide."""
    task, side = system_of("rano").task, np.zeros((16, 16), np.float32)
    one = Shown(0, 1, "baseline", None, 0, (0.7, 0.1, 0.1, 0.1), "the surest", task)
    maps = {(method, name): side + 1 for method in ("saliency", "gradcam", "hirescam") for name in task.names}
    for methods, rows in ((("saliency", "gradcam", "hirescam"), 3), (("saliency", "gradcam"), 1)):
        shown = {key: values for key, values in maps.items() if key[0] in methods}
        found = Explained(one, side, side > 1, "T1 now minus T1 before", shown, None)
        width, height = struct.unpack(">II", maps_png(found)[16:24])  # of a PNG's first chunk
        assert height == pytest.approx(192 * rows, abs=2)
        assert width == pytest.approx(156 * (5 if rows == 3 else 9), abs=2)
