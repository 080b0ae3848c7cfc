"""By how much answers of the shipped model move by half a voxel, or by a header that is a little off.

    python Testing/Benchmarks/stability.py --patients 20 --images ../shared/data

Rules of the lattice and of masks, the same members: on unseen synthetic patients and, where they are present, on real
images (which no answer of this model means anything for; they show how much it hangs on how they are drawn and stored).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PulsarCAMLib.cli.evaluate_demo import TEST_SEED
from PulsarCAMLib.cohort.synthetic.patients import generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.explanation.explain import explain_case
from PulsarCAMLib.explanation.perturbing import stability_of
from PulsarCAMLib.lesions.from_labels import lesions_from_labels
from PulsarCAMLib.lesions.perturbing import around
from PulsarCAMLib.systems.bundles.bundle import ModelBundle, find_bundle

RULES = {
    "as before": {"lattice": "as-before", "mask_edges": "sharp"},
    "by index": {"lattice": "by-index", "mask_edges": "sharp"},
    "by index, shares": {"lattice": "by-index", "mask_edges": "shares"},
}
NUDGES_MM = (1e-7, 1e-3)
REAL = {
    "t1c_brain1": ("brain1_image.nrrd", "brain1_label.nrrd", None),
    "brats_gli_00001": ("t1c.nii.gz", "seg-BraTS23_1.nii.gz", [3]),
    "tcga_fg_6692": ("OtherEXampleFromTCIA_t1c_bet.nii.gz", "mav.nii.gz", [4]),
    "dicom_mr_rtstruct/STS_008": ("MR_T1_image.nii.gz", "MR_T1_mask.nii.gz", None),
    "dicom_mr_rtstruct/STS_042": ("MR_T1_image.nii.gz", "MR_T1_mask.nii.gz", None),
}
"""Folder: image, mask, its values (None: all). Every part with at least :data:`LEAST_VOXELS` is a lesion."""

LEAST_VOXELS = 30


def models(name: str) -> dict[str, ModelBundle]:
    """The same members behind cards of all rules."""
    found = find_bundle(name)
    cards = {rule: replace(found.card.preprocessing, **each).to_card() for rule, each in RULES.items()}
    kind = type(found.card)
    return {
        rule: replace(found, card=kind.from_fields(dict(found.card.fields) | {"preprocessing": card}))
        for rule, card in cards.items()
    }


def synthetic(patients: int, seed: int) -> Iterator[tuple[str, Case]]:
    """Unseen patients."""
    settings = CohortSettings(patients=patients, seed=seed)
    for number in range(patients):
        patient = generate_patient(settings, number, images=("baseline",))
        scan = patient.scans["baseline"]
        lesions = tuple(Lesion.from_mask(each.name, scan.mask(each.label)) for each in patient.lesions)
        yield f"patient {number + 1}", Case({"t1c": Image(scan.image, scan.geometry)}, lesions, "t1c")


def real(folder: Path) -> Iterator[tuple[str, Case]]:
    """Those of the real images that are there."""
    import SimpleITK as sitk

    for name, (image, mask, values) in REAL.items():
        if not (folder / name / image).exists():
            continue
        mri, labels = (sitk.ReadImage(str(folder / name / each)) for each in (image, mask))
        labels = sitk.Resample(labels, mri, sitk.Transform(), sitk.sitkNearestNeighbor)
        found, _ = lesions_from_labels(sitk.GetArrayFromImage(labels), values=values, parts="separate")
        lesions = tuple(each for each in found if each.voxels >= LEAST_VOXELS)
        place = VolumeGeometry.from_sitk(mri)
        yield name, Case({"t1c": Image(sitk.GetArrayFromImage(mri), place)}, lesions, "t1c")


def nudged(case: Case) -> Iterator[tuple[str, Case]]:
    """The same with a spacing that is a little off within the slices."""
    image = case.reference_image
    for mm in NUDGES_MM:
        i, j, k = image.geometry.spacing
        other = replace(image, geometry=replace(image.geometry, spacing=(i + mm, j + mm, k)))
        yield f"spacing {mm:g} mm off", replace(case, images={case.reference: other})


def moved(cases: Iterator[tuple[str, Case]], bundles: dict[str, ModelBundle], tell=print) -> dict[str, dict[str, list]]:
    """Rule and way to what every lesion did: change of p, whether the class changed, and by how far the map moved."""
    found: dict[str, dict[str, list]] = {rule: {} for rule in bundles}
    for name, case in cases:
        for rule, bundle in bundles.items():
            system = bundle.card.system
            for unit in explain_case(case, bundle).units:
                alone = around(case, unit.lesion, system.reach_mm(bundle.card.preprocessing))
                changes = [*nudged(alone), *system.perturbed(alone)]
                asked = stability_of(unit, alone, bundle, lambda _text: None, changes)
                for way, p, kept, mm in zip(asked.ways, asked.probabilities, asked.kept, asked.moved_mm, strict=True):
                    found[rule].setdefault(way, []).append((abs(p - unit.probability), not kept, mm))
                spread = asked.ways.index("contour half a voxel larger")
                values = [unit.probability, *asked.probabilities[spread:]]
                flips = bool((~asked.kept[spread:]).any())
                found[rule].setdefault("any of these", []).append(
                    (max(values) - min(values), flips, asked.centre_moves_mm)
                )
        tell(f"{name}: {len(case.lesions)} lesions", file=sys.stderr)
    return found


def table(found: dict[str, dict[str, list]]) -> str:
    """Markdown: for each way, median, 95th percentile and maximum of the change, and classes that changed."""
    heads = [f"{rule}: {what}" for rule in found for what in ("median", "95 %", "most", "class changes")]
    lines = ["| | " + " | ".join([*heads, "map moves, mm (shares, median)"]) + " |", "|---" * (len(heads) + 2) + "|"]
    for way in found[next(iter(RULES))]:
        cells = []
        for rule in found:
            change = np.array([row[0] for row in found[rule][way]])
            flips = sum(row[1] for row in found[rule][way])
            cells += [*(f"{value:.4f}" for value in (np.median(change), np.percentile(change, 95), change.max()))]
            cells.append(f"{flips} of {len(change)}")
        mm = np.array([row[2] for row in found[list(RULES)[-1]][way]])
        cells.append(f"{np.nanmedian(mm):.2f}")
        lines.append(f"| {way} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="synthetic-demo")
    parser.add_argument("--patients", type=int, default=20)
    parser.add_argument("--seed", type=int, default=TEST_SEED)
    parser.add_argument("--images", type=Path, help="folder of real images")
    options = parser.parse_args()
    bundles = models(options.model)
    print(f"{options.patients} synthetic patients, seed {options.seed}: change of p\n")
    print(table(moved(synthetic(options.patients, options.seed), bundles)), flush=True)
    if options.images:
        print("\nReal images: change of p\n")
        print(table(moved(real(options.images), bundles)))


if __name__ == "__main__":
    main()
