"""Records what the command line puts out, so that two commits can be compared (``compare_outputs.py``)::

    python Testing/record_outputs.py OUT                      # of the checkout this script lies in
    python Testing/record_outputs.py OUT --checkout OTHER     # of another one
    python Testing/record_outputs.py --compare OLD NEW [--renames FILE]

Only the outside is used, ``python -m PulsarCAMLib.cli``, so that the script outlives every move inside. Seeds, threads
and jobs are fixed. Everything runs in OUT with relative paths; what a command said and its exit code is in OUT/said.
The real images come from ``--shared`` (``../shared`` beside the checkout); without them only the synthetic part is
recorded.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import compare_outputs

ROOT = Path(__file__).resolve().parents[1]
ALL_METHODS = "--method all --method gradcam++-sigmoid --method pixelwise-signed"
TINY = "--device cpu --jobs 1 --quiet"
JUDGED = f"--trials 2 --controls 1 {TINY}"
QUICK = "--threads 1 --no-pictures"

SYNTHETIC = {
    "cohort": """
        cohort-columns: cohort columns
        cohort-make: cohort make-synthetic -o cohort --patients 12 --lesions 1 2 --second-mri --dose --clinical --seed 4
        cohort-hard: cohort make-synthetic -o cohort-hard --patients 2 --difficulty hard --seed 9 --quiet
        cohort-check: cohort check cohort/cohort.csv --quiet
        cohort-check-half: cohort check cohort/cohort.csv --shrinkage 0.5 --no-images -o findings.csv
        features-all: features cohort-few.csv -o features-few.csv --delta --jobs 1
        features: features cohort/cohort.csv -o features.csv --settings quick.json --jobs 1 --quiet
        agreement: agreement cohort/cohort.csv -o agreement --features features.csv --threads 1
        agreement-second: agreement cohort/cohort.csv -o agreement-second --method gradcam++ --class predicted
          --outcome margin_concentration --time-point second --features features.csv --margin-mm 1 --threads 1
    """,
    "demo": f"""
        models: models
        models-json: models --json
        bundle-show: bundle show synthetic-demo
        bundle-json: bundle show synthetic-demo --json
        bundle-check: bundle check synthetic-demo
        bundle-missing: bundle check no-such-model
        demo: demo -o demo --threads 1
        all: explain demo/scan/mri.nrrd demo/scan/lesions.seg.nrrd -o all {ALL_METHODS} --class both --compare --report
          --scene --threads 1
        lesion: explain demo/scan/mri.nrrd demo/scan/lesions.seg.nrrd -o lesion --segments Lesion\\ 1,Lesion\\ 3
          --normalisation lesion --threshold percentile:90 --class predicted --method gradcam --margin-mm 1 {QUICK}
        scan: explain demo/scan/mri.nrrd demo/scan/lesions.seg.nrrd -o scan --normalisation scan --class both
          --threshold value:0.05 --method all --compare --sigma-mm 2 --shell-mm 2 --parts separate --report {QUICK}
        fraction: explain demo/scan/mri.nrrd demo/scan/lesions.seg.nrrd -o fraction --threshold fraction:0.25
          --class response --method gradcam++ --parts together {QUICK}
        usage: explain demo/scan/mri.nrrd
        sanity: sanity synthetic-demo --patients 5 --draws 2 --resamples 50 --label-control 1 --label-epochs 1
          -o sanity.json -o sanity.csv -o sanity.md --threads 1
        sanity-mean: sanity synthetic-demo --patients 3 --draws 1 --resamples 20 --infill mean --seed 5 --threads 1
    """,
    "study": f"""
        wait: cohort-make
        study: study cohort/cohort.csv -o study --protocols paper,lesions,patients --paper-trials 2 --epochs 3
          --models cam,radiomics,gradients --feature-settings quick.json {JUDGED}
        evaluate: evaluate study -o evaluated
        evaluate-json: evaluate study -o evaluated-json --json --quiet
        study-tuned: study cohort/cohort.csv -o study-tuned --protocols patients --threshold inner --inner-folds 2
          --tune filters=4,8 --epochs 1 --models cam,gradients+dose+clinical+delta --study-seed 3 --shrinkage 0.3
          {JUDGED}
    """,
    "train": f"""
        wait: cohort-make
        train: train cohort/cohort.csv -o model --members 2 --epochs 2 --protocols patients {JUDGED}
        train-other: train cohort/cohort.csv -o model-other --members 2 --epochs 2 --protocols none --seed 5
          --filters 8 --feature-maps 4 --dense-units 16 --dense-activation linear --norm before --dropout 0
          --spacing-mm native --plane axial --percentiles 2,98 --mask-rule half --lesion-size resize
          --answering-slice middle --batch-size 16 --learning-rate 0.001 --reconstruct gtv --initial-weights torch
          --rotations 90 --mode sequential --imbalance balanced --settle-norm --time-point second {TINY}
        model-show: bundle show model
        model-json: bundle show model --json
        model-check: bundle check model
        model-explain: explain cohort/synthetic-4-0000/baseline.nrrd cohort/synthetic-4-0000/baseline.seg.nrrd
          -o model-explained --model model {ALL_METHODS} --class both {QUICK}
        model-other-explain: explain cohort/synthetic-4-0001/second.nrrd cohort/synthetic-4-0001/second.seg.nrrd
          -o model-other-explained --model model-other {ALL_METHODS} --class both {QUICK}
        model-sanity: sanity model --cohort cohort/cohort.csv --draws 2 --resamples 50 -o sanity-model.csv --threads 1
    """,
}
"""Chain -> its commands, ``name: arguments``; ``wait`` says whose end a chain waits for."""

OPEN_BTAI = "data/tables/OpenBTAI_MORPHOLOGICAL_MEASUREMENTS.xlsx"
PROSTATE = "EclipseProstate_"
REAL = {
    # folder: (images, masks, options); every image with every mask
    "t1c_brain1": (("brain1_image.nrrd",), ("brain1_label.nrrd",),
                   f"{ALL_METHODS} --class both --compare --report --scene --threads 1"),
    "brats_gli_00001": (("t1c.nii.gz",), ("seg-BraTS23_1.nii.gz", "seg-BraTS23_1_mapped.nii.gz",
                        "seg-bratstoolkit_isen.nii.gz"), f"--class both --method all --compare {QUICK}"),
    "brats_gli_00001 ": (("t1n.nii.gz", "t2w.nii.gz", "t2f.nii.gz"), ("seg-BraTS23_1.nii.gz",), f"--labels 3 {QUICK}"),
    "tcga_fg_6692": (("OtherEXampleFromTCIA_t1c_bet.nii.gz",), ("mav.nii.gz", "isen-20.nii.gz", "scan-20.nii.gz"),
                     f"--labels 4 --parts separate --class both --compare {QUICK}"),
    "dicom_mr_rtstruct": (("STS_008/image", "STS_008/MR_T1_image.nii.gz"),
                          ("STS_008/MR_T1_mask.nii.gz", "STS_008/mask/RS.dcm"),
                          f"--method all --class both --compare --report {QUICK}"),
    "dicom_mr_rtstruct ": (("STS_042/image", "STS_042/MR_T1_image.nii.gz"), ("STS_042/MR_T1_mask.nii.gz",),
                           f"--method all --class both --normalisation scan {QUICK}"),
    "ms_longitudinal_p12": (tuple(f"study{n}_{kind}.nii.gz" for n in (1, 2) for kind in ("FLAIR", "T1W", "T2W")),
                            ("gt.nii.gz",), f"--class both --threshold percentile:80 {QUICK}"),
    "slicerrt_dose_seg": ((f"{PROSTATE}Dose.nrrd",), tuple(f"{PROSTATE}{kind}.seg.nrrd" for kind in (
                          "Bladder_Union_PTV", "Bladder_Subtract_PTV", "Bladder_Intersect_PTV",
                          "Expanded_5_5_5_Bladder", "Expanded_5_5_5_Rectum", "Shrunk_5_5_5_Bladder",
                          "Bladder_Intersect_PTV_ApplyTransform")), QUICK),
    "sri24_background": (("t1_stripped.nii.gz",), ("tissues.nii.gz",), f"--labels 1 {QUICK}"),
}  # fmt: skip
"""The real images that have a mask. Left out: MRI or dose alone (``brats_met_00110``, both RTDOSE folders) and the
10 x 10 x 10 phantom."""

COHORT_COLUMNS = ("patient", "lesion", "image", "segmentation", "label_value", "followup_segmentation")
REAL_COHORT = (
    ("a", "1", "data/t1c_brain1/brain1_image.nrrd", "data/t1c_brain1/brain1_label.nrrd", "1", ""),
    ("b", "1", "data/tcga_fg_6692/OtherEXampleFromTCIA_t1c_bet.nii.gz", "data/tcga_fg_6692/mav.nii.gz", "4",
     "data/tcga_fg_6692/scan-20.nii.gz"),
    ("c", "1", "data/brats_gli_00001/t1c.nii.gz", "data/brats_gli_00001/seg-bratstoolkit_isen.nii.gz", "4", ""),
    ("d", "1", "data/dicom_mr_rtstruct/STS_008/image", "data/dicom_mr_rtstruct/STS_008/MR_T1_mask.nii.gz", "1", ""),
    ("e", "1", "data/dicom_mr_rtstruct/STS_042/image", "data/dicom_mr_rtstruct/STS_042/MR_T1_mask.nii.gz", "1", ""),
)  # fmt: skip

TABLES = f"""
    btai: cohort import-openbtai {OPEN_BTAI} -o btai.csv
    btai-xlsx: cohort import-openbtai {OPEN_BTAI} -o btai-anonymous.xlsx --anonymous
    btai-check: cohort check btai.csv
    real-check: cohort check real-cohort.csv --quiet
    real-features: features real-cohort.csv -o real-features.csv --groups gradients --jobs 1
    real-radiomics: features real-cohort.csv -o real-radiomics.csv --groups radiomics --settings quick.json --jobs 1
    real-agreement: agreement real-cohort.csv -o real-agreement --features real-features.csv --threads 1
