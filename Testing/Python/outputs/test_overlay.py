"""Overlay pictures: orientation, scale, what is where."""

from dataclasses import replace

import numpy as np
import pytest
from making_files import OBLIQUE, PLAIN, a_volume, two_boxes
from making_models import CARD_FIELDS, random_members

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.outputs.pictures.answers import draw_class_bars
from PulsarCAMLib.outputs.pictures.canvas import Canvas, ticks
from PulsarCAMLib.outputs.pictures.colors import heat_colors, heat_table, signed_table
from PulsarCAMLib.outputs.pictures.content import PIXELS, ClassBars, display_grid, edge_letters, picture_of
from PulsarCAMLib.outputs.pictures.drawing import save_picture
from PulsarCAMLib.outputs.pictures.overlay import CONTOUR, draw
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED
from PulsarCAMLib.systems.bundles.bundle import save_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return save_bundle(tmp_path_factory.mktemp("models") / "random", random_members(), CARD_FIELDS)


def scan(bundle, geometry=PLAIN, volume=None, names=None):
    volume = a_volume(geometry) if volume is None else volume
    lesions, _ = lesions_from_labels(two_boxes(geometry, second=2), names or {1: "Left", 2: "Right"})
    return explain_scan(volume, geometry, lesions, bundle), volume


def test_letters_stand_where_the_axes_run_to():
    assert edge_letters(np.eye(3)) == ("R", "L", "A", "P")
    coronal = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]).T
    assert edge_letters(coronal) == ("R", "L", "S", "I")
    turned = np.array([[np.cos(0.6), np.sin(0.6), 0], [-np.sin(0.6), np.cos(0.6), 0], [0, 0, 1]]).T
    assert edge_letters(turned)[1] == "LP"


@pytest.mark.parametrize("geometry", [PLAIN, OBLIQUE, VolumeGeometry(PLAIN.shape, PLAIN.spacing, PLAIN.origin,
                                                                    np.diag([1.0, -1, 1]))])  # fmt: skip
def test_the_displayed_slice_is_the_answering_slice_in_display_orientation(bundle, geometry):
    result, _ = scan(bundle, geometry)
    lesion = result.lesions[0]
    grid = display_grid(lesion, geometry)
    axes = np.asarray(grid.direction)
    np.testing.assert_allclose(axes, lesion.samples.grid.direction)
    centre = grid.to_lps([(PIXELS - 1) / 2, (PIXELS - 1) / 2, 0])
    assert geometry.to_ijk(centre)[2] == pytest.approx(
        geometry.to_ijk(lesion.samples.centres_lps()[lesion.main])[2], abs=1e-6
    )


def test_a_mark_in_the_mri_is_displayed_where_it_lies(bundle):
    volume = np.zeros(PLAIN.shape, np.int16)
    result, _ = scan(bundle, volume=a_volume(PLAIN))
    lesion = result.lesions[0]
    k = round(float(PLAIN.to_ijk(lesion.samples.centres_lps()[lesion.main])[2]))
    volume[k, 20, 12] = 1000
    picture = picture_of(result, lesion, volume, "pixelwise", "non-response")
    rows, columns = np.nonzero(picture.grey > 0.5 * picture.grey.max())
    found = display_grid(lesion, PLAIN).to_lps([columns.mean(), rows.mean(), 0])
    np.testing.assert_allclose(found, PLAIN.to_lps([12, 20, k]), atol=0.3)


def test_heat_is_zero_outside_the_contour_and_equals_the_written_map_inside(bundle):
    result, volume = scan(bundle, OBLIQUE)
    lesion = result.lesions[0]
    picture = picture_of(result, lesion, volume, "pixelwise", "response")
    heat = next(iter(picture.maps.values()))
    assert not heat[picture.mask < 0.5].any()
    written = result.heat_map("pixelwise", "response")
    grid = display_grid(lesion, OBLIQUE)
    middle = PIXELS // 2
    k, j, i = np.rint(OBLIQUE.to_ijk(grid.to_lps([middle, middle, 0]))[::-1]).astype(int)
    at = np.rint(grid.to_ijk(OBLIQUE.to_lps([i, j, k]))).astype(int)
    assert heat[at[1], at[0]] == pytest.approx(written[k, j, i], abs=0.05 * picture.top)


def test_both_classes_share_one_scale_and_the_title_says_it_all(bundle):
    result, volume = scan(bundle)
    picture = picture_of(result, result.lesions[1], volume, "gradcam", "predicted")
    predicted = result.lesions[1].predicted_class
    assert next(iter(picture.maps)) == f"Evidence for {predicted}"
    assert len(picture.maps) == 2
    assert max(m.max() for m in picture.maps.values()) <= picture.top * 1.0001
    assert picture.title == "Right"
    assert f"{result.lesions[1].probability:.2f} ± " in picture.subtitle
    assert "SYNTHETIC" in picture.footer
    assert "Research use only" in picture.footer


def test_zero_is_clear_and_the_colours_grow_brighter(tmp_path):
    colors = heat_colors()(np.linspace(0, 1, 256))
    assert colors[0, 3] == 0
    brightness = colors[:, :3] @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(brightness) > -1e-3).all()
    assert signed_table()[127:129, 3].max() < 5


