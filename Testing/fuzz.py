"""Damaged files by chance: every reader must read them or refuse them in one sentence, and never crash, hang or err.

    python Testing/fuzz.py --count 20000 --seed 1
    python Testing/fuzz.py --kind nrrd --seed 1 --only 17     (what one file does, with the traceback)

Files are read in a child process that may die; what it was reading is then a crash, and the next child goes on behind
it. The same seed and number give the same file. The table has a row for each kind of file:

    read        read without an error; whether rightly is what the tests ask
    refused     one of PulsarCAM's own errors, in one sentence
    fault       any other error, or a warning of NumPy or pydicom that nothing turned into a sentence
    crash       the process died
    hang        one file took longer than the limit
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "Testing" / "Python"), str(ROOT / "Testing")]

LONGEST_S = 20
"""A file that takes longer is a hang."""

MOST_MIB = 1024
"""Highest resident memory of a child."""

LONGEST_SENTENCE = 600
OUTCOMES = ("read", "refused", "fault", "crash", "hang")

NASTY = [b"-1", b"0", b"nan", b"inf", b"1e308", b"-1e308", b"1e-308", b"2147483647", b"4294967296", b"%n%s", b"", b"("]
NASTY += [b"9223372036854775808", b"A" * 300, b"A" * 1200, b"\0", b"\xff" * 4, b")", b"none", b"LIST", b"LOCAL"]
NASTY += [b"1 1 1 1", b"(1,0,0)", b"\n", b"\r\n", b":=", b"=", b"true", b"null", b"[]", b"{}", b'"', b"\x1b[31m"]
NASTY += ["\u0663".encode(), b"1_0", b"0x10", b"\xed\xb3\xbf", b"[" * 2000, b",", b";", b"../x"]
WORD_ENDS = b" \n=:,()\"'<>\\"

HEADER_BYTES = 600
"""Changes fall most often among so many bytes of a file: headers are where harm is done."""


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Attributes:
        make: makes right files in an empty folder; returns the one that is damaged.
        read: reads what lies in the folder, given the path of the damaged file.
        packed: whether its inside is damaged as well, and packed again: "gzip", "zip" or nothing.
    """

    make: Callable[[Path], Path]
    read: Callable[[Path], object]
    packed: str = ""


def _image(path: Path) -> None:
    from PulsarCAMLib.io.volumes import read_volume

    read_volume(path)


def _mask(path: Path) -> None:
    from PulsarCAMLib.lesions.from_files import read_own_lesions

    read_own_lesions(path)


def _folder(path: Path) -> None:
    _image(path.parent)


def _dose(path: Path) -> None:
    from PulsarCAMLib.io.dose import read_dose

    read_dose(path)


def _transform(path: Path) -> None:
    from PulsarCAMLib.io.transforms import read_transform

    read_transform(path)


def _table(path: Path) -> None:
    from PulsarCAMLib.cohort.checks import check_cohort
    from PulsarCAMLib.cohort.tables.table import read_cohort

    check_cohort(read_cohort(path), read_images=False)


def _bundle(path: Path) -> None:
    from PulsarCAMLib.systems.bundles.bundle import load_bundle

    load_bundle(path.parent)


def _make_segmentation(folder: Path) -> Path:
    from making_damaged import VOXELS, a_nrrd

    lines = ("Segment0_ID:=a", "Segment0_Name:=left", "Segment0_LabelValue:=1", "Segment0_Layer:=0")
    lines += ("Segment0_Extent:=0 5 0 4 0 3", "Segmentation_ContainedRepresentationNames:=Binary labelmap|")
    data = (abs(VOXELS - 60) < 9).astype("u1").tobytes()
    return a_nrrd(folder / "a.seg.nrrd", data=data, type="unsigned char", lines=lines, encoding="raw")


def _make_mask(folder: Path) -> Path:
    from making_damaged import VOXELS, a_nifti

    return a_nifti(folder / "a.nii.gz", (abs(VOXELS - 60) < 9).astype("u1"))


def _make_series(folder: Path) -> Path:
    from making_dicom import a_folder

    folder.rmdir()
    return sorted(a_folder(folder).iterdir())[1]


def _make_dose(folder: Path) -> Path:
    import numpy as np
    from making_dicom import an_instance

    data = an_instance(np.arange(4 * 6 * 8).reshape(4, 6, 8), 1, "1.2.840.10008.5.1.4.1.1.481.2")
    data.Modality, data.DoseUnits, data.DoseType, data.DoseSummationType = "RTDOSE", "GY", "PHYSICAL", "PLAN"
    data.NumberOfFrames, data.DoseGridScaling, data.PixelRepresentation = 4, "0.1", 0
    data.ImagePositionPatient, data.ImageOrientationPatient, data.PixelSpacing = [0, 0, 0], [1, 0, 0, 0, 1, 0], [2, 2]
    data.GridFrameOffsetVector = [0.0, 3.0, 6.0, 9.0]
    data.save_as(folder / "d.dcm", enforce_file_format=True)
    return folder / "d.dcm"


def _make_transform(folder: Path) -> Path:
    import SimpleITK as sitk

    sitk.WriteTransform(sitk.Euler3DTransform((1, 2, 3), 0.1, 0.2, 0.3), str(folder / "t.tfm"))
    return folder / "t.tfm"


ROWS = [["patient", "lesion", "volume_cm3", "followup_volume_cm3", "response"]]
ROWS += [[f"P{n}", "left", 1.5 + n, 1.0, "" if n else "1"] for n in range(4)]


def _make_csv(folder: Path) -> Path:
    text = "\n".join(",".join(map(str, row)) for row in ROWS)
    (folder / "t.csv").write_text(text + "\n", encoding="utf-8")
    return folder / "t.csv"


def _make_xlsx(folder: Path) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    book.save(folder / "t.xlsx")
    return folder / "t.xlsx"


def _make_bundle(folder: Path) -> Path:
    from making_models import random_bundle

    folder.rmdir()
    random_bundle(folder, count=1)
    return folder / "card.json"


def _made(function: str, name: str, **fields) -> Callable[[Path], Path]:
    """A file that ``making_damaged`` or ``making_dicom`` makes."""

    def make(folder: Path) -> Path:
        import making_damaged
        import making_dicom

        maker = getattr(making_damaged, function, None) or getattr(making_dicom, function)
        return maker(folder / name, **fields)

    return make


KINDS = {
    "nifti": Kind(_made("a_nifti", "a.nii"), _image),
    "nifti.gz": Kind(_made("a_nifti", "a.nii.gz"), _image, "gzip"),
    "mha": Kind(_made("a_metaimage", "a.mha"), _image),
    "mha zlib": Kind(_made("a_metaimage", "a.mha", CompressedData=True), _image),
    "mhd": Kind(_made("a_metaimage", "a.mhd"), _image),
    "nrrd": Kind(_made("a_nrrd", "a.nrrd"), _image),
    "nrrd gzip": Kind(_made("a_nrrd", "a.nrrd", encoding="gzip"), _image),
    "nhdr": Kind(_made("a_nrrd", "a.nhdr", data_file="b.raw"), _image),
    "seg.nrrd": Kind(_make_segmentation, _mask),
    "mask": Kind(_make_mask, _mask, "gzip"),
    "dicom": Kind(_make_series, _folder),
    "enhanced": Kind(_made("an_enhanced_file", "e.dcm", order=range(5)), _image),
    "rtdose": Kind(_make_dose, _dose),
    "transform": Kind(_make_transform, _transform),
    "csv": Kind(_make_csv, _table),
    "xlsx": Kind(_make_xlsx, _table, "zip"),
    "card": Kind(_make_bundle, _bundle),
    "weights": Kind(lambda folder: _make_bundle(folder).with_name("weights.safetensors"), _bundle),
}


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A few changes: bytes, words, pieces that are lost or doubled, an end that comes too early."""
    held = bytearray(content)
    for _ in range(chance.choice([1, 1, 1, 2, 3, 8])):
        if not held:
            break
        most = len(held) if chance.random() < 0.2 else min(len(held), HEADER_BYTES)
        at, what = chance.randrange(most), chance.random()
        if what < 0.25:
            held[at] = chance.randrange(256)
        elif what < 0.4:
            del held[at : at + chance.choice([1, 1, 2, 4, 16])]
        elif what < 0.55:
            held[at:at] = chance.choice(NASTY)
        elif what < 0.85:
            first, last = at, at
            while first and held[first - 1] not in WORD_ENDS and at - first < 100:
                first -= 1
            while last < len(held) and held[last] not in WORD_ENDS and last - at < 100:
                last += 1
            held[first:last] = chance.choice(NASTY)
        elif what < 0.93:
            del held[chance.randrange(len(held)) :]
        else:
            held[at:at] = held[at : at + chance.randrange(1, 60)]
    return bytes(held)


def damage(path: Path, kind: Kind, chance: random.Random) -> None:
    """Damage a file, from outside or within what it packs."""
    content = path.read_bytes()
    inside = chance.random() < 0.7
    if kind.packed == "gzip" and inside:
        content = gzip.compress(damaged(gzip.decompress(content), chance), mtime=0)
    elif kind.packed == "zip" and inside:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        name = chance.choice(sorted(members))
        members[name] = damaged(members[name], chance)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, held in members.items():
                archive.writestr(member, held)
        return
    else:
        content = damaged(content, chance)
    path.write_bytes(content)


def outcome(name: str, seed: int, number: int, right: Path, folder: Path) -> tuple[str, str]:
    """What reading file ``number`` of a kind comes to, and what is to be told of a fault."""
    from PulsarCAMLib.core.errors import PulsarCAMError

    kind = KINDS[name]
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(right.parent, folder)
    damage(folder / right.name, kind, random.Random(f"{seed} {name} {number}"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            kind.read(folder / right.name)
    except PulsarCAMError as error:
        sentence = str(error)
        if len(sentence) > LONGEST_SENTENCE or not sentence.isprintable():
            return "fault", f"a sentence that nobody can read: {sentence[:300]!r}"
        return "refused", ""
    except Exception:
        return "fault", traceback.format_exc(limit=-4)
    return "read", ""


def serve(names: Sequence[str], seed: int, first: int, count: int, folder: Path) -> None:
    """The child: reads files ``first`` to ``count``, and keeps note of what it is at and of what came of it."""
    if hasattr(signal, "alarm"):
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process even within native code
    right = {name: KINDS[name].make(_empty(folder / "right" / name)) for name in names}
    with (folder / "outcomes.jsonl").open("a", encoding="utf-8") as notes:
        for number in range(first, count):
            name = names[number % len(names)]
            (folder / "at.json").write_text(json.dumps([number, name]), encoding="utf-8")
            if hasattr(signal, "alarm"):
                signal.alarm(LONGEST_S)
            what, told = outcome(name, seed, number, right[name], folder / "damaged")
            notes.write(json.dumps([number, name, what, told, _peak_mib()]) + "\n")
            notes.flush()


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _peak_mib() -> float:
    status = Path("/proc/self/status")
    if status.is_file():  # getrusage tells the parent's, too, where this process was forked from a larger one
        return next(int(line.split()[1]) / 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    from PulsarCAMLib.cli.console import peak_memory_mib

    return peak_memory_mib() or 0.0


def fuzz(names: Sequence[str], seed: int, count: int, folder: Path) -> tuple[Counter, list[str], float]:
    """Read ``count`` damaged files.

    Returns:
        Number of files by (kind, outcome), what is to be told, and the highest memory in MiB.
    """
    first, died = 0, []
    while first < count:
        arguments = ["--child", str(first), "--count", str(count), "--seed", str(seed), "--folder", str(folder)]
        for name in names:
            arguments += ["--kind", name]
        (folder / "at.json").unlink(missing_ok=True)
        child = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=False)
        if child.returncode == 0:
            break
        if not (folder / "at.json").exists():
            raise RuntimeError(f"the child cannot start: {child.stderr[-2000:]}")
        number, name = json.loads((folder / "at.json").read_text(encoding="utf-8"))
        hung = hasattr(signal, "SIGALRM") and child.returncode == -signal.SIGALRM
        what, why = "hang" if hung else "crash", f"exit code {child.returncode} {child.stderr[-500:]}"
        died.append([number, name, what, why, 0])
        first = number + 1
    lines = (folder / "outcomes.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines] + died
    told = [f"{name} {number}: {what}: {text}" for number, name, what, text, _ in found if text]
    return Counter((name, what) for _, name, what, _, _ in found), told, max((each[4] for each in found), default=0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz, print the table; 1 where anything is worse than a refusal or takes too much memory."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=2000, help="files of all kinds together (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=KINDS, help="only this kind; may be repeated")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="read this one file here, and say what happens")
    parser.add_argument("--folder", help="where to work; for the child")
    parser.add_argument("--child", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    names = options.kind or list(KINDS)
    if options.child is not None:
        serve(names, options.seed, options.child, options.count, Path(options.folder))
        return 0
    with tempfile.TemporaryDirectory(prefix="pulsarcam-fuzz-") as made:
        folder = Path(options.folder or made)
        if options.only is not None:
            right = KINDS[names[0]].make(_empty(folder / "right" / names[0]))
            print(*outcome(names[0], options.seed, options.only, right, folder / "damaged"), sep="\n")
            return 0
        start = time.perf_counter()
        counts, told, peak = fuzz(names, options.seed, options.count, folder)
    print("\n".join(told))
    print(f"{'kind':<12}" + "".join(f"{what:>9}" for what in OUTCOMES))
    for name in [*names, "all"]:
        mine = [(what, n) for (kind, what), n in counts.items() if name in (kind, "all")]
        row = [sum(n for what, n in mine if what == each) for each in OUTCOMES]
        print(f"{name:<12}" + "".join(f"{n:>9}" for n in row))
    print(f"{time.perf_counter() - start:.0f} s, at most {peak:.0f} MiB")
    return int(bool(told) or peak > MOST_MIB)


if __name__ == "__main__":
    sys.exit(main())
