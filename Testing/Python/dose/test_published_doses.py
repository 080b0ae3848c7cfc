"""Doses that others have published: a breast boost (dicompyler-core) and an Eclipse prostate phantom (SlicerRT)."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.dose.histogram import Histogram
from PulsarCAMLib.dose.sampling import dose_at
from PulsarCAMLib.dose.solids import of_contours, of_voxels
from PulsarCAMLib.io.dose import read_dose, read_dose_file
from PulsarCAMLib.lesions.from_files import read_own_lesions


def test_heart_and_tumour_bed_of_a_breast_boost(shared_data):
    from PulsarCAMLib.io.dicom.structures import read_structures

    folder = shared_data / "dicom_rtdose_breast"
    file = read_dose_file(folder / "rtdose.dcm")
    assert file.fractions == 7  # of the plan beside it: 14 Gy
    contours = {each.number: each.contours for each in read_structures(folder / "rtss.dcm").structures}
    found = {}
    for number in ("5", "9"):
        solid = of_contours(contours[number], 3.0)
        found[number] = Histogram.of(dose_at(file.dose, file.geometry, solid.points), solid.mm3)
    heart, bed = found["5"], found["9"]
    assert heart.volume_mm3 / 1000 == pytest.approx(440.231, rel=0.005)
    assert heart.mean == pytest.approx(0.64753, abs=0.01)
    assert heart.most == pytest.approx(3.1, abs=0.1)
    assert bed.volume_mm3 / 1000 == pytest.approx(13.00, rel=0.03)
    assert bed.mean == pytest.approx(14.29, abs=0.03)
    assert bed.most == pytest.approx(14.56, abs=0.05)


def test_an_eclipse_phantom_as_slicerrt_found_it(shared_data):
    folder = shared_data / "slicerrt_dose_seg"
    dose, grid = read_dose(folder / "EclipseProstate_Dose.nrrd")
    with (folder / "EclipseProstate_DvhMetrics_SlicerRT.csv").open(encoding="utf-8") as file:
        published = {row["Structure"]: row for row in csv.DictReader(file)}
    masks = {}
    for part in ("Union", "Subtract", "Intersect"):
        own, (lesion, *_), _ = read_own_lesions(folder / f"EclipseProstate_Bladder_{part}_PTV.seg.nrrd")
        masks[part] = own, lesion
    low = np.min([own.to_lps((0, 0, 0)) for own, _ in masks.values()], axis=0)
    union = masks["Union"][0]
    frame = VolumeGeometry((120, 200, 200), union.spacing, tuple(low), union.direction)
    whole = {}
    for part, (own, lesion) in masks.items():
        whole[part] = np.zeros(frame.shape, bool)
        at = np.rint(frame.to_ijk(own.to_lps((np.argwhere(lesion.mask) + lesion.offset)[:, ::-1]))).astype(int)
        whole[part][tuple(at[:, ::-1].T)] = True
    regions = {"PTV": whole["Union"] & ~whole["Subtract"], "Bladder": whole["Subtract"] | whole["Intersect"]}
    for name, mask in regions.items():
        known = {key: float(value) for key, value in published[name].items() if key != "Structure"}
        solid = of_voxels(Lesion.from_mask(name, mask), frame)
        found = Histogram.of(dose_at(dose, grid, solid.points), solid.mm3)
        assert found.mean == pytest.approx(known["Mean dose (GY)"], abs=0.015)
        assert found.most == pytest.approx(known["Max dose (GY)"], abs=0.1)
        # SlicerRT reads these off a histogram with bins of 0.2 Gy.
        assert found.d(5) == pytest.approx(known["D5% (GY)"], abs=0.1)
        assert found.d(10) == pytest.approx(known["D10% (GY)"], abs=0.1)
        assert found.v(20) == 1
