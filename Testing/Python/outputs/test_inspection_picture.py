import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.outputs.pictures.inspection import draw_inspection, methods_to_draw, png_bytes, save_inspection
from PulsarCAMLib.systems.autoencoder.maps.inspection import SliceInspection
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER

METHODS, CLASSES = AUTOENCODER.usual_maps[:3], AUTOENCODER.task.names
ROOT = Path(__file__).resolve().parents[3]


def opened(size=64, features=5, rows=slice(20, 40), columns=slice(26, 38), **changes):
    """A slice of made-up numbers."""
    rng = np.random.default_rng(3)
    c = size // 4
    mask = np.zeros((size, size), bool)
    mask[rows, columns] = True
    cells = mask.reshape(c, 4, c, 4).any(axis=(1, 3))
    maps = {(m, name): cells * rng.random((c, c)) for m in METHODS for name in CLASSES}
    fields = {
        "lesion": "GTV 1",
        "slice": 4,
        "place": "S 35.0 mm, slice 12 of 25",
        "slices": 9,
        "answers": True,
        "member": None,
        "members": 5,
        "feature_member": 0,
        "footer": "The verdict.\nModel: A model 1 (trained on SYNTHETIC lesions). Research use only.",
        "synthetic": True,
        "image": rng.random((size, size)).astype(np.float32),
        "mask": mask,
        "cells": cells,
        "reconstruction": rng.random((size, size)),
        "features": rng.random((features, c, c)),
        "masked": cells * rng.random((features, c, c)),
        "gradients": cells * rng.normal(size=(features, c, c)),
        "dead": np.zeros(features, bool),
        "weights": {(m, name): rng.normal(size=features) for m in METHODS[1:] for name in CLASSES},
        "maps": maps,
        "signed": cells * rng.normal(size=(c, c)),
        "logit": -0.4,
        "probability": 0.4,
        "spread": 0.07,
        "spacing_mm": (1.0, 1.0),
        "directions_lps": np.eye(3),
        "centre_ras": np.array([-12.0, 30.5, -4.0]),
    }
    return SliceInspection(**fields | changes)


def texts_of(figure):
    found = [*figure.texts, *(t for axes in figure.axes for t in [axes.title, axes._left_title, *axes.texts])]
    return [t for t in found if t.get_text()]


def words_of(figure):
    return "\n".join(t.get_text() for t in texts_of(figure))


def panels(figure, title):
    return [axes for axes in figure.axes if axes.get_title().startswith(title)]


def test_it_is_one_figure_of_the_size_of_a_dialog():
    figure = draw_inspection(opened())
    assert isinstance(figure, Figure)
    width, height = figure.get_size_inches() * figure.dpi
    assert 850 <= width <= 1000
    assert 650 <= height <= 800


def test_it_shows_input_reconstruction_features_gradients_and_six_maps():
    seen = opened()
    figure = draw_inspection(seen)
    np.testing.assert_array_equal(panels(figure, "input")[0].images[0].get_array(), seen.image)
    np.testing.assert_array_equal(panels(figure, "reconstruction")[0].images[0].get_array(), seen.reconstruction)
    for k in range(5):
        shown = panels(figure, f"Feature {k + 1}")[0].images[0].get_array()
        np.testing.assert_array_equal(shown[seen.cells], seen.masked[k][seen.cells])
        assert shown.mask[~seen.cells].all()
    for name in CLASSES:
        maps = [axes.images[1].get_array() for axes in panels(figure, name) if axes.get_title() == name]
        assert len(maps) == 3
        for method, shown in zip(METHODS, maps, strict=True):
            np.testing.assert_array_equal(shown[seen.mask], seen.patch_map(method, name)[seen.mask])
            assert shown.mask[~seen.mask].all()


def test_a_chosen_method_that_is_not_among_the_first_three_takes_the_place_of_the_last():
    seen = opened()
    seen.maps.update({("gradcam-relative", name): seen.cells * 0.5 for name in CLASSES})
    assert methods_to_draw(seen) == methods_to_draw(seen, "gradcam") == METHODS
    assert methods_to_draw(seen, "pixelwise-relative") == METHODS, "it was not computed"
    chosen = methods_to_draw(seen, "gradcam-relative")
    assert chosen == (*METHODS[:2], "gradcam-relative")
    titles = {text.get_text() for text in draw_inspection(seen, chosen).texts}
    assert "Grad-CAM, relative" in titles
    assert "Grad-CAM++" not in titles


