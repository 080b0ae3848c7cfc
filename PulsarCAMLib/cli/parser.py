"""Options of the command line and their help."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import NoReturn

from .. import __version__
from ..agreement.settings import ComparisonSettings
from ..core.vocabulary import EACH, NORMALISATIONS, PARTS
from ..systems.contract import System
from ..systems.registry import DEFAULT, system_of
from .commands.agreement import add_agreement
from .commands.bundle import add_bundle
from .commands.cohort import add_cohort
from .commands.dicom import add_dicom
from .commands.dose import add_dose
from .commands.features import add_features
from .commands.sanity import add_sanity
from .explain.comparing import WRITTEN, add_comparing
from .explain.dosing import WRITTEN as WRITTEN_OF_DOSE, add_dosing
from .explain.inputs import add_inputs, add_safe_reading
from .explain.map_choices import add_choices
from .explain.painting import WRITTEN as PAINTED, add_painting
from .many.options import add_many
from .options.numbers import MOST_CORES, names, share, whole_number, whole_numbers
from .options.places import InputPath, add_model_option, add_output, add_overwrite
from .options.setting_options import add_settings
from .study.options import add_study
from .train.options import add_train

EPILOG = """\
exit codes: 0 done, 1 unexpected fault, 2 wrong usage, 3 input cannot be used, 4 model cannot be used,
            5 output cannot be written, 6 some of many patients could not be explained and the others are,
            130 interrupted
"""

EXAMPLES = (
    """\
examples:
  pulsarcam explain t1c.nrrd lesions.seg.nrrd -o result
  pulsarcam explain t1c.nii.gz labels.nii.gz -o result --labels 1,3 --method all --class both
  pulsarcam explain dicom-folder gtv.nii.gz -o result --model my-model --threshold percentile:90
  pulsarcam explain t1c.nrrd lesions.seg.nrrd -o result --segments "GTV 1,GTV 3" --scene --overwrite
  pulsarcam explain export-of-the-planning-system -o result
  pulsarcam explain cohort.csv -o results --jobs 2 --pseudonyms who-is-who.csv
  pulsarcam explain folder-of-many-patients -o results --no-pictures

what is written into the folder:
  <method>_<class>_mean.nrrd, ..._std.nrrd    heat map and its spread over the ensemble, on the MRI's own voxels,
                                              zero outside the lesions
  <method>_<class>_<input>_mean.nrrd          the same of one input alone, on its own voxels (--input)
  <method>_<class>_regions.seg.nrrd           voxels above the threshold, one named segment per lesion
  lesions.csv, slices.csv                     one row per lesion (and map), one row per slice; models of patients or
                                              visits write patients.csv or visits.csv instead
  pictures/NN-<name>_<method>.png             overlay picture of every lesion, patient or visit
"""
    + WRITTEN
    + PAINTED
    + WRITTEN_OF_DOSE
    + """\
  dicom/structures.dcm, ..._seg.dcm, ..._pm.dcm, report_sr.dcm
                                              the same for planning system and archive (--dicom-out)
  scene.mrb                                   all of it for 3D Slicer (--scene)
  result.json                                 model, options and versions; nothing about the patient
The folder appears when everything is done; after an error or Ctrl-C nothing is left.

of a cohort table, or of a DICOM folder with structure sets of several patients, all are explained:
  P001, P002, ...                             the above of each, under a pseudonym, with its report.html
  summary.csv, report.html                    one table and one page of all; who could not be explained, and why
The same command goes on where an earlier one was stopped; patients who are done are not done again.

"""
)


class _Parser(argparse.ArgumentParser):
    """A parser that says first what is wrong, and in one more line where the options are told."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: error: {message}\nusage: {self.prog} ... ({self.prog} --help tells all of it)\n")

    def parse_args(self, args=None, namespace=None):
        """As argparse does; options that a command has not are told as that command's, and its system's."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            self._refuse(found, unknown)
        return found

    def _refuse(self, found: argparse.Namespace, unknown: list[str]) -> NoReturn:
        words = [self.prog, getattr(found, "command", ""), getattr(found, "action", "")]
        system = getattr(found, "system", DEFAULT)
        for_system = f" with --system {system}" if system not in (None, DEFAULT) else ""
        flags = [each for each in unknown if each.startswith("-")] or unknown
        command = " ".join(word for word in words if isinstance(word, str) and word)
        self.exit(
            2,
            f"{command}: error: unrecognized arguments{for_system}: {' '.join(flags)}\n"
            f"usage: {command} ... ({command}{for_system.removeprefix(' with')} --help tells all of it)\n",
        )


def make_parser(system: str = DEFAULT) -> argparse.ArgumentParser:
    """The parser of ``pulsarcam``.

    Args:
        system: whose options the commands that train offer; see :func:`.learning.system_named`.
    """
    parser = _Parser(
        prog="pulsarcam",
        description="Which brain metastases will not shrink, and which part of the lesion says so. Research use only.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"pulsarcam {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_explain(commands)
    _add_demo(commands)
    learning = system_of(system)
    add_cohort(commands, _command, EPILOG, learning)
    add_features(commands, _command, EPILOG)
    add_agreement(commands, _command, EPILOG)
    add_train(commands, _command, EPILOG, learning)
    add_study(commands, _command, EPILOG, learning)
    add_sanity(commands, _command, EPILOG)
    add_bundle(commands, _command, EPILOG)
    add_dicom(commands, _command, EPILOG)
    add_dose(commands, _command, EPILOG)
    models = _command(commands, "models", "list the installed models with their cards")
    models.add_argument("--json", action="store_true", help="print the whole cards as JSON")
    return parser


def _command(commands, name: str, text: str, epilog: str = EPILOG) -> argparse.ArgumentParser:
    parser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", help="show where an error came from")
    return parser


def _add_explain(commands) -> None:
    parser = _command(
        commands, "explain", "predict and explain the lesions of one MRI, a patient, or a visit", EXAMPLES + EPILOG
    )
    parser.add_argument(
        "volume",
        type=InputPath,
        metavar="VOLUME",
        help="MRI: NRRD, NIfTI, MetaImage, or a folder of DICOM slices; without SEGMENTATION any folder that holds a "
        "DICOM series and its structure set, or those of many patients, or a cohort table (.csv, .xlsx)",
    )
    parser.add_argument(
        "segmentation",
        type=InputPath,
        metavar="SEGMENTATION",
        nargs="?",
        help=".seg.nrrd, a label volume (NRRD, NIfTI, MetaImage), or a DICOM RTSTRUCT or SEG; may be left out where "
        "the model needs no lesions or VOLUME is a DICOM folder",
    )
    add_output(parser, "OUT", "folder to be made", required=True)
    add_model_option(parser)
    add_inputs(parser)
    lesions = parser.add_argument_group("lesions")
    lesions.add_argument(
        "--parts",
        choices=PARTS,
        default=PARTS[0],
        help="unconnected parts: 'auto' takes each part as a lesion where a label volume has one single label, and "
        "keeps labels and named segments together otherwise (default); 'together': each label one lesion; "
        "'separate': each part one lesion",
    )
    lesions.add_argument("--labels", type=whole_numbers, metavar="1,3", help="only these values of a label volume")
    lesions.add_argument("--segments", type=names, metavar="A,B", help="only these segments, by name or ID")
    lesions.add_argument("--series", metavar="N", help="which series of a DICOM folder that holds several")
    lesions.add_argument(
        "--structures", metavar="N", help="which structure set (RTSTRUCT, SEG) of a DICOM folder that holds several"
    )
    _add_maps(parser)
    add_choices(parser)
    add_comparing(parser)
    add_painting(parser)
    add_dosing(parser)
    _add_running(parser)
    add_many(parser)


def _add_maps(parser: argparse.ArgumentParser) -> None:
    """Methods and classes are those of all known systems; the model's own are checked when it is known."""
    from ..systems.registry import all_methods, systems

    methods = [method.name for method in all_methods()]
    classes = list(dict.fromkeys(target for system in systems() for target in system.task.targets))
    every = ["both", *(["all"] if any(not system.task.binary for system in systems()) else [])]
    maps = parser.add_argument_group("maps")
    maps.add_argument(
        "--method",
        action="append",
        choices=(*methods, "all"),
        metavar="NAME",
        help=f"{', '.join(methods)}, or 'all' for those that the model always computes; may be repeated "
        f"({_by_system(lambda system: system.usual_maps[0])})",
    )
    maps.add_argument(
        "--class",
        dest="target",
        choices=(*classes, *every),
        help=f"class whose evidence is written, or all of them; pictures show every class "
        f"({_by_system(lambda system: system.task.explained)})",
    )
    maps.add_argument(
        "--input",
        action="append",
        metavar="NAME",
        help=f"maps of this input alone, on its own voxels, or '{EACH}' for those of all together and of every input "
        "of its own, where the model takes several and the method has them; may be repeated (all together)",
    )
    maps.add_argument(
        "--normalisation",
        choices=NORMALISATIONS,
        default=NORMALISATIONS[0],
        help="raw values, or divided by the joint maximum of all classes per lesion (patient, visit) or scan "
        "(%(default)s)",
    )
    maps.add_argument(
        "--threshold",
        type=_threshold,
        default="fraction:0.5",
        metavar="KIND:VALUE",
        help="what counts as activated: fraction:0..1 of the joint maximum, percentile:0..100, value:X (%(default)s)",
    )
    rim = {"help": "thickness of the rim of a lesion that tables tell apart (2.0)"}
    add_settings(maps, ComparisonSettings, "margin", margin_mm=rim)


