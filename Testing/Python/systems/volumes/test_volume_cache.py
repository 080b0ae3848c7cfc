"""What is kept is used again exactly as long as nothing has changed; folders stay within their limit."""

from dataclasses import replace

import numpy as np
import pytest
from two_visits import TWO

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import InputError, OutputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.systems.contract import LabelledUnit
from PulsarCAMLib.systems.volumes import align, samples
from PulsarCAMLib.systems.volumes.cache import ENDING, FOLDER_VARIABLE, LIMIT_VARIABLE, Cache, kept_in, key_of
from PulsarCAMLib.systems.volumes.preprocessing import VolumePreprocessing
from PulsarCAMLib.systems.volumes.quality import Likeness, Quality
from PulsarCAMLib.systems.volumes.space import Space
from PulsarCAMLib.training.units.samples import collect_samples

GRID = VolumeGeometry((9, 10, 11), (2.0, 2.0, 2.0))
PREPROCESSING = VolumePreprocessing((6, 6, 6), axes="patient")


@pytest.fixture(autouse=True)
def unasked(monkeypatch):
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    monkeypatch.delenv(LIMIT_VARIABLE, raising=False)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "kept"))
    return tmp_path / "kept"


def case(seed=0, **more):
    rng = np.random.default_rng(seed)
    images = {name: Image(rng.normal(100, 9, GRID.shape), GRID) for name in ("t1-now", "t1-before")}
    return Case(images, reference="t1-now", **more)


def files(folder):
    return sorted(folder.glob(f"*{ENDING}"))


def nothing_is_made(monkeypatch):
    def fail(*_):
        raise AssertionError("made again")

    monkeypatch.setattr(samples, "_filled", fail)
    monkeypatch.setattr(align, "find_space", fail)


def test_a_second_time_nothing_is_made_and_all_is_the_same(folder, monkeypatch):
    given = case(transforms={"t1-now": np.diag([1.0, 1.0, 1.0, 1.0]) + np.eye(4, k=3) * 2})
    (first,) = TWO.prepare(given, PREPROCESSING, lambda *_: None)
    assert len(files(folder)) == 2
    nothing_is_made(monkeypatch)
    (second,) = TWO.prepare(given, PREPROCESSING, lambda *_: None)
    np.testing.assert_array_equal(first.images, second.images)
    np.testing.assert_array_equal(first.masks, second.masks)
    assert first.warnings == second.warnings
    assert first.space.quality == second.space.quality
    ones = np.ones((1, 6, 6, 6), np.float32)
    np.testing.assert_array_equal(*(s.paste(ones, GRID, True, "t1-before").values for s in (first, second)))


def test_without_a_folder_nothing_is_kept_and_the_result_is_the_same(folder, tmp_path, monkeypatch):
    (kept,) = TWO.prepare(case(), PREPROCESSING, lambda *_: None)
    monkeypatch.delenv(FOLDER_VARIABLE)
    (plain,) = TWO.prepare(case(), PREPROCESSING, lambda *_: None)
    np.testing.assert_array_equal(kept.images, plain.images)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def changed(**changes):
    given = case(**changes.pop("case", {}))
    return TWO.prepare(given, replace(PREPROCESSING, **changes), lambda *_: None)


@pytest.mark.parametrize(
    "changes",
    [
        {"case": {"seed": 1}},
        {"size": (6, 6, 7)},
        {"bias_correction": True},
        {"subtraction": True},
        {"case": {"transforms": {"t1-now": np.eye(4) + np.eye(4, k=3)}}},
    ],
    ids=str,
)
def test_whatever_decides_makes_another_file(folder, changes):
    changed()
    before = len(files(folder))
    changed(**changes)
    assert len(files(folder)) > before


def test_the_key_follows_voxels_places_masks_and_names():
    given = case()
    image = given.images["t1-now"]
    moved = Image(image.voxels, replace(GRID, origin=(0.0, 0.0, 1e-9)))
    others = [
        replace(given, images={**given.images, "t1-now": moved}),
        replace(given, images={**given.images, "t1-now": Image(image.voxels.astype(np.float32), GRID)}),
        replace(given, images={"a": image, "t1-before": given.images["t1-before"]}),
        replace(given, reference="t1-before"),
        replace(given, transforms={"t1-now": np.eye(4)}),
    ]
    keys = [key_of("sample", each, [1]) for each in (given, *others)]
    keys += [key_of("space", given, [1]), key_of("sample", given, [2])]
    assert len(set(keys)) == len(keys)
    assert key_of("sample", case(), [1]) == keys[0]


def test_the_unit_decides_and_other_masks_do_not(folder):
    mask = np.zeros(GRID.shape, bool)
    mask[2:5, 3:6, 4:7] = True
    changed()
    changed(case={"lesions": (Lesion.from_mask("x", mask),)})
    assert len(files(folder)) == 1
    samples.volume_samples(TWO, case(), Lesion.from_mask("part", mask), PREPROCESSING)
    assert len(files(folder)) == 2


def test_no_file_holds_the_patients_name(folder):
    settings = TWO.training_settings(preprocessing=PREPROCESSING)
    list(TWO.copies(LabelledUnit("Erika", case(), "Erika", 0), settings))
    (copy,) = TWO.copies(LabelledUnit("Other", case(), "Other", 0), settings)
    assert any("“Other”: there is no" in sentence for sentence in copy.warnings)
    assert len(files(folder)) == 1
    assert b"Erika" not in files(folder)[0].read_bytes()


