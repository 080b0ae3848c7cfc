"""A registration is told in a table and on the page, and shown as a checkerboard that shows a shift."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from two_visits import TWO

from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.errors import Cancelled
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.outputs.pages.registration import registration
from PulsarCAMLib.outputs.pages.templating import render
from PulsarCAMLib.outputs.pictures.registration import PLANES, _checkerboard, _plane
from PulsarCAMLib.outputs.registration import COLUMNS, Registrations
from PulsarCAMLib.systems.bundles.verdict import Verdict
from PulsarCAMLib.systems.volumes.quality import Likeness, Quality
from PulsarCAMLib.systems.volumes.space import Space

GRID = VolumeGeometry((40, 40, 40), (3.0, 3.0, 3.0), (-60.0, -60.0, -60.0))
SHIFT = np.eye(4) + 6 * np.eye(4, k=3)
QUALITY = Quality(
    "t1-now", "t1-before", "rigid", True, Likeness(1.1, 0.4, 0.9), Likeness(1.4, 0.95, 1.0), 6.0, 0.0, 0.2, 1.0
)
ATLAS = Quality("t1-now", "atlas", "affine", False, Likeness(1, 0, 1), Likeness(1.2, 0.5, 1.0), 6.0, 1.0, None, 1.1)


def ball(centre):
    k, j, i = np.indices(GRID.shape)
    at = GRID.to_lps(np.stack([i, j, k], axis=-1))
    away = np.linalg.norm(at - centre, axis=-1)
    return Image(np.where(away < 45, 200.0 - 2 * away, 0.0), GRID)


IMAGES = {"t1-before": ball((0, 0, 0)), "t1-now": ball((6, 0, 0))}


def content(*quality, prefix=""):
    space = Space({"t1-now": SHIFT, "t1-before": None}, {}, {}, quality)
    unit = SimpleNamespace(samples=SimpleNamespace(space=space))
    result = SimpleNamespace(units=(unit,), system=TWO)
    return SimpleNamespace(result=result, case=Case(IMAGES), prefix=prefix)


def test_table_and_picture_are_written_and_only_what_was_said(tmp_path):
    given = content(QUALITY, ATLAS, prefix="x_")
    names = Registrations().names(given)
    assert names == ["x_registration/registrations.csv", "x_registration/t1-now_to_t1-before.png"]
    Registrations().write(tmp_path, given)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == names
    with (tmp_path / names[0]).open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert (rows[0]["image"], rows[0]["to"], rows[0]["correlation_after"]) == ("t1-now", "t1-before", "0.95")
    assert rows[1]["directions_apart_mm"] == ""
    assert (tmp_path / names[1]).read_bytes()[:4] == b"\x89PNG"


def test_without_pictures_there_is_the_table_and_without_registration_nothing(tmp_path):
    assert Registrations(pictures=False).names(content(QUALITY)) == ["registration/registrations.csv"]
    Registrations(pictures=False).write(tmp_path, content(QUALITY))
    assert [p.name for p in (tmp_path / "registration").iterdir()] == ["registrations.csv"]
    assert Registrations().names(content()) == []
    other = SimpleNamespace(result=SimpleNamespace(units=(SimpleNamespace(samples=object()),)))
    assert Registrations().names(other) == []
    Registrations().write(tmp_path / "nowhere", content())


def test_a_stop_is_heeded(tmp_path):
    with pytest.raises(Cancelled):
        Registrations().write(tmp_path, content(QUALITY), is_cancelled=lambda: True)


@pytest.mark.parametrize("plane", ["axial", "coronal"])
def test_the_checkerboard_shows_a_shift_and_none_where_it_is_undone(plane):
    grid = _plane(plane, np.full(3, -59.0), np.full(3, 59.0))
    fixed = IMAGES["t1-before"], None
    alone = _checkerboard(plane, grid, fixed, fixed)
    headers = _checkerboard(plane, grid, fixed, (IMAGES["t1-now"], None))
    used = _checkerboard(plane, grid, fixed, (IMAGES["t1-now"], SHIFT))
    assert alone.ndim == 2
    assert np.abs(used - alone).mean() < 0.01
    assert np.abs(headers - alone).mean() > 0.02


def test_planes_lie_as_a_radiologist_sees_them():
    image = ball((0, 0, 0))
    voxels = image.voxels.copy()
    voxels[:, :13, :] = voxels[27:, :, :] = voxels[:, :, 27:] = 0  # anterior, superior and left are missing
    cut = (Image(voxels, GRID), None)
    low, high = np.full(3, -59.0), np.full(3, 59.0)
    axial, coronal, sagittal = (_checkerboard(p, _plane(p, low, high), cut, cut) for p in PLANES)
    assert axial[:59].sum() < axial[59:].sum(), "anterior above"
    assert axial[:, :59].sum() > axial[:, 59:].sum(), "the patient's right on the left"
    assert coronal[:59].sum() < coronal[59:].sum(), "superior above"
    assert sagittal[:, :59].sum() < sagittal[:, 59:].sum(), "anterior on the left"


def test_the_page_says_and_shows_it():
    found = registration(content(QUALITY, ATLAS).result, IMAGES)
    told = ("T1 now", "T1 before", "6.0 mm, 0.0°", "0.40 → 0.95", "1.100 → 1.400", "100 %", "0.2 mm")
    assert found["rows"][0] == told
    assert found["rows"][1][1] == "atlas"
    assert [each["name"] for each in found["pictures"]] == ["T1 now on T1 before"]
    assert registration(content(QUALITY).result, {})["pictures"] == []
    assert registration(content().result, IMAGES) is None
    empty = {"title": "", "about": "", "heads": (), "rows": []}
    texts = dict.fromkeys(("title", "about", "model"), "")
    lists = dict.fromkeys(("warnings", "pictures", "model_card", "settings", "words", "provenance"), ())
    nothing = {
        "inputs": None,
        "compared": None,
        "dose": None,
        "painted": None,
        "verdict": Verdict("unknown", "Not known."),
    }
    page = render("scan_report.html", registration=found, units=empty, unit="patient", **texts, **lists, **nothing)
    assert "How the images lie on each other" in page
    assert "0.40 → 0.95" in page
    assert page.count("<img") == 1