def _by_system(usual: Callable[[System], str]) -> str:
    """What is usual for every system, as in "pixelwise; rano: saliency"; the first one is not named."""
    from ..systems.registry import systems

    return "; ".join(f"{'' if each.name == DEFAULT else f'{each.name}: '}{usual(each)}" for each in systems())


def _add_running(parser: argparse.ArgumentParser) -> None:
    running = parser.add_argument_group("running")
    running.add_argument("--scene", action="store_true", help="write scene.mrb for 3D Slicer, too")
    running.add_argument(
        "--dicom-out",
        action="store_true",
        help="of a DICOM MRI: write structure set, segmentations, parametric maps and structured report into "
        "OUT/dicom, too; they carry the patient's name and ID",
    )
    running.add_argument(
        "--stability",
        action=argparse.BooleanOptionalAction,
        help="how far answers move when contour, image or grid lie half a voxel otherwise, and with the outside "
        "replaced or the inside shuffled (told of lesion slices; of whole volumes only if asked for, since they are "
        "then prepared many times)",
    )
    running.add_argument(
        "--error-rate",
        type=share,
        metavar="SHARE",
        help="of the classes that are not ruled out: share of patients for whom they may lack the true one (as the "
        "model says, usually 0.1); only of models that were calibrated for it",
    )
    running.add_argument("--no-pictures", dest="pictures", action="store_false", help="draw no PNG")
    add_overwrite(running)
    running.add_argument("--quiet", action="store_true", help="no progress bar, no table; warnings and errors only")
    running.add_argument(
        "--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)"
    )
    add_safe_reading(running)
    running.add_argument("--timings", action="store_true", help="print where the time went")


def _add_demo(commands) -> None:
    parser = _command(commands, "demo", "explain a generated scan with several lesions, and say where to look")
    add_output(parser, "OUT", "folder to be made (%(default)s)", default="demo")
    add_overwrite(parser, "an earlier demo at OUT when all is done")
    text = "explain the real test images in this folder, too"
    parser.add_argument("--images", type=InputPath, metavar="FOLDER", help=text)
    add_model_option(parser)
    parser.add_argument("--seed", type=whole_number(0), default=11, help="which patient is generated (%(default)s)")
    text = "make it a DICOM study (MR, RTSTRUCT, RTDOSE), explain that, and write the results as DICOM objects, too"
    parser.add_argument("--dicom", action="store_true", help=text)
    parser.add_argument("--no-scene", dest="scene", action="store_false", help="write no scene.mrb")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--threads", type=whole_number(1, MOST_CORES), metavar="N", help="processor cores to use (all)")


def _threshold(text: str):
    from ..core.display import Threshold
    from ..core.errors import InputError

    kind, _, value = text.partition(":")
    try:
        return Threshold(kind, float(value))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not like fraction:0.5, percentile:90 or value:0.01") from None
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
