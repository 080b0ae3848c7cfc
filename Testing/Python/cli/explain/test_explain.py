"""``pulsarcam explain`` on small made scans."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from making_files import OBLIQUE, a_scan, a_volume, files_in, result_of, two_boxes, written

from PulsarCAMLib.core.errors import Cancelled, InputError
from PulsarCAMLib.io.volumes import read_volume
from PulsarCAMLib.lesions.from_files import read_lesions


def rows_of(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_what_is_written_and_said(tmp_path, pulsarcam):
    code, out, err = pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out")
    assert code == 0
    assert files_in(tmp_path / "out") == [
        "lesions.csv",
        "pictures/01-Lesion_1_1_pixelwise.png",
        "pictures/02-Lesion_1_2_pixelwise.png",
        "pixelwise_non-response_mean.nrrd",
        "pixelwise_non-response_regions.seg.nrrd",
        "pixelwise_non-response_std.nrrd",
        "result.json",
        "slices.csv",
    ]
    assert "Lesion 1 (2)" in out
    assert "trained on SYNTHETIC lesions" in out
    verdict = json.loads((tmp_path / "out" / "result.json").read_text())["verdict"]
    assert out.startswith(verdict["sentence"]), "said before any answer"
    assert "Research use only" in out
    first, *flat = err.splitlines()
    assert first == "pulsarcam: warning: The label's unconnected parts are taken as 2 lesions (parts: separate)."
    (sentence,) = flat  # these boxes are flat inside, so that nothing is lost when their pixels change places
    assert sentence.startswith("pulsarcam: warning: Structure inside the contour has little say in the answers for “L")
    assert "Outside replaced".lower() in out


def test_maps_lie_on_the_mris_grid_and_inside_the_lesions(tmp_path, pulsarcam):
    volume, labels = a_scan(tmp_path)
    options = ("--class", "both", "--method", "all", "--no-pictures")
    assert pulsarcam("explain", volume, labels, "-o", tmp_path / "out", *options)[0] == 0
    mri = sitk.ReadImage(str(volume))
    maps = sorted((tmp_path / "out").glob("*_mean.nrrd")) + sorted((tmp_path / "out").glob("*_std.nrrd"))
    assert len(maps) == 20, "five methods, two classes, mean and spread"
    for path in maps:
        image = sitk.ReadImage(str(path))
        assert image.GetPixelID() == sitk.sitkFloat32
        assert (image.GetSize(), image.GetSpacing()) == (mri.GetSize(), mri.GetSpacing())
        assert (image.GetOrigin(), image.GetDirection()) == (mri.GetOrigin(), mri.GetDirection())
        assert not sitk.GetArrayViewFromImage(image)[two_boxes() == 0].any()
    assert any(sitk.GetArrayViewFromImage(sitk.ReadImage(str(path))).any() for path in maps)


def test_tables_carry_units_and_one_row_per_lesion_and_map(tmp_path, pulsarcam):
    pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", "--class", "both", "--no-pictures")
    rows = rows_of(tmp_path / "out" / "lesions.csv")
    assert {"volume_cm3", "probability_response", "probability_spread", "activated_volume_cm3"} <= set(rows[0])
    assert [r["map_class"] for r in rows] == ["non-response"] * 2 + ["response"] * 2
    assert [r["lesion"] for r in rows] == ["Lesion 1 (1)", "Lesion 1 (2)"] * 2
    voxels = np.count_nonzero(two_boxes()) * OBLIQUE.voxel_volume_mm3 / 1000
    assert sum(float(r["volume_cm3"]) for r in rows[:2]) == pytest.approx(voxels, rel=1e-5)
    slices = rows_of(tmp_path / "out" / "slices.csv")
    assert sum(int(r["answers"]) for r in slices) == 2
    assert {"area_mm2", "mri_slice"} <= set(slices[0])


def test_sub_regions_come_back_as_named_segments_inside_the_lesions(tmp_path, pulsarcam):
    options = ("--threshold", "percentile:60", "--no-pictures")
    pulsarcam("explain", *a_scan(tmp_path, second=2), "-o", tmp_path / "out", *options)
    path = tmp_path / "out" / "pixelwise_non-response_regions.seg.nrrd"
    lesions, _ = read_lesions(path, OBLIQUE, segments=["Lesion 1", "Lesion 2"])
    assert len(lesions) == 2
    with pytest.raises(InputError, match="holds what PulsarCAM drew"):
        read_lesions(path, OBLIQUE)
    for lesion in lesions:
        label = {"Lesion 1": 1, "Lesion 2": 2}[lesion.name]
        assert not (lesion.full_mask(OBLIQUE.shape) & (two_boxes(second=2) != label)).any()


def test_a_place_where_nothing_is_is_told_before_lesions_are_asked_for(tmp_path, pulsarcam):
    code, _, err = pulsarcam("explain", tmp_path / "nothere", "-o", tmp_path / "out")
    assert (code, err) == (3, f"pulsarcam: error: There is no file or folder {tmp_path / 'nothere'}.\n")
    assert not (tmp_path / "out").exists()


def test_the_record_names_the_model_but_nobody_and_no_place(tmp_path, pulsarcam):
    folder = tmp_path / "Doe^Jane"
    folder.mkdir()
    volume, _ = a_scan(folder)
    shifted = replace(OBLIQUE, origin=tuple(np.array(OBLIQUE.origin) + 0.4))
    labels = written(folder / "Doe^Jane.nrrd", two_boxes(), shifted)
    _, _, err = pulsarcam("explain", volume, labels, "-o", tmp_path / "out", "--no-pictures")
    record = result_of(tmp_path / "out")
    assert record["model"]["name"] == "random"
    assert "has another grid than the MRI" in err
    assert "has another grid than the MRI" in " ".join(record["warnings"])
    assert len(record["model"]["sha256"]) == len(record["input"]["volume_sha256"]) == 64
    assert record["options"]["threshold"] == {"kind": "fraction", "value": 0.5}
    assert "Doe" not in (tmp_path / "out" / "result.json").read_text()
    assert str(tmp_path) not in (tmp_path / "out" / "result.json").read_text()
    header = sitk.ReadImage(str(tmp_path / "out" / "pixelwise_non-response_mean.nrrd"))
    assert header.GetMetaData("PulsarCAM.modelHash") == record["model"]["sha256"]
    assert header.GetMetaData("PulsarCAM.synthetic") == "true"


def test_an_output_is_not_replaced_without_being_told(tmp_path, pulsarcam):
    scan = a_scan(tmp_path)
    command = ("explain", *scan, "-o", tmp_path / "out", "--no-pictures", "--quiet")
    assert pulsarcam(*command)[0] == 0
    before = (tmp_path / "out" / "result.json").read_bytes()
    code, out, err = pulsarcam(*command, "--class", "response")
    assert (code, out) == (5, "")
    assert err.startswith("pulsarcam: error:")
    assert "--overwrite" in err
    assert (tmp_path / "out" / "result.json").read_bytes() == before
    assert pulsarcam(*command, "--class", "response", "--overwrite")[0] == 0
    assert "pixelwise_response_mean.nrrd" in files_in(tmp_path / "out")
    assert "pixelwise_non-response_mean.nrrd" not in files_in(tmp_path / "out")


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"volume": "none.nrrd"}, 3, "There is no file none.nrrd"),
        ({"--model": "nobody"}, 4, "There is no model “nobody”"),
        ({"--labels": "9"}, 3, "no value [9]"),
        ({"--segments": "GTV"}, 3, "label volume without segment names"),
        ({"--threshold": "percentile:101"}, 2, "between 0 and 100"),
        ({"--threshold": "half"}, 2, "is not like fraction:0.5"),
        ({"--method": "magic"}, 2, "invalid choice"),
    ],
)
def test_what_is_wrong_is_said_once_and_nothing_is_left(tmp_path, pulsarcam, change, code, said):
    volume, labels = a_scan(tmp_path)
    before = files_in(tmp_path)
    options = [text for pair in change.items() if pair[0] != "volume" for text in pair]
    found, out, err = pulsarcam(
        "explain", change.get("volume", volume), labels, "-o", tmp_path / "new" / "out", *options
    )
    assert (found, out) == (code, "")
    assert said in err
    assert code == 2 or err.count("\n") == 1
    assert files_in(tmp_path) == before
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("fault", "code"),
    [(KeyboardInterrupt(), 130), (OSError(28, "full"), 5), (ValueError("x"), 1), (Cancelled("x"), 130)],
)
def test_a_failure_while_writing_leaves_nothing(tmp_path, pulsarcam, monkeypatch, fault, code):
    scan = a_scan(tmp_path)
    before = files_in(tmp_path)

    def fail(*_arguments):
        raise fault

    monkeypatch.setattr("PulsarCAMLib.outputs.tables.write_table", fail)
    found, _, err = pulsarcam("explain", *scan, "-o", tmp_path / "out")
    assert found == code
    assert err.startswith("pulsarcam: error:")
    assert err.count("\n") == 1
    assert files_in(tmp_path) == before


def test_the_signed_map_is_written_once_and_has_both_signs(tmp_path, pulsarcam):
    command = ("explain", *a_scan(tmp_path), "-o", tmp_path / "out", "--method", "pixelwise-signed", "--class", "both")
    assert pulsarcam(*command)[0] == 0
    assert "pixelwise-signed_mean.nrrd" in files_in(tmp_path / "out")
    signed = read_volume(tmp_path / "out" / "pixelwise-signed_mean.nrrd")[0]
    assert signed.min() < 0 < signed.max()


def test_normalised_maps_reach_at_most_one(tmp_path, pulsarcam):
    options = ("--class", "both", "--normalisation", "scan", "--no-pictures")
    pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", *options)
    tops = [read_volume(p)[0].max() for p in (tmp_path / "out").glob("*_mean.nrrd")]
    assert 0.3 < max(tops) <= 1 + 1e-6


def test_many_lesions_are_drawn_with_help_of_a_second_process(tmp_path, pulsarcam):
    labels = np.zeros(OBLIQUE.shape, np.uint8)
    for n in range(10):
        labels[4:7, 4 + 11 * (n % 5) : 11 + 11 * (n % 5), 8 + 25 * (n // 5) : 20 + 25 * (n // 5)] = n + 1
    mask = written(tmp_path / "l.nrrd", labels, OBLIQUE)
    volume = written(tmp_path / "v.nrrd", a_volume(), OBLIQUE)
    assert pulsarcam("explain", volume, mask, "-o", tmp_path / "out", "--threads", "2")[0] == 0
    assert len(list((tmp_path / "out" / "pictures").glob("*.png"))) == 10


def test_the_scene_is_written_when_asked_for(tmp_path, pulsarcam):
    pytest.importorskip("slicer", reason="the slicer-core package is not installed")
    assert pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", "--scene", "--no-pictures")[0] == 0
    assert (tmp_path / "out" / "scene.mrb").stat().st_size > 1000


def test_timings_are_printed_when_asked_for(tmp_path, pulsarcam):
    _, _, err = pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", "--no-pictures", "--timings")
    for step in ("importing", "reading", "computing", "writing maps", "total"):
        assert step in err


@pytest.mark.every_way
def test_stability_is_told_unless_it_is_not_wanted(tmp_path, pulsarcam):
    scan, columns = a_scan(tmp_path), {"p_min", "p_max", "stability", "map_centre_moves_mm"}
    columns |= {"logit_change_outside", "logit_change_shuffled"}
    assert pulsarcam("explain", *scan, "-o", tmp_path / "told", "--no-pictures")[0] == 0
    assert pulsarcam("explain", *scan, "-o", tmp_path / "not", "--no-pictures", "--no-stability")[0] == 0
    told, plain = (rows_of(tmp_path / name / "lesions.csv") for name in ("told", "not"))
    assert set(told[0]) - set(plain[0]) == columns
    assert [{name: row[name] for name in plain[0]} for row in told] == plain
    assert [float(row["p_min"]) <= float(row["probability_response"]) <= float(row["p_max"]) for row in told] == [
        True
    ] * 2
    assert len(result_of(tmp_path / "told")["stability"][0]["ways"]) == 11
    assert not {"stability", "left_out"} & set(result_of(tmp_path / "not"))
    parts = result_of(tmp_path / "told")["left_out"]
    assert [f"{each['changes'][0]['change']:.4f}" for each in parts] == [
        f"{float(row['logit_change_outside']):.4f}" for row in told
    ]


def test_a_model_nobody_measured_says_so_first_and_sets_of_classes_follow_where_it_was_calibrated(tmp_path, pulsarcam):
    from making_models import random_bundle

    conformal = {"error_rate": 0.1, "scores": [0.3] * 9, "about": "", "text": ""}
    model = random_bundle(tmp_path / "model", conformal=conformal).folder
    cheap = ("--no-pictures", "--no-stability", "--report", "--error-rate", "0.2", "--model", model)
    code, out, _ = pulsarcam("explain", *a_scan(tmp_path), "-o", tmp_path / "out", *cheap)
    assert code == 0
    found = json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    assert found["verdict"]["level"] == "unknown"
    assert found["warnings"][0] == found["verdict"]["sentence"] == out.splitlines()[0]
    assert out.splitlines()[1] + "." == found["answers"][0]["sentence"]
    assert {each["error_rate"] for each in found["answers"]} == {0.2}
    rows = rows_of(tmp_path / "out" / "lesions.csv")
    assert [row["classes_not_ruled_out"] for row in rows] == [a["classes_not_ruled_out"] for a in found["answers"]]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.index(found["verdict"]["sentence"]) < page.index("Not ruled out, 20% errors")
