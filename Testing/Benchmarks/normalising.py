"""What each way of normalising, with and without the surroundings, is worth where the tissue outside decides.

    python Testing/Benchmarks/normalising.py --patients 40 --tested 30 --epochs 30 --members 1
    python Testing/Benchmarks/normalising.py --no-networks --tested 20

Two cohorts of generated patients: in the usual one texture inside the contour decides; in the other nothing inside
does, and a shell of 1 to 8 mm around the lesions that do not respond is brighter. A network that sees the inside alone
has an AUC of 0.5 there. Other patients are answered than were learnt from. Training settings are the paper's. How much
of the outside the normalisation itself carries in is told by the mean intensity inside, without any network.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from PulsarCAMLib.cohort.synthetic.patients import SyntheticPatient, generate_patient
from PulsarCAMLib.cohort.synthetic.settings import CohortSettings
from PulsarCAMLib.core.case import Case, Image
from PulsarCAMLib.core.lesion import Lesion
from PulsarCAMLib.evaluation.discrimination import discrimination
from PulsarCAMLib.lesions.distances import depth_of
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.bundle import load_bundle, save_bundle
from PulsarCAMLib.systems.contract import LabelledUnit
from PulsarCAMLib.training.members import train_members
from PulsarCAMLib.training.units.samples import collect_samples
from PulsarCAMLib.trust.known_tissue.map_scores import SLICE
from PulsarCAMLib.trust.known_tissue.synthetic_scores import score_patient

USUAL, OUTSIDE = "texture inside", "shell outside"
RULES = {USUAL: "easy", OUTSIDE: "none"}
"""Rule to the difficulty of its patients."""

SETTINGS = tuple(product(("crop", "gtv", "head"), ("kept", "constant")))
SHELL_MM, BRIGHTER = (1.0, 8.0), 1.35
MAPS = ("pixelwise", "gradcam", "gradcam++")
LEARN_SEED, TEST_SEED = 5101, 5102

CARD = {
    "name": "normalising", "title": "Ways of normalising", "version": "1", "synthetic": True,
    "response": {"definition": "volume at follow-up below 80 % of baseline", "shrinkage_threshold": 0.8},
    "decision": {"threshold": 0.5, "temperature": 1.0}, "training": {"data": "synthetic"}, "performance": {},
    "intended_use": "measurement", "licence": "Apache-2.0",
}  # fmt: skip


def patients(rule: str, count: int, seed: int) -> Iterator[SyntheticPatient]:
    """Of a rule, one after the other."""
    settings = CohortSettings(patients=count, seed=seed, difficulty=RULES[rule])
    for number in range(count):
        patient = generate_patient(settings, number, images=("baseline",))
        yield patient if rule == USUAL else with_shells(patient)


def with_shells(patient: SyntheticPatient) -> SyntheticPatient:
    """The surroundings of lesions that do not respond, brighter; no voxel of any lesion is changed."""
    scan = patient.scans["baseline"]
    image = scan.image.astype(np.float32)
    for lesion in patient.lesions:
        if lesion.response == 0:
            far = -depth_of(scan.mask(lesion.label), scan.geometry.spacing[::-1])
            shell = (far >= SHELL_MM[0]) & (far <= SHELL_MM[1]) & (scan.lesions == 0)
            image[shell] *= BRIGHTER
    changed = replace(scan, image=np.rint(image).astype(scan.image.dtype))
    return replace(patient, scans={**patient.scans, "baseline": changed})


def units(given: list[SyntheticPatient]) -> Iterator[LabelledUnit]:
    """Every lesion."""
    for patient in given:
        scan = patient.scans["baseline"]
        for lesion in patient.lesions:
            cut = Lesion.from_mask(lesion.name, scan.mask(lesion.label))
            case = Case({"t1c": Image(scan.image, scan.geometry)}, (cut,), "t1c")
            yield LabelledUnit(patient.name, case, lesion.name, lesion.response)


def preprocessing_of(way: tuple[str, str], edges: str) -> Preprocessing:
    """Of one row of the table."""
    return Preprocessing(normalise=way[0], outside=way[1], mask_edges=edges)


def told_by_mean(asked: list, way: tuple[str, str], edges: str) -> str:
    """AUC of the mean normalised intensity inside the contour alone, whichever way it points."""
    own = AUTOENCODER.training_settings(preprocessing=preprocessing_of(way, edges))
    samples = collect_samples(units(asked), AUTOENCODER, own, only_original=True)
    means = AUTOENCODER.control_column("mean-only", samples.images, samples.masks)
    positive = samples.labels == 1
    above = means[positive][:, None] - means[~positive]
    auc = float(((above > 0) + 0.5 * (above == 0)).mean())
    return f"{max(auc, 1 - auc):.3f}"


def measured(rule: str, known: list, asked: list, way: tuple[str, str], options: argparse.Namespace) -> list[str]:
    """Cells of one row: AUC with interval, and the median AUROC of every map on the answering slices."""
    own = AUTOENCODER.training_settings(
        preprocessing=preprocessing_of(way, options.mask_edges), epochs=options.epochs, threads=1
    )
    samples = collect_samples(units(known), AUTOENCODER, own)
    with tempfile.TemporaryDirectory() as folder:
        seeds = [own.with_seed(seed) for seed in range(1, options.members + 1)]
        trained = train_members(samples, None, seeds, Path(folder) / "run")
        fields = CARD | {"preprocessing": own.preprocessing.to_card()}
        save_bundle(Path(folder) / "bundle", [each.model() for each in trained], fields)
        bundle = load_bundle(Path(folder) / "bundle")
        rows = [row for patient in asked for row in score_patient(bundle, patient, with_maps=rule == USUAL)]
    labels, p = np.array([row.response for row in rows]), np.array([row.probability for row in rows])
    whose = np.unique([row.patient for row in rows], return_inverse=True)[1]
    auc = discrimination(labels, p, whose, resamples=1000)
    cells = [f"{auc.auc:.3f} ({auc.low:.3f} to {auc.high:.3f})"]
    for name in MAPS:
        found = [
            each.auroc for row in rows for (space, key), each in row.maps.items() if key == name and space == SLICE
        ]
        cells.append(f"{np.nanmedian(found):.3f}" if found else "–")
    return cells


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patients", type=int, default=40, help="learnt from (%(default)s)")
    parser.add_argument("--tested", type=int, default=30, help="answered (%(default)s)")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--members", type=int, default=1)
    parser.add_argument("--mask-edges", default="shares", choices=("shares", "sharp"))
    parser.add_argument("--no-networks", action="store_true", help="the mean intensity alone: seconds a patient")
    parser.add_argument("--rules", default=f"{USUAL},{OUTSIDE}")
    options = parser.parse_args()
    networks = () if options.no_networks else ("AUC, unseen patients", *MAPS)
    heads = ("what decides", "`--normalise`", "`--outside`", "AUC of the mean inside", *networks)
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|", flush=True)
    for rule in options.rules.split(","):
        known = [] if options.no_networks else list(patients(rule, options.patients, LEARN_SEED))
        asked = list(patients(rule, options.tested, TEST_SEED))
        for way in SETTINGS:
            cells = [] if options.no_networks else measured(rule, known, asked, way, options)
            print(
                "| " + " | ".join([rule, *way, told_by_mean(asked, way, options.mask_edges), *cells]) + " |", flush=True
            )


if __name__ == "__main__":
    main()
