"""``pulsarcam explain --compare-with NAME=FILE``: further maps beside the heat maps."""

import csv
import json

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import OBLIQUE, a_scan, files_in, result_of, reversed_axes, two_boxes, written

from PulsarCAMLib.agreement.voxel_measures import QUANTITIES
from PulsarCAMLib.core.geometry.volume import VolumeGeometry

PLAINLY = ("--no-pictures", "--no-stability", "--method", "gradcam", "--quiet")


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def a_map(path, geometry=OBLIQUE, seed=4):
    values = np.random.default_rng(seed).normal(900, 100, geometry.shape).astype(np.float32)
    return written(path, values, geometry), values


def run(pulsarcam, folder, *more):
    out = folder / "out"
    return pulsarcam("explain", *a_scan(folder, second=2), "-o", out, *PLAINLY, *more), out


def test_several_maps_are_rows_of_the_tables_and_columns_of_the_page(tmp_path, pulsarcam):
    adc, values = a_map(tmp_path / "a.nrrd")
    pet, _ = a_map(tmp_path / "b.nii.gz", reversed_axes(OBLIQUE), 5)
    more = ("--compare-with", f"ADC={adc}", "--compare-with", f"FET PET={pet}", "--compare-above", "ADC=value:950")
    (code, _, err), out = run(pulsarcam, tmp_path, *more, "--report")
    assert (code, "error" in err) == (0, False)
    assert {"agreement.csv", "shells.csv", "overlaps.csv", "report.html"} <= set(files_in(out))
    rows = rows_of(out / "agreement.csv")
    assert [row["quantity"] for row in rows[: len(rows) // 2]] == [*QUANTITIES, "ADC", "FET PET"]
    assert all(row["spearman"] for row in rows)
    both = [row for row in rows_of(out / "overlaps.csv") if row["other_map"] == "ADC"]
    assert {(row["above"], float(row["limit"])) for row in both} == {("950", 950)}
    assert {int(row["above_voxels"]) for row in both} == {
        (values[two_boxes(second=2) == n] > 950).sum() for n in (1, 2)
    }
    core = [row for row in rows_of(out / "shells.csv") if (row["map_method"], row["region"]) == ("ADC", "core")]
    assert len(core) == 2
    page = (out / "report.html").read_text(encoding="utf-8")
    assert ">FET PET</th>" in page
    assert "above percentile 75 of the lesion" in page
    told = result_of(out)
    assert told["options"]["compare"]["maps"] == ["ADC", "FET PET"]
    assert told["options"]["compare"]["above"] == {"ADC": {"value": 950}}
    assert len(told["input"]["ADC_map_sha256"]) == 64
    assert str(tmp_path) not in json.dumps(told)


def test_a_map_that_lies_elsewhere_is_compared_by_its_transform(tmp_path, pulsarcam):
    moved = VolumeGeometry(
        OBLIQUE.shape, OBLIQUE.spacing, tuple(np.add(OBLIQUE.origin, (400, -50, 7))), OBLIQUE.direction
    )
    there, _ = a_map(tmp_path / "here.nrrd")
    away, _ = a_map(tmp_path / "away.nrrd", moved)
    sitk.WriteTransform(sitk.TranslationTransform(3, (400.0, -50.0, 7.0)), str(tmp_path / "to.tfm"))
    assert run(pulsarcam, tmp_path, "--compare-with", f"map={there}")[0][0] == 0
    wanted = (tmp_path / "out" / "agreement.csv").read_text(encoding="utf-8")
    more = ("--compare-with", f"map={away}", "--overwrite")
    (code, _, err), _ = run(pulsarcam, tmp_path, *more)
    assert code == 3
    assert "lies outside it" in err
    assert "--transform" in err
    (code, _, _), out = run(pulsarcam, tmp_path, *more, "--transform", f"map={tmp_path / 'to.tfm'}")
    assert code == 0
    assert (out / "agreement.csv").read_text(encoding="utf-8") == wanted


@pytest.mark.parametrize(
    ("more", "code", "told"),
    [
        (("--compare-with", "a={map}", "--compare-with", "a={map}"), 3, "names “a” twice"),
        (("--compare-with", "a={map}", "--compare-above", "b=value:3"), 3, "names no map"),
        (("--compare-with", "t1c={map}"), 3, "cannot be called “t1c”"),
        (("--compare-with", "a={folder}/mri.nrrd"), 3, "is the MRI itself"),
        (("--compare-with", "a={labels}"), 3, "it is a mask, not a map"),
        (("--compare-with", "a={folder}/none.nrrd"), 3, "none.nrrd"),
        (("--compare-with", "a={map}", "--transform", "b={map}"), 3, "names no image that is given; there are t1c, a"),
        (("--compare-with", "{map}"), 2, "is not NAME=FILE"),
        (("--compare-above", "a=top:3"), 2, "is not NAME=KIND:VALUE"),
        (("--compare-above", "a=value:nan"), 2, "is not NAME=KIND:VALUE"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_and_nothing_is_left(more, code, told, tmp_path, pulsarcam):
    known = {"map": a_map(tmp_path / "m.nrrd")[0], "labels": tmp_path / "labels.nrrd", "folder": tmp_path}
    (found, _, err), out = run(pulsarcam, tmp_path, *(each.format(**known) for each in more))
    assert found == code
    assert told in err
    assert "Traceback" not in err
    assert not out.exists()
