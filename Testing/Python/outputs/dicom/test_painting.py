"""A dose painting as DICOM: the dose is read back, everything says what it is not, and no boost is a target."""

import numpy as np
import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

from making_dicom_objects import a_maker, a_source, some_regions
from making_files import OBLIQUE

from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.io.dose import read_dose
from PulsarCAMLib.outputs.dicom.painting import of_painting
from PulsarCAMLib.outputs.dicom.structure_set import structure_set_of
from PulsarCAMLib.painting.paint import PaintedLesion, Painting
from PulsarCAMLib.painting.settings import LABEL, PaintingSettings


def a_painting():
    region = some_regions()[0]
    dose = np.where(region.mask, 12 + 8 * np.random.default_rng(0).random(region.mask.shape), 0)
    lesion = PaintedLesion(region.name, region, dose, dose * 0, region, {})
    settings = PaintingSettings("sigmoid", 12.0, 20.0)
    return Painting(settings, "gradcam", "non-response", Threshold(), OBLIQUE, (lesion,), [])


def test_the_prescription_is_read_back_and_says_that_it_is_no_plan(tmp_path):
    source = a_source(tmp_path / "mri")[0]
    painting = a_painting()
    made, boosts = of_painting(painting, source, a_maker())
    assert "not a plan" in made.DoseComment
    assert "sigmoid (midpoint 0.5" in made.ImageComments
    made.save_as(tmp_path / "dose.dcm", enforce_file_format=True)
    dose, place = read_dose(tmp_path / "dose.dcm")
    k, j, i = np.indices(OBLIQUE.shape)
    at = np.rint(place.to_ijk(OBLIQUE.to_lps(np.stack([i, j, k], -1)))).astype(int)
    assert dose[tuple(np.moveaxis(at[..., ::-1], -1, 0))] == pytest.approx(painting.prescription, abs=1e-5)
    structures = structure_set_of(boosts, source, a_maker())
    (roi,) = structures.StructureSetROISequence
    assert roi.ROIName.endswith(f"boost, {LABEL}")
    assert len(roi.ROIName.encode()) <= 64
    assert LABEL in roi.ROIDescription
    assert roi.ROIGenerationAlgorithm == "AUTOMATIC"
    assert structures.RTROIObservationsSequence[0].RTROIInterpretedType == ""
