"""The check of a table says of a unit's images what explaining it would refuse or doubt."""

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.ndimage import gaussian_filter

from PulsarCAMLib.cohort.checks import check_cohort
from PulsarCAMLib.cohort.tables.table import read_cohort
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.systems.registry import system_of

RICE = system_of("rice-net")
SIDE, MM = 20, 8.0
FROM_MIDDLE = sum((np.indices((SIDE,) * 3) - (SIDE - 1) / 2) ** 2)


def head(seed):
    wave = gaussian_filter(np.random.default_rng(seed).normal(size=(SIDE,) * 3), 1.5)
    return np.where(FROM_MIDDLE < 64, 300 + 60 * wave / wave.std(), 0).astype(np.float32)


def dose(peak=60.0):
    return (peak * np.exp(-FROM_MIDDLE / 30)).astype(np.float32)


@pytest.fixture
def told(tmp_path):
    def check(preprocessing=None, **changed):
        files = {"event": (head(0), 0), "postop": (head(0) + (head(0) > 0) * 5, 0), "rtdose": (dose(), 0)} | changed
        for name, (voxels, shift) in files.items():
            image = sitk.GetImageFromArray(voxels)
            image.SetSpacing((MM,) * 3)
            image.SetOrigin((float(shift),) * 3)
            sitk.WriteImage(image, str(tmp_path / f"{name}.nrrd"))
        table = tmp_path / "cohort.csv"
        rows = "P1,event.nrrd,postop.nrrd,rtdose.nrrd,rice\n"
        table.write_text(f"patient,event,postop,rtdose,outcome\n{rows}", encoding="utf-8")
        found = check_cohort(read_cohort(table, RICE), system=RICE, preprocessing=preprocessing)
        # voxels are that large for the sake of time
        told = [(each.kind, each.what) for each in found if each.row]
        return [each for each in told if "larger than those of an MRI" not in each[1]]

    return check


@pytest.mark.parametrize(
    ("changed", "kind", "says"),
    [
        ({"rtdose": (dose(2.0), 0)}, "unusable case", "one fraction or no Gy"),
        ({"rtdose": (dose(), 900)}, "unusable case", "The radiation dose does not reach the place"),
        ({"postop": (dose(), 0)}, "unusable case", "no image is both MRI and dose"),
        ({"rtdose": (dose(), 50)}, "doubtful case", "of the high dose of the radiation dose lies in the head"),
        ({"event": (head(0), 900)}, "doubtful case", "The event T1 lies 1296 mm beside the post-operative T1"),
        ({"postop": (head(0), 0)}, "doubtful case", "are one and the same image"),
    ],
)
def test_what_explaining_refuses_or_doubts_is_a_finding(told, changed, kind, says):
    assert told() == []
    found = told(**changed)
    assert [each for each, what in found if says in what] == [kind], found


def test_another_patients_mri_is_doubted_where_the_model_registers_nothing(told):
    from dataclasses import replace

    plain = replace(RICE.training_settings().preprocessing, registration="none")
    assert told(plain) == []
    ((kind, what),) = told(plain, postop=(head(7), 0))
    assert kind == "doubtful case"
    assert "hardly lies on the post-operative T1" in what


def test_a_rule_of_labels_is_refused_where_none_computes_them(tmp_path):
    (tmp_path / "cohort.csv").write_text("patient,outcome\nP1,rice\n", encoding="utf-8")
    table = read_cohort(tmp_path / "cohort.csv", RICE)
    with pytest.raises(InputError, match=r"computed by no rule, so 'rano-2.0' means nothing for it"):
        check_cohort(table, system=RICE, rule="rano-2.0")


def test_each_image_is_read_once_in_one_pass_and_a_broken_one_told_where_it_is_named(tmp_path, monkeypatch):
    """A visit's own images are read once though the next visit is judged with them; a fault is told in its own row."""
    from PulsarCAMLib.io import inputs

    rano, read = system_of("rano"), []
    original = inputs.read_input
    monkeypatch.setattr(inputs, "read_input", lambda path, *rest: (read.append(path.name), original(path, *rest))[1])
    columns = [role.table_column for role in rano.inputs if role.kind == "MRI"]
    columns = list(dict.fromkeys(columns))
    lines = [",".join(["patient", *columns, "category"])]
    for visit in (1, 2, 3):
        names = [f"{visit}-{column}.nrrd" for column in columns]
        for n, name in enumerate(names):
            image = sitk.GetImageFromArray(head(10 * visit + n))
            image.SetSpacing((MM,) * 3)
            sitk.WriteImage(image, str(tmp_path / name))
        lines.append(",".join(["P1", *names, ""]))
    table, told = tmp_path / "cohort.csv", []
    table.write_text("\n".join(lines) + "\n")
    check_cohort(read_cohort(table, rano), system=rano, progress=lambda share, text: told.append(share))
    assert sorted(read) == sorted(f"{visit}-{column}.nrrd" for visit in (1, 2, 3) for column in columns)
    assert told == sorted(told)
    (tmp_path / f"2-{columns[0]}.nrrd").write_bytes(b"NRRD0004\nrubbish\n")
    found = check_cohort(read_cohort(table, rano), system=rano)
    assert [each.row for each in found if "damaged" in each.what] == [3]
