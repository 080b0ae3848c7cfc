"""Inputs that cannot leak: what surrounds a lesion changes no number that the network sees, where it is told so."""

import itertools

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.autoencoder.samples.intensities import bounds_of_image
from PulsarCAMLib.systems.autoencoder.samples.patches import extract_patches
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

TURNED = Rotation.from_euler("xyz", [8, -12, 27], degrees=True).as_matrix()
GRIDS = {
    "as the pixels": VolumeGeometry((7, 80, 80), (1, 1, 3)),
    "oblique": VolumeGeometry((7, 80, 80), (0.8, 0.9, 3), (-40, 30, 10), TURNED),
}
NEW = ("normalise", "outside")


def scan(geometry, seed=0):
    """Noise with a gap in the air around it, and a lesion of an odd shape in its middle."""
    volume = np.random.default_rng(seed).normal(100, 20, geometry.shape).astype(np.float32)
    volume[:, :6] = 0
    k, j, i = np.indices(geometry.shape)
    mask = ((j - 40) ** 2 / 100 + (i - 38) ** 2 / 64 + (k - 3) ** 2 / 4 < 1) & ~((j > 44) & (i > 40))
    return volume, Lesion.from_mask("GTV", mask)


@pytest.mark.parametrize("rotation", [0.0, 30.0])
@pytest.mark.parametrize("plane", ["volume", "sagittal"])
@pytest.mark.parametrize("name", GRIDS)
def test_what_surrounds_a_lesion_changes_no_bit(name, plane, rotation):
    """Normalised by the GTV and with nothing outside: whatever the rest of the MRI is, the patches are the same."""
    geometry = GRIDS[name]
    volume, lesion = scan(geometry)
    other = np.random.default_rng(1).normal(5000, 3000, geometry.shape).astype(np.float32)
    other[lesion.box][lesion.mask] = volume[lesion.box][lesion.mask]
    told = {}
    for way in itertools.product(("crop", "gtv", "head"), ("kept", "constant")):
        own = Preprocessing(plane=plane, **dict(zip(NEW, way, strict=True)))
        pair = [extract_patches(each, geometry, lesion, own, rotation_deg=rotation) for each in (volume, other)]
        inside = pair[0].masks
        told[way] = [np.array_equal(*(each.images[inside] for each in pair)), not pair[0].images[~inside].any()]
    assert {way for way, (same, _) in told.items() if same} == {("gtv", "constant")} | (
        # where pixels are voxels nothing is interpolated, so that percentiles alone could tell of the outside
        {("gtv", "kept")} if name == "as the pixels" and plane == "volume" and not rotation else set()
    )
    assert {way for way, (_, empty) in told.items() if empty} == {w for w in told if w[1] == "constant"}


def test_intensities_are_stretched_between_the_named_percentiles():
    geometry = GRIDS["as the pixels"]
    volume, lesion = scan(geometry)
    inside = volume[lesion.box][lesion.mask]
    for rule, values in (("gtv", inside), ("head", volume[volume > 0.1 * np.percentile(volume, 99)])):
        low, high = np.percentile(values, (2, 98))
        own = Preprocessing(percentiles=(2, 98), normalise=rule)
        found = extract_patches(volume, geometry, lesion, own)
        wanted = np.sort(np.clip((inside - low) / (high - low), 0, 1))
        np.testing.assert_allclose(np.sort(found.images[found.masks]), wanted, atol=1e-6)


def test_surroundings_are_measured_as_before_and_then_left_out():
    """``crop`` with ``constant``: inside is what it was, to the last bit where pixels are voxels."""
    volume, lesion = scan(GRIDS["as the pixels"])
    kept, alone = (
        extract_patches(volume, GRIDS["as the pixels"], lesion, Preprocessing(outside=each))
        for each in ("kept", "constant")
    )
    np.testing.assert_array_equal(np.where(kept.masks, kept.images, np.float32(0)), alone.images)


def test_a_large_head_is_looked_at_in_part_and_all_its_lesions_share_it(monkeypatch):
    from PulsarCAMLib.systems.autoencoder.samples import intensities

    geometry = GRIDS["as the pixels"]
    volume, lesion = scan(geometry)
    whole = bounds_of_image(volume, Preprocessing(normalise="head"))
    monkeypatch.setattr(intensities, "MOST_VOXELS", 8000)
    part = bounds_of_image(volume, Preprocessing(normalise="head"))
    assert part == pytest.approx(whole, rel=0.05)
    assert part != whole
    assert bounds_of_image(volume, Preprocessing()) is None
    case = Case({"t1c": Image(volume, geometry)}, (lesion, lesion))
    calls = []
    monkeypatch.setattr(intensities, "_percentiles", lambda values, _own: calls.append(len(values)) or (0.0, 200.0))
    assert len(AUTOENCODER.prepare(case, Preprocessing(normalise="head"), lambda *_: None)) == 2
    assert len(calls) == 1
    assert AUTOENCODER.reach_mm(Preprocessing(normalise="head"), lesion, geometry) is None
    assert AUTOENCODER.reach_mm(Preprocessing(normalise="gtv"), lesion, geometry) == (34, 34, 0)


@pytest.mark.parametrize("rule", ["gtv", "head"])
def test_a_lesion_or_head_without_contrast_is_told(rule):
    geometry = GRIDS["as the pixels"]
    volume, lesion = scan(geometry)
    volume[lesion.box][lesion.mask] = 90
    if rule == "head":
        volume = np.full(geometry.shape, 90.0)
    found = extract_patches(volume, geometry, lesion, Preprocessing(normalise=rule))
    assert any("constant where its intensities are measured" in each for each in found.warnings)
    assert np.isfinite(found.images).all()


def test_a_gap_in_the_lesion_is_filled_from_inside():
    geometry = GRIDS["as the pixels"]
    volume, lesion = scan(geometry)
    volume[3, 40, 38] = np.nan
    found = extract_patches(volume, geometry, lesion, Preprocessing(normalise="gtv", outside="constant"))
    assert np.isfinite(found.images).all()
    assert found.images[found.masks].min() >= 0


def test_older_cards_go_on_and_wrong_words_are_refused():
    card = Preprocessing().to_card()
    assert not set(NEW) & set(card)
    assert Preprocessing.from_card(card) == Preprocessing()
    changed = Preprocessing(normalise="gtv", outside="constant")
    assert {name: changed.to_card()[name] for name in NEW} == {"normalise": "gtv", "outside": "constant"}
    assert Preprocessing.from_card(changed.to_card()) == changed
    assert changed.in_words().endswith("percentiles of the GTV's own voxels; outside the contour 0")
    assert changed.identity() != Preprocessing().identity()
    with pytest.raises(BundleError, match="crop, gtv, head"):
        Preprocessing(normalise="lesion")