def test_both_classes_of_a_method_share_one_scale_and_gradients_are_symmetric():
    seen = opened()
    figure = draw_inspection(seen)
    for name in CLASSES:
        tops = [axes.images[1].norm.vmax for axes in panels(figure, name) if axes.get_title() == name]
        assert tops == [seen.joint_maximum(method) for method in METHODS]
    limits = [(i.norm.vmin, i.norm.vmax) for axes in figure.axes for i in axes.images]
    reach = np.abs(seen.gradients).max()
    assert limits.count((-reach, reach)) == 6  # five panels and their colour bar
    assert limits.count((0, seen.masked.max())) == 6


def test_it_says_what_it_shows_and_where_the_model_comes_from():
    words = words_of(draw_inspection(opened()))
    for part in (
        "GTV 1",
        "S 35.0 mm, slice 12 of 25 (answers for the lesion)",
        "0.40 ± 0.07",
        "mean of 5 members",
        "64 x 64 mm",
        "The verdict.",
        "SYNTHETIC",
        "Research use only",
        "one scale for both classes",
        "member 1 of 5",
        "L 12.0, A 30.5, I 4.0 mm",
        "Pixel-wise CAM",
        "Grad-CAM++",
    ):
        assert part in words.replace("\n", " "), part


def test_orientation_letters_follow_the_patch():
    figure = draw_inspection(opened(directions_lps=np.array([[0.0, 0, 1], [1, 0, 0], [0, -1, 0]])))
    letters = [t.get_text() for t in panels(figure, "input")[0].texts]
    assert letters == ["A", "P", "S", "I"]


def test_dead_features_and_empty_maps_are_told():
    seen = opened(dead=np.array([False, True, False, False, False]))
    seen.maps["gradcam", "response"][:] = 0
    words = words_of(draw_inspection(seen))
    assert words.count("zero in\nthis lesion") == 1
    assert words.count("no evidence") == 1


@pytest.mark.parametrize(
    "seen",
    [
        opened(),
        opened(lesion="Metastasis $x_1$ of the left {frontal} lobe " * 4),
        opened(rows=slice(0, 1), columns=slice(63, 64)),
        opened(rows=slice(0, 64), columns=slice(0, 64)),
        opened(size=32, features=3, rows=slice(8, 12), columns=slice(8, 12)),
        opened(features=8, spacing_mm=(1.7, 1.7)),
        opened(dead=np.ones(5, bool), masked=np.zeros((5, 16, 16)), gradients=np.zeros((5, 16, 16))),
        opened(signed=np.zeros((16, 16)), logit=0.0, member=3, feature_member=3, spread=0.0),
    ],
    ids=["usual", "long name", "corner pixel", "whole patch", "small", "eight features", "all dead", "no evidence"],
)
def test_no_text_leaves_the_picture(seen):
    figure = draw_inspection(seen)
    figure.canvas.draw()
    width, height = figure.canvas.get_width_height()
    for text in texts_of(figure):
        box = text.get_window_extent()
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text


def test_the_close_up_stays_in_the_patch_and_holds_the_gtv():
    for rows, columns in ((slice(0, 1), slice(63, 64)), (slice(3, 60), slice(20, 30)), (slice(0, 64), slice(0, 64))):
        figure = draw_inspection(opened(rows=rows, columns=columns))
        axes = panels(figure, "Feature 1")[0]
        (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()[::-1]
        assert 0 <= left <= columns.start
        assert columns.stop <= right <= 64
        assert 0 <= low <= rows.start
        assert rows.stop <= high <= 64
        assert right - left == pytest.approx(high - low)


def test_methods_that_were_not_computed_are_left_out():
    seen = opened()
    only = replace(seen, maps={key: value for key, value in seen.maps.items() if key[0] == "gradcam"})
    words = words_of(draw_inspection(only))
    assert "Pixel-wise CAM" not in words
    assert "Grad-CAM" in words


def test_saving_gives_a_sharp_png_and_never_replaces_a_file_unasked(tmp_path):
    path = tmp_path / "slice.png"
    figure = save_inspection(opened(), path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert image.size == tuple(np.rint(figure.get_size_inches() * 200).astype(int))
    with pytest.raises(OutputError, match="exists already"):
        save_inspection(opened(), path)
    save_inspection(opened(), path, overwrite=True)
    assert [p.name for p in tmp_path.iterdir()] == ["slice.png"]


def test_bytes_are_a_png_of_the_figures_own_size():
    figure = draw_inspection(opened())
    assert png_bytes(figure).startswith(b"\x89PNG")


def test_drawing_does_not_touch_matplotlibs_global_state():
    module = "PulsarCAMLib.outputs.pictures.inspection"
    code = f"import sys, {module}; print(*({{'matplotlib.pyplot', 'torch'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []
