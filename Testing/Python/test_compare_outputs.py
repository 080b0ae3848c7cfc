"""The comparer of recorded outputs finds what has changed, and only that."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image
from safetensors.numpy import save_file

TESTING = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def comparer():
    spec = importlib.util.spec_from_file_location("compare_outputs", TESTING / "compare_outputs.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["compare_outputs"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["compare_outputs"]


def write_image(path: Path, change: float = 0.0, name: str = "Lesion 1", origin: float = 0.0) -> None:
    voxels = np.linspace(0.0, 1.0, 60).reshape(3, 4, 5)
    voxels[1, 2, 3] += change
    image = sitk.GetImageFromArray(voxels)
    image.SetOrigin((origin, 2.0, 3.0))
    image.SetMetaData("Segment0_Name", name)
    sitk.WriteImage(image, path)


def write_card(path: Path, **more) -> None:
    card = {"versions": {"python": "3.11"}, "seconds": 1.0, "model": {"auc": 0.75, "members": [1, 2]}} | more
    path.write_text(json.dumps(card), encoding="utf-8")


def write_page(path: Path, text: str) -> None:
    path.write_text(f"<style>p {{}}</style><p>{text}</p><p>Volume 6.12 cm3, 2026-01-01, 1.5 s</p>", encoding="utf-8")


def write_pixels(path: Path, value: int) -> None:
    Image.fromarray(np.full((4, 4), value, np.uint8)).save(path)


@pytest.fixture
def old_and_new(tmp_path):
    """Two recordings that are the same."""
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "case").mkdir(parents=True)
    write_image(old / "case/map.nrrd")
    (old / "case/lesions.csv").write_text("lesion,volume_cm3\nLesion 1,6.12259\nLesion 2,3.5\n", encoding="utf-8")
    write_card(old / "card.json")
    write_page(old / "report.html", "two lesions")
    save_file({"weight": np.arange(6, dtype=np.float32)}, old / "weights.safetensors")
    write_pixels(old / "picture.png", 7)
    (old / "said.txt").write_text("exit code 0\np(response) 0.94\n", encoding="utf-8")
    shutil.copytree(old, new)
    return old, new


def test_the_same_recordings_are_the_same(comparer, old_and_new, capsys):
    assert comparer.report(*old_and_new) == 0
    assert "7 files on both sides: 7 identical bit for bit" in capsys.readouterr().out


CHANGES = {
    "a voxel": ("case/map.nrrd", lambda path: write_image(path, change=1e-3), "(1, 2, 3)"),
    "the origin": ("case/map.nrrd", lambda path: write_image(path, origin=0.01), "origin"),
    "a segment's name": ("case/map.nrrd", lambda path: write_image(path, name="Lesion 2"), "Segment0_Name"),
    "a cell": ("case/lesions.csv", lambda path: path.write_text(path.read_text().replace("3.5", "3.50001")), "row 2"),
    "a column": (
        "case/lesions.csv",
        lambda path: path.write_text(path.read_text().replace("_cm3", "_ml")),
        "volume_ml",
    ),
    "a row": ("case/lesions.csv", lambda path: path.write_text(path.read_text() + "Lesion 3,1\n"), "row 3"),
    "a figure": ("card.json", lambda path: write_card(path, model={"auc": 0.76, "members": [1, 2]}), "model / auc"),
    "a text": ("report.html", lambda path: write_page(path, "three lesions"), "three"),
    "a tensor": (
        "weights.safetensors",
        lambda path: save_file({"weight": np.array([0, 1, 2, 3, 4, 5.1], np.float32)}, path),
        "weight",
    ),
    "an exit code": ("said.txt", lambda path: path.write_text(path.read_text().replace("code 0", "code 3")), "line 1"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_found_and_its_place_is_told(comparer, old_and_new, capsys, what):
    name, change, place = CHANGES[what]
    change(old_and_new[1] / name)
    assert comparer.report(*old_and_new) == 1
    told = capsys.readouterr().out
    assert f"DIFFERS  {name}" in told
    assert place in told
    assert "1 differ;" in told


@pytest.mark.parametrize("side", [0, 1])
def test_a_file_on_one_side_only_is_found(comparer, old_and_new, capsys, side):
    (old_and_new[side] / "case/lesions.csv").unlink()
    assert comparer.report(*old_and_new) == 1
    assert f"only in {('new', 'old')[side]}: case/lesions.csv" in capsys.readouterr().out


def test_an_empty_recording_proves_nothing(comparer, tmp_path):
    assert comparer.report(tmp_path, tmp_path) == 1


def test_roundings_are_told_apart_from_differences(comparer, old_and_new, capsys):
    write_image(old_and_new[1] / "case/map.nrrd", change=1e-8)
    assert comparer.report(*old_and_new) == 0
    assert "within 1e-06  case/map.nrrd: at most 1e-08" in capsys.readouterr().out


def test_versions_times_and_durations_do_not_count(comparer, old_and_new, capsys):
    write_card(old_and_new[1] / "card.json", versions={"python": "3.12"}, seconds=2.0)
    page = old_and_new[1] / "report.html"
    page.write_text(page.read_text().replace("2026-01-01, 1.5 s", "2026-02-03, 17.0 s"))
    assert comparer.report(*old_and_new) == 0
    assert "7 identical bit for bit" in capsys.readouterr().out


def test_pixels_are_told_and_decide_nothing(comparer, old_and_new, capsys):
    write_pixels(old_and_new[1] / "picture.png", 8)
    assert comparer.report(*old_and_new) == 0
    assert "picture.png: picture: 48 of 64 values" in capsys.readouterr().out


def test_deliberate_renames_are_followed(comparer, old_and_new, tmp_path):
    new = old_and_new[1]
    (new / "case").rename(new / "patient")
    table = new / "patient/lesions.csv"
    table.write_text(table.read_text().replace("volume_cm3", "volume_ml"))
    write_page(new / "report.html", "two tumours")
    assert comparer.report(*old_and_new) == 1
    renames = tmp_path / "renames.json"
    said = {"files": {"case": "patient"}, "keys": {"volume_cm3": "volume_ml"}, "texts": {"lesions": "tumours"}}
    renames.write_text(json.dumps(said))
    assert comparer.report(*old_and_new, renames) == 0
    table.write_text(table.read_text().replace("3.5", "3.6"))
    assert comparer.report(*old_and_new, renames) == 1
