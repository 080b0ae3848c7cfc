"""Where one lesion's answer comes from: networks whose secret is known are found out, and honest ones are not."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from systems.autoencoder.test_lattice import a_patient

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.explanation.explain import explain_case
from PulsarCAMLib.explanation.leaving_out import left_out_notes, with_left_out
from PulsarCAMLib.explanation.result import UnitResult
from PulsarCAMLib.explanation.tables import unit_table
from PulsarCAMLib.outputs.pages import sections
from PulsarCAMLib.outputs.pages.glossary import definitions_of
from PulsarCAMLib.outputs.result_json import left_out_of
from PulsarCAMLib.systems.autoencoder.controlled import left_out
from PulsarCAMLib.systems.autoencoder.controls import LEAVE_OUTS, OUTSIDE, STRUCTURE
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.bundle import find_bundle
from PulsarCAMLib.systems.contract import network_masks
from PulsarCAMLib.systems.registry import systems


@pytest.fixture(scope="module")
def patient():
    return a_patient(31, (0.9, 0.9, 3.0))


@pytest.fixture(scope="module")
def case(patient):
    volume, geometry, lesion = patient
    return Case({"t1c": Image(volume, geometry)}, (lesion,), "t1c")


def mean(images, where):
    return (images * where).sum(dim=(1, 2, 3)) / where.sum(dim=(1, 2, 3))


def steps(images, where):
    """How unlike neighbours inside are."""
    both = where[..., 1:] & where[..., :-1]
    return mean(images.diff(dim=-1).abs(), both)


SECRETS = {
    "mask": (lambda images, masks: masks.sum(dim=(1, 2, 3)) / 100 - 9, {STRUCTURE}),
    "outside": (lambda images, masks: 20 * mean(images, ~masks) - 9, {OUTSIDE, STRUCTURE}),
    "mean": (lambda images, masks: 8 * mean(images, masks), {STRUCTURE}),
    "structure": (lambda images, masks: 20 * steps(images, masks), set()),
}


class OneFormula:
    """An ensemble of two members that both answer by a formula, one of them a little more."""

    def __init__(self, formula):
        self.formula, self.asked = formula, 0

    def logits(self, images, masks):
        self.asked, masks = self.asked + len(images), masks >= 0.5
        found = self.formula(images, masks).float()
        return torch.stack([found, found + 0.25])

    def in_chunks(self, work, images, masks):
        yield work(torch.from_numpy(images), torch.from_numpy(masks))


def explained(formula, patient):
    """One unit that was answered by a formula, and the bundle that did it."""
    samples = extract_patches(*patient, Preprocessing())
    bundle = SimpleNamespace(card=SimpleNamespace(system=AUTOENCODER), ensemble=OneFormula(formula))
    logits = AUTOENCODER.answers(bundle.ensemble, samples.images, network_masks(samples))
    bundle.ensemble.asked = 0
    return UnitResult(AUTOENCODER, samples, logits, np.zeros((2, 2, len(samples))), {}, "response"), bundle


@pytest.mark.parametrize("secret", SECRETS)
def test_a_network_with_a_secret_is_found_out(secret, patient):
    formula, wanted = SECRETS[secret]
    unit, bundle = explained(formula, patient)
    (found,) = (each.left_out for each in with_left_out([unit], bundle))
    assert {way.name for way in found.told_of} == wanted
    assert bundle.ensemble.asked == 2  # no more than two further passes of the slice that answers
    assert found.logit == pytest.approx(float(unit.logits[:, unit.main].mean()))
    images, masks = (getattr(unit.samples, name)[[unit.main]] for name in ("images", "masks"))
    told = network_masks(unit.samples)[[unit.main]] >= 0.5
    for way, change in found.items():
        again = formula(*map(torch.from_numpy, (left_out(way.name, images, masks), told))).item()
        assert change == pytest.approx(again + 0.125 - found.logit, abs=1e-4)
    notes = left_out_notes([SimpleNamespace(name="left frontal", left_out=found), SimpleNamespace(left_out=None)])
    assert len(notes) == len(wanted)
    assert all("“left frontal” (" in note for note in notes)


def test_what_is_replaced_and_what_is_not(patient):
    samples = extract_patches(*patient, Preprocessing())
    images, masks = samples.images, samples.masks
    other = np.where(masks, images, np.float32(0.77))
    outside, shuffled = (left_out(name, images, masks) for name in (OUTSIDE, STRUCTURE))
    np.testing.assert_array_equal(outside[masks], images[masks])
    np.testing.assert_array_equal(outside, left_out(OUTSIDE, other, masks))  # nothing of the outside is left
    np.testing.assert_array_equal(shuffled[~masks], images[~masks])
    for image, changed, inside in zip(images, shuffled, masks, strict=True):
        np.testing.assert_array_equal(np.sort(changed[inside]), np.sort(image[inside]))
        assert inside.sum() < 9 or (changed != image).any()
    np.testing.assert_array_equal(shuffled[1:2], left_out(STRUCTURE, images[1:2], masks[1:2]))  # whatever is beside it
    shares = masks.astype(np.float32) * 0.9
    np.testing.assert_array_equal(outside, left_out(OUTSIDE, images, shares))


def test_limits_are_those_that_are_told():
    outside, structure = LEAVE_OUTS
    assert [outside.warns(-4.0, change) for change in (1.99, -2.0)] == [False, True]
    assert [outside.warns(0.1, change) for change in (0.49, 0.5)] == [False, True]
    assert [structure.warns(-4.0, change) for change in (0.99, -1.0)] == [True, False]
    assert "at least half of the logit, and 0.5" in outside.why
    assert "less than a quarter of the logit" in structure.why


def test_tables_and_files_tell_it_where_answers_are_asked_again(case):
    bundle = find_bundle("synthetic-demo")
    plain, result = (explain_case(case, bundle, stability=wanted) for wanted in (False, None))
    (before,), (row,) = unit_table(plain), unit_table(result)
    columns = [way.column for way in LEAVE_OUTS]
    assert columns == ["logit_change_outside", "logit_change_shuffled"]
    assert not set(columns) & set(before)
    assert set(columns) <= set(row)
    found = result.units[0].left_out
    assert [row[name] for name in columns] == found.changes.tolist()
    assert found.logit == pytest.approx(row["logit"])
    (entry,) = json.loads(json.dumps(left_out_of(result), allow_nan=False))
    assert [each["change"] for each in entry["changes"]] == found.changes.tolist()
    assert left_out_of(plain) == []
    assert found.in_words().startswith(f"logit {found.logit:.2f}: ")
    assert [system.name for system in systems() if system.leave_outs] == [AUTOENCODER.name]
    page, bare = (sections.table(each, each.units, "gradcam", "response", Threshold(), 2.0) for each in (result, plain))
    assert set(page["heads"]) - set(bare["heads"]) == {"By half a voxel", *(way.heading for way in LEAVE_OUTS)}
    assert [part["told_of"] for part in page["rows"][0]["left_out"]] == [way in found.told_of for way in LEAVE_OUTS]
    told = dict(definitions_of(result.card, "gradcam", Threshold(), 2.0, left_out=True))
    assert {way.heading: way.why for way in LEAVE_OUTS}.items() <= told.items()