@pytest.mark.parametrize("method", ["pixelwise", "gradcam++", SIGNED])
def test_a_picture_is_drawn_for_every_kind_of_map_and_any_name(tmp_path, bundle, method):
    result, volume = scan(bundle, names={1: "cost $5_x$ {\\alpha} ü 病" + "x" * 90, 2: "b"})
    picture = picture_of(result, result.lesions[0], volume, method, "non-response", "lesion")
    save_picture(picture, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes()[:4] == b"\x89PNG"
    texts = draw(picture).texts
    assert texts[0].startswith("cost $5_x$")
    assert texts[0].endswith("…")


def test_a_constant_image_and_a_lesion_of_one_voxel_are_drawn(tmp_path, bundle):
    labels = np.zeros(PLAIN.shape, np.uint8)
    labels[0, 0, 0] = 1
    lesions, _ = lesions_from_labels(labels)
    volume = np.full(PLAIN.shape, 7, np.int16)
    result = explain_scan(volume, PLAIN, lesions, bundle)
    save_picture(picture_of(result, result.lesions[0], volume, "pixelwise", "non-response"), tmp_path / "p.png")
    assert (tmp_path / "p.png").stat().st_size > 1000


@pytest.mark.parametrize(("spread", "label"), [(0.0, "probability"), (0.1, "probability ± spread")])
def test_one_member_has_no_spread_that_would_look_like_certainty(spread, label):
    canvas = Canvas((4, 2), 100)
    draw_class_bars(
        canvas, (0.2, 0.3, 0.7, 0.6), ClassBars(("a", "b"), ("red", "blue"), np.array([0.2, 0.8]), np.full(2, spread))
    )
    assert label in canvas.texts
    red = (canvas.pixels() == (255, 0, 0)).all(axis=-1)
    rows, columns = np.nonzero(red)
    assert np.ptp(columns) + 1 == pytest.approx(0.2 / 1.02 * 280, abs=1.1)
    beyond = canvas.pixels()[rows.min() + 4 : rows.max() - 3, columns.max() + 3 : columns.max() + 20]
    assert (beyond.max() > 200) == (spread > 0)  # the bar of the spread


def test_panels_show_image_map_and_contour_where_they_lie(bundle):
    """Read from the drawn pixels: the map's colour where the map is, grey elsewhere, a line on the border."""
    result, volume = scan(bundle)
    picture = picture_of(result, result.lesions[0], volume, "pixelwise", "non-response")
    heading = next(iter(picture.maps))
    inside = np.zeros((PIXELS, PIXELS), bool)
    inside[60:120, 100:220] = True
    hot = np.where(inside, 1.0, 0.0)
    hot[:, 160:] *= 0.5
    maps = {heading: hot, **dict.fromkeys(list(picture.maps)[1:], np.zeros_like(hot))}
    shown = replace(picture, grey=np.full_like(hot, 0.4), mask=inside.astype(float), maps=maps, top=1.0)
    canvas = draw(shown)
    panel = canvas.frame((0.02, 0.065, 0.4529, 0.78))

    def at(row, column, frame=panel):
        x, y = np.rint(frame.at((column + 0.5) / PIXELS, 1 - (row + 0.5) / PIXELS)).astype(int)
        return canvas.pixels()[y, x].astype(int)

    grey = 0.4 * 255
    for column, value in ((130, 1.0), (190, 0.5)):
        red, green, blue, alpha = heat_table()[min(int(value * 256), 255)] / 255.0
        expected = [255 * alpha * c + (1 - alpha) * grey for c in (red, green, blue)]
        np.testing.assert_allclose(at(90, column), expected, atol=3)
    np.testing.assert_allclose(at(150, 130), grey, atol=2)
    np.testing.assert_allclose(at(90, 60), grey, atol=2)
    line = np.array([int(CONTOUR[n : n + 2], 16) for n in (1, 3, 5)])
    window = [at(row, 130) for row in np.linspace(57, 62, 41)]
    assert min(np.abs(pixel - line).max() for pixel in window) < 60
    assert "no evidence on this slice" in canvas.texts


@pytest.mark.parametrize(
    ("low", "high", "written"),
    [
        (0.0, 1.0, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-0.3, 0.3, ["-0.3", "-0.2", "-0.1", "0.0", "0.1", "0.2", "0.3"]),
        (0.0, 0.003, ["0.0000", "0.0005", "0.0010", "0.0015", "0.0020", "0.0025", "0.0030"]),
        (0.0, 5200.0, ["0", "1000", "2000", "3000", "4000", "5000"]),
        (0.0, 3e-9, ["0.0e+00", "5.0e-10", "1.0e-09", "1.5e-09", "2.0e-09", "2.5e-09", "3.0e-09"]),
        (0.0, 0.0, []),
        (0.0, float("nan"), []),
    ],
)
def test_ticks_are_round_numbers(low, high, written):
    assert ticks(low, high, 8)[1] == written


def test_slices_have_whole_numbers():
    numbers, written = ticks(2.2, 6.9, 9, whole=True)
    assert written == ["3", "4", "5", "6"]
    assert numbers == [3, 4, 5, 6]
