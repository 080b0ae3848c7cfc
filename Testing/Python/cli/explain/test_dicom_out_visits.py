"""``--dicom-out`` of systems that look at several whole images: what can be written is, what cannot is said before."""

from __future__ import annotations

import pytest

pytest.importorskip("highdicom", reason="highdicom (extra dicom) is not installed")

import numpy as np
import pydicom
import torch
from making_dicom_objects import valid
from making_files import PLAIN, a_volume, files_in, written
from making_models import CARD_FIELDS
from making_structures import a_series

from PulsarCAMLib.core.inputs import DOSE, MRI
from PulsarCAMLib.core.task import PATIENT
from PulsarCAMLib.core.vocabulary import BASELINE
from PulsarCAMLib.io.dicom.files import quiet
from PulsarCAMLib.systems.bundles.bundle import save_bundle
from PulsarCAMLib.systems.registry import systems

SMALL = PLAIN.cropped((0, 0, 0), (8, 20, 18))
SIZES = {"widths": (2, 2, 4, 4), "blocks": (1, 1, 1, 1)}


def a_system(unit):
    return next(each for each in systems() if each.task.unit == unit)


def a_model(folder, unit):
    system = a_system(unit)
    preprocessing = system.preprocessing(size=(8, 20, 18), spacing=(1.0, 1.0, 2.0), registration="none", brain="none")
    torch.manual_seed(0)
    sizes = system.architecture(**SIZES)
    member = system.network(sizes, preprocessing).eval()
    fields = {key: value for key, value in CARD_FIELDS.items() if key != "response"}
    fields |= {"preprocessing": preprocessing.to_card(), "architecture": sizes.to_card()}
    save_bundle(folder / "model", [member], fields)
    return folder / "model"


def a_day(folder, name, day, seed):
    """An MRI as a DICOM series in a study of its day."""

    def whose(data, n):
        valid(data, n)
        data.StudyInstanceUID, data.FrameOfReferenceUID, data.StudyDate = f"1.2.{day}", f"1.3.{day}", f"2026030{day}"

    return a_series(folder / name, a_volume(SMALL, seed=seed), SMALL, f"1.2.3.{day}.{seed}", whose)


def inputs_of(folder, unit):
    """The first MRI, and options with the others: images of both time points, a dose as NRRD."""
    first, *others = [role for role in a_system(unit).inputs if role.kind in (MRI, DOSE)]
    options = []
    for seed, role in enumerate(others, start=2):
        if role.kind == DOSE:
            dose = np.random.default_rng(0).uniform(1, 60, SMALL.shape).astype(np.float32)
            options += [f"--{role.name}", written(folder / "dose.nrrd", dose, SMALL)]
        elif role.needed or unit == PATIENT:
            day = 2 if role.time_point == BASELINE else 1
            options += [f"--{role.name}", a_day(folder, role.name, day, seed)]
    return a_day(folder, first.name, 2, 1), options


def test_maps_segments_and_classes_are_written_of_the_patient(tmp_path, pulsarcam):
    unit = PATIENT
    volume, options = inputs_of(tmp_path, unit)
    common = (
        "explain",
        volume,
        *options,
        "--model",
        a_model(tmp_path, unit),
        "--no-pictures",
        "--dicom-out",
        "--no-stability",
    )
    code, _, err = pulsarcam(*common, "-o", tmp_path / "out", "--method", "gradcam", "--quiet")
    assert code == 0, err
    names = [name for name in files_in(tmp_path / "out") if name.startswith("dicom/")]
    target = a_system(unit).task.explained
    assert {f"dicom/gradcam_{target}_mean_pm.dcm", "dicom/report_sr.dcm", f"dicom/{unit}_seg.dcm"} <= set(names)
    with quiet():
        made = {name: pydicom.dcmread(tmp_path / "out" / name) for name in names}
    assert {each.StudyInstanceUID for each in made.values()} == {"1.2.2"}
    report = str(made["dicom/report_sr.dcm"])
    assert all(name in report for name in a_system(unit).task.told)
    assert "predicted" in report
    structures = made["dicom/structures.dcm"]  # what the model saw is no target
    assert [each.ROIName for each in structures.StructureSetROISequence] == [f"{unit} activated"]
    assert not any(each.RTROIInterpretedType for each in structures.RTROIObservationsSequence)


def test_a_map_of_an_input_that_is_no_dicom_is_refused_before_anything_is_computed(tmp_path, pulsarcam):
    volume, options = inputs_of(tmp_path, PATIENT)
    model = a_model(tmp_path, PATIENT)
    out = tmp_path / "out"
    dose = next(role.name for role in a_system(PATIENT).inputs if role.kind == DOSE)
    more = ("--no-pictures", "--quiet", "--method", "integrated-gradients", "--input", dose, "--dicom-out")
    code, _, err = pulsarcam("explain", volume, *options, "--model", model, "-o", out, *more)
    assert code == 3
    assert f"the {dose} is none (or its slices do not say their UIDs)" in err
    assert not out.exists()