"""

QUICK_FEATURES = {"format": "PulsarCAM feature settings", "format_version": 1,
                  "settings": {"radiomics": {"images": ["original"]}}}  # fmt: skip
"""Radiomics of the image as it is; wavelet and LoG images cost 20 times as much and are in ``features-all`` only."""


def real_chains(data: Path) -> dict[str, str]:
    """Chains of ``explain`` on every real image that is in the folder."""
    chains = {}
    for key, (images, masks, options) in REAL.items():
        folder = key.strip()
        lines = []
        for image in images:
            for mask in masks:
                if (data / folder / image).exists() and (data / folder / mask).exists():
                    name = "-".join(f"{folder}/{image}/{mask}".replace(".", "/").split("/"))
                    lines.append(f"{name}: explain data/{folder}/{image} data/{folder}/{mask} -o real/{name} {options}")
        chains[key] = "\n".join(lines)
    return chains


def commands(chain: str) -> list[tuple[str, list[str]]]:
    """``name: arguments`` lines -> name and arguments; a line without a name goes on the one before."""
    joined: list[str] = []
    for line in filter(None, map(str.strip, chain.splitlines())):
        if line.startswith("-"):
            joined[-1] += " " + line
        else:
            joined.append(line)
    pairs = (line.split(": ", 1) for line in joined)
    return [(name, [part.replace("\0", " ") for part in text.replace("\\ ", "\0").split()]) for name, text in pairs]


class Recorder:
    """Runs commands of one checkout in one folder and keeps what they say."""

    def __init__(self, out: Path, checkout: Path, shared: Path):
        self.out, self.checkout = out, checkout
        self.ended: set[str] = set()
        (out / "said").mkdir(parents=True, exist_ok=True)
        (out / "real").mkdir(exist_ok=True)
        (out / "quick.json").write_text(json.dumps(QUICK_FEATURES), encoding="utf-8")
        self.data = (shared / "data").resolve()
        if self.data.is_dir():
            if not (out / "data").is_symlink():
                (out / "data").symlink_to(self.data)  # so that no path of this machine is in any output
            rows = [COHORT_COLUMNS, *(row for row in REAL_COHORT if (out / row[2]).exists())]
            with (out / "real-cohort.csv").open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows(rows)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PULSARCAM")}
        self.environment = kept | {
            "PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
            "MPLBACKEND": "Agg", "COLUMNS": "120", "PYTHONIOENCODING": "utf-8", "CUDA_VISIBLE_DEVICES": "",
            "PULSARCAM_MODELS": "installed", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS": "1", "TZ": "UTC",
        }  # fmt: skip

    def run(self, name: str, arguments: list[str]) -> None:
        """One command."""
        begun, said = time.monotonic(), self.out / "said" / f"{name}.txt"
        if said.exists():  # --resume
            self.ended.add(name)
            return
        if arguments[1:2] == ["cohort-few.csv"]:
            self.few_lesions()
        command = [sys.executable, "-m", "PulsarCAMLib.cli", *arguments]
        how = {"cwd": self.out, "env": self.environment, "encoding": "utf-8"}
        done = subprocess.run(command, capture_output=True, check=False, **how)
        text = f"exit code {done.returncode}\n--- stdout\n{done.stdout}--- stderr\n{done.stderr}"
        for path, word in ((self.checkout, "CHECKOUT"), (self.out, "OUT"), (self.data, "DATA")):
            text = text.replace(str(path), word)
        said.write_text(text, encoding="utf-8")
        self.ended.add(name)
        print(f"{time.monotonic() - begun:6.1f} s  exit {done.returncode}  {name}", flush=True)

    def run_chain(self, chain: str) -> None:
        """The commands of a chain, one after the other."""
        for name, arguments in commands(chain):
            if name == "wait":
                while arguments[0] not in self.ended:  # the chain that runs it was begun before this one
                    time.sleep(0.2)
            else:
                self.run(name, arguments)

    def few_lesions(self) -> None:
        """The first patient of the cohort in a table of its own: all radiomics features of a lesion take 10 s."""
        with (self.out / "cohort/cohort.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
        few = [row for row in rows[1:] if row[0] == "synthetic-4-0000"]
        pathlike = {i for i, value in enumerate(few[0]) if value.endswith(".nrrd")}
        with (self.out / "cohort-few.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(rows[0])
            for row in few:
                writer.writerow(["cohort/" + each if i in pathlike and each else each for i, each in enumerate(row)])


def record(out: Path, checkout: Path, shared: Path, workers: int) -> None:
    """Everything into a new folder."""
    recorder = Recorder(out, checkout, shared)
    chains = dict(SYNTHETIC)
    if recorder.data.is_dir():
        chains |= real_chains(recorder.data) | {"tables": TABLES}
    else:
        print(f"No real images in {recorder.data}; only the synthetic part is recorded.")
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(recorder.run_chain, chains.values()))
    spent = os.times()
    print(f"{spent.children_user + spent.children_system:.0f} s of processor time")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, nargs="?", help="new folder of the recording")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose outputs (the checkout of this script)")
    parser.add_argument("--shared", type=Path, help="folder with data/ (../shared beside the checkout)")
    parser.add_argument("--workers", type=int, default=2, help="commands side by side (2)")
    parser.add_argument("--resume", action="store_true", help="go on with a recording that was stopped")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("OLD", "NEW"), help="compare two recordings")
    parser.add_argument("--renames", type=Path, help="JSON of deliberate renames, see compare_outputs.py")
    options = parser.parse_args()
    if options.compare:
        return compare_outputs.report(*options.compare, options.renames)
    if options.out is None or (options.out.exists() and not options.resume):
        parser.error("name a new folder for the recording")
    checkout = options.checkout.resolve()
    shared = (options.shared or checkout.parent / "shared").resolve()
    record(options.out.resolve(), checkout, shared, options.workers)
    return 0


if __name__ == "__main__":
    sys.exit(main())
