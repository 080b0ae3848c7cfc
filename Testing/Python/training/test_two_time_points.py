"""A system that compares two MRIs of every lesion: the table's rows of both time points become one case."""

import csv
from pathlib import Path

import numpy as np
import pytest
from making_files import PLAIN, two_boxes, written
from stranger import Stranger

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.labels.cohort_labels import label_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.inputs import MASK, MRI, InputRole
from PulsarCAMLib.core.task import GIVEN, LESION, LabelRule, Task
from PulsarCAMLib.systems.registry import register, unregister
from PulsarCAMLib.training.units.cohort_cases import cohort_cases, usable_rows
from PulsarCAMLib.training.units.samples import collect_samples


class Comparing(Stranger):
    """Named lesions on the first MRI, looked at on both."""

    name = "comparing"
    task = Task("size", "Size", Stranger.task.classes, "large", "large", LESION, LabelRule(GIVEN, "rano"))
    inputs = (
        InputRole("t1c", "first MRI", MRI, column="image"),
        InputRole("t1c-second", "second MRI", MRI, time_point="second", column="image"),
        InputRole("lesions", "Lesions", MASK, column="segmentation"),
    )


COMPARING = Comparing()


@pytest.fixture(autouse=True)
def known():
    register(COMPARING)
    yield
    unregister(COMPARING.name)


@pytest.fixture
def rows(tmp_path):
    """Two lesions of one patient, on two MRIs."""
    noise = np.random.default_rng(0).normal(400, 60, (2, *PLAIN.shape)).astype(np.float32)
    noise[1] = 0.8 * noise[0] + 0.2 * noise[1]  # one head, or it would be doubted
    written(tmp_path / "first.nrrd", noise[0], PLAIN)
    written(tmp_path / "later.nrrd", noise[1], PLAIN)
    written(tmp_path / "mask.nrrd", two_boxes(PLAIN, second=2), PLAIN)
    found = []
    for value, rano in ((1, "small"), (2, "large")):
        base = {"patient": "P1", "lesion": f"L{value}"}
        mask = {"segmentation": "mask.nrrd", "label_value": value}
        found += [{**base, "image": "first.nrrd", **mask, "rano": rano}]
        found += [{**base, "image": "later.nrrd", "time_point": "second"}]
    return found


def table_of(folder, rows):
    with (folder / "cohort.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
        table.writeheader()
        table.writerows(rows)
    return read_cohort(folder / "cohort.csv", COMPARING)


def test_both_mris_of_a_lesion_are_channels_of_its_sample(tmp_path, rows):
    table = table_of(tmp_path, rows)
    assert [each.what for each in check_cohort(table, system=COMPARING)] == ["No lesion is medium"]
    used = usable_rows(table, label_cohort(table, system=COMPARING), system=COMPARING)
    assert [(row.lesion, row.time_point, label) for row, label in used] == [
        ("L1", "baseline", 0),
        ("L2", "baseline", 2),
    ]
    units = list(cohort_cases(used, system=COMPARING))
    assert [sorted(unit.case.images) for unit in units] == [["t1c", "t1c-second"]] * 2
    assert units[0].case.images["t1c"] is units[1].case.images["t1c"]
    assert not np.array_equal(units[0].case.images["t1c"].voxels, units[0].case.images["t1c-second"].voxels)
    assert [unit.case.lesions[0].name for unit in units] == ["L1", "L2"]
    samples = collect_samples(units, COMPARING, COMPARING.training_settings())
    assert samples.images.shape == (2, 2, 16, 16, 16)
    assert samples.units.tolist() == ["L1", "L2"]


def test_one_image_is_read_once_for_all_lesions(tmp_path, rows, monkeypatch):
    from PulsarCAMLib.io import inputs

    real, read = inputs.read_image_of, []

    def noted(path, *more, **others):
        read.append(Path(path).name)
        return real(path, *more, **others)

    monkeypatch.setattr(inputs, "read_image_of", noted)
    table = table_of(tmp_path, rows)
    used = usable_rows(table, label_cohort(table, system=COMPARING), system=COMPARING)
    list(cohort_cases(used, system=COMPARING))
    assert sorted(read) == ["first.nrrd", "later.nrrd"]


def test_a_lesion_without_its_second_mri_is_found_and_not_trained_on(tmp_path, rows):
    table = table_of(tmp_path, rows[:3])
    found = check_cohort(table, system=COMPARING)
    assert ("missing value", "The lesion has no second row") in [(each.kind, each.what) for each in found]
    used = usable_rows(table, label_cohort(table, system=COMPARING), system=COMPARING)
    assert [row.lesion for row, _ in used] == ["L1"]
    alone = table_of(tmp_path, rows[:1])
    with pytest.raises(InputError, match="No lesion of the table has a first MRI at the time point “baseline”"):
        usable_rows(alone, label_cohort(alone, system=COMPARING), system=COMPARING)
