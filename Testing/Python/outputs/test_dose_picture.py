"""The sheet of dose-volume curves: what is written on it, and that every region has its line."""

from __future__ import annotations

import numpy as np
import pytest

from PulsarCAMLib.core.display import DisplaySettings
from PulsarCAMLib.dose.case import ACTIVATED, REST, WHOLE, CaseDose
from PulsarCAMLib.dose.settings import DoseTold
from PulsarCAMLib.outputs.pictures.dose import LINES, MOST_PANELS, draw_dose

SHOWN = DisplaySettings("pixelwise", "response")


def told(names, regions=(WHOLE, ACTIVATED, REST), prescribed=None, method="pixelwise"):
    """Curves that fall from 100 to 0 % at a dose of their own: 10 Gy the lesion, 8 the activated part, 12 the rest."""
    rows = []
    for name in names:
        for region, most in zip((WHOLE, ACTIVATED, REST), (10.0, 8.0, 12.0), strict=True):
            if region in regions:
                own = method if region != WHOLE else ""
                about = {"lesion": name, "map_method": own, "map_input": "", "region": region}
                rows += [
                    about | {"dose_gy": float(gy), "volume_percent": 100.0 * (gy < most)} for gy in np.arange(14.0)
                ]
    return CaseDose(DoseTold(prescription_gy=prescribed), [], rows, [], (), ())


def pixels_of(canvas, color):
    wanted = [int(color[n : n + 2], 16) for n in (1, 3, 5)]
    return np.abs(canvas.pixels().astype(int) - wanted).max(axis=2) <= 2


def test_every_lesion_has_a_panel_and_every_region_a_line_in_it():
    names = ["GTV left", "GTV right", "iso", "iso"]
    canvas = draw_dose(told(names, prescribed=9.0), SHOWN)
    assert [text for text in canvas.texts if text in names] == names
    assert canvas.texts[-6:-2] == ["lesion", "activated part", "rest of it", "prescribed"]
    assert canvas.texts[-2:] == ["dose, Gy", "volume that gets at least this, %"]
    middle = canvas.height // 2
    for _, color, _, _ in LINES.values():
        found = pixels_of(canvas, color)
        assert found[40:middle].any()
        assert found[middle:].any()
        assert found[:40].any()  # in the legend


def test_the_legend_tells_of_nothing_that_is_not_drawn():
    canvas = draw_dose(told(["GTV"], regions=(WHOLE, ACTIVATED)), SHOWN)
    assert not {"rest of it", "prescribed"} & set(canvas.texts)
    assert not pixels_of(canvas, LINES[REST][1]).any()


def test_of_another_map_only_the_lesion_itself_is_drawn():
    canvas = draw_dose(told(["GTV"], method="gradcam"), SHOWN)
    assert "activated part" not in canvas.texts
    assert not pixels_of(canvas, LINES[ACTIVATED][1]).any()


@pytest.mark.parametrize("count", [0, 2, MOST_PANELS + 2])
def test_any_number_of_lesions_fits_the_sheet(count):
    canvas = draw_dose(told([f"lesion {n} " + "long" * 12 for n in range(count)]), SHOWN)
    titles = [text for text in canvas.texts if text.startswith("lesion ")]
    assert len(titles) == min(count, MOST_PANELS)
    assert all(text.endswith("…") and canvas.text_width(text, 10) < canvas.width for text in titles)
    assert canvas.pixels().shape == (canvas.height, canvas.width, 3)