def test_a_damaged_file_is_made_anew(folder):
    (first,) = TWO.prepare(case(), PREPROCESSING, lambda *_: None)
    (file,) = files(folder)
    file.write_bytes(file.read_bytes()[:200])
    (second,) = TWO.prepare(case(), PREPROCESSING, lambda *_: None)
    np.testing.assert_array_equal(first.images, second.images)
    assert file.stat().st_size > 200


def test_an_error_leaves_no_file(folder):
    given = case()
    broken = replace(given, images={**given.images, "t1-before": Image(np.full(GRID.shape, np.nan), GRID)})
    with pytest.raises(InputError):
        TWO.prepare(broken, PREPROCESSING, lambda *_: None)
    assert not files(folder)


def test_what_was_not_used_for_longest_goes_first(tmp_path):
    import os

    def value(n):
        return {"a": np.full(1000, n, np.uint8)}

    cache = Cache(tmp_path, 3000)
    for n in range(2):
        cache.remembered(lambda n=n: f"k{n}", lambda n=n: value(n))
        os.utime(tmp_path / f"k{n}{ENDING}", (n, n))
    cache.remembered(lambda: "k0", lambda: pytest.fail("made again"))
    cache.remembered(lambda: "k2", lambda: value(2))
    assert [path.name for path in files(tmp_path)] == [f"k0{ENDING}", f"k2{ENDING}"]
    assert Cache(tmp_path, 10).remembered(lambda: "k3", lambda: value(3))["a"][0] == 3
    assert len(files(tmp_path)) == 2


@pytest.mark.parametrize("limit", ["much", "0", "-1", "nan"])
def test_a_limit_that_is_no_number_is_refused(folder, monkeypatch, limit):
    monkeypatch.setenv(LIMIT_VARIABLE, limit)
    with pytest.raises(InputError, match="must be a number of gigabytes"):
        Cache.here()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file" / "below"))
    with pytest.raises(OutputError, match=f"that {FOLDER_VARIABLE} names cannot be made"):
        Cache.here()


def test_the_folder_is_named_for_a_while(tmp_path, monkeypatch):
    with kept_in(tmp_path):
        assert Cache.here().folder == tmp_path
        with kept_in(None):
            assert Cache.here().folder == tmp_path
    assert Cache.here().folder is None


def test_several_processes_make_each_file_once(tmp_path):
    from joblib import Parallel, delayed

    with kept_in(tmp_path / "kept"):
        found = Parallel(n_jobs=2)(delayed(made_there)(seed % 2) for seed in range(4))
    assert sum(found) == 2, "each of the two cases is made by one process"
    assert len(files(tmp_path / "kept")) == 2


def made_there(seed):
    """Whether this call had to make the sample."""
    made = []
    real = samples._filled
    samples._filled = lambda *given: made.append(1) or real(*given)
    try:
        TWO.prepare(case(seed), PREPROCESSING, lambda *_: None)
    finally:
        samples._filled = real
    return len(made)


def test_a_space_comes_back_from_its_arrays():
    mask = np.zeros(GRID.shape, bool)
    mask[2:5, 3:6, 4:7] = True
    like = Likeness(1.1, 0.9, 1.0)
    quality = Quality("a", "b", "rigid", True, like, like, 1.5, 2.5, None, 1.0)
    way = np.eye(4) + 1 / 3
    space = Space({"a": way, "b": None}, {"now": Lesion.from_mask("brain", mask)}, {"now": "a"}, (quality,), ("x",))
    back = Space.from_arrays(space.to_arrays())
    np.testing.assert_array_equal(back.ways["a"], way)
    assert back.ways["b"] is None
    assert back.brains["now"].offset == (2, 3, 4)
    np.testing.assert_array_equal(back.brains["now"].mask, mask[2:5, 3:6, 4:7])
    assert (back.leads, back.quality, back.warnings) == (space.leads, space.quality, space.warnings)


def test_units_prepared_side_by_side_are_the_same_in_the_same_order():
    settings = TWO.training_settings(preprocessing=replace(PREPROCESSING, bias_correction=True))
    assert TWO.slow_to_prepare(settings)
    assert not TWO.slow_to_prepare(TWO.training_settings(preprocessing=PREPROCESSING))
    units = [LabelledUnit(f"P{n}", case(n), f"P{n}", n % 2) for n in range(5)]
    told: list[str] = []
    one, other = (collect_samples(iter(units), TWO, settings, told.append, at_once=n) for n in (1, 2))
    np.testing.assert_array_equal(one.images, other.images)
    assert one.patients.tolist() == other.patients.tolist() == [f"P{n}" for n in range(5)]
    assert told[: len(told) // 2] == told[len(told) // 2 :]


def test_an_error_in_another_process_is_the_same_sentence():
    settings = TWO.training_settings(preprocessing=replace(PREPROCESSING, bias_correction=True))
    given = case()
    broken = replace(given, images={**given.images, "t1-before": Image(np.full(GRID.shape, -1.0), GRID)})
    units = [LabelledUnit("P", broken, "P", 0)]
    for at_once in (1, 2):
        with pytest.raises(InputError, match="without a voxel above zero"):
            collect_samples(units, TWO, settings, at_once=at_once)
