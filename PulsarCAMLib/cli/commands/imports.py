"""``pulsarcam cohort import NAME``: a public cohort, as it is downloaded, becomes a cohort table with its findings."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable
from typing import Any

from ..options.numbers import whole_number
from ..options.places import InputPath, add_output, add_overwrite

EXAMPLES = """\
examples:
  pulsarcam cohort import lumiere LUMIERE -o lumiere.csv
  pulsarcam cohort check lumiere.csv --system rano --no-images
  pulsarcam cohort import proteas PROTEAS -o proteas.csv --follow-up 2 --cores proteas-cores
  pulsarcam cohort import gamma-knife Brain-TR-GammaKnife-Clinical-Information.xlsx -o lesions.csv

Every decision (a row left out, a rating that is none, an image or a mask that is missing) stands in
<table>-findings.csv beside the table; no image is opened, but masks for --cores.

"""

NAMES = {
    "lumiere": ("FOLDER", "LUMIERE: visits with glioblastoma and their RANO ratings, for the system rano"),
    "proteas": ("FOLDER", "PROTEAS-brain-mets: metastases with masks, follow-up and planned dose"),
    "yale": ("FOLDER", "Yale-Brain-Mets-Longitudinal: MRIs by patient and visit, without classes"),
    "gamma-knife": ("XLSX", "Brain-TR-GammaKnife: its clinical table, stable or recurrent, without images"),
    "openbtai": ("XLSX", "OpenBTAI: pairs of volumes 60 to 120 days apart, without images"),
}
"""Cohort to what is given and what it is."""

MASKS = ("hd-glio", "deepbratumia", "none")


def add_imports(actions, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parsers; arguments as :func:`~.cohort.add_cohort`."""
    group = command(actions, "import", "make a table of a public cohort as it is downloaded", EXAMPLES + epilog)
    cohorts = group.add_subparsers(dest="name", required=True, metavar="NAME")
    made = {name: command(cohorts, name, about) for name, (_, about) in NAMES.items()}
    for name, each in made.items():
        each.add_argument("source", type=InputPath, metavar=NAMES[name][0], help="what was downloaded, unpacked")
    lumiere, proteas, gamma_knife = made["lumiere"], made["proteas"], made["gamma-knife"]
    lumiere.add_argument("--masks", choices=MASKS, default=MASKS[0], help="whose masks of the tumour (%(default)s)")
    lumiere.add_argument("--keep-early", action="store_true", help="use ratings within 3 months of radiotherapy, too")
    text = "folder to be made, of masks in which the necrotic core belongs to the tumour"
    add_output(proteas, "FOLDER", text, flags=("--cores",))
    proteas.set_defaults(safe_reading=True)  # of all imports the one that opens images
    text = "which follow-up counts (%(default)s)"
    proteas.add_argument("--follow-up", type=whole_number(1), default=1, metavar="N", help=text)
    gamma_knife.add_argument(
        "--per", choices=("lesion", "patient"), default="lesion", help="a row for each (%(default)s)"
    )
    text = "with --per patient: no recurrence is radiation change (rice), for the system rice-net"
    gamma_knife.add_argument("--stable-is-rice", action="store_true", help=text)
    for each in made.values():
        add_output(each, "TABLE", "table to be made: .csv or .xlsx", "{stem}-findings.csv", required=True)
        text = "number the patients, leave out dates and notes"
        each.add_argument("--anonymous", action="store_true", help=text)
        add_overwrite(each, "TABLE, its findings and what else is made")


def run(options) -> None:
    """Write the table and its findings; print what was found, by kind.

    Raises:
        InputError: an option that does not go with another, or the source is not that cohort.
    """
    from ...cohort.importers.imported import check_outputs, save_imported

    check_outputs(options.output, overwrite=options.overwrite)
    found = _read(options)
    table, findings = save_imported(found, options.output, anonymous=options.anonymous, overwrite=options.overwrite)
    counts = Counter(finding.kind for finding in found.findings)
    print(f"{len(found.table.rows)} rows of {len(found.table.patients)} patients: {table}")
    if counts:
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        print(f"{len(found.findings)} findings ({kinds}): {findings}")


def _read(options) -> Any:
    from ...core.errors import InputError

    if options.name == "lumiere":
        from ...cohort.importers.lumiere import import_lumiere

        return import_lumiere(options.source, options.masks, options.keep_early)
    if options.name == "proteas":
        from ...cohort.importers.proteas import import_proteas

        return import_proteas(options.source, options.follow_up, options.cores, options.overwrite)
    if options.name == "yale":
        from ...cohort.importers.yale import import_yale

        return import_yale(options.source)
    if options.name == "openbtai":
        from ...cohort.importers.openbtai import openbtai_cohort

        return openbtai_cohort(options.source)
    from ...cohort.importers.gamma_knife import import_gamma_knife

    if options.stable_is_rice and options.per != "patient":
        raise InputError("--stable-is-rice goes with --per patient: the system rice-net answers for patients.")
    return import_gamma_knife(options.source, options.per, options.stable_is_rice)
