"""``pulsarcam dose``: whether the activated parts of lesions get less dose, over the patients of many results."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from ..options.places import InputPath, add_output, add_overwrite

EXAMPLES = """\
examples:
  pulsarcam dose results/P01 results/P02 results/P03 -o cohort_dose.csv
  pulsarcam dose results -o cohort_dose.csv       every folder in it that holds a dose_contrast.csv

Each folder is one patient and counts once, by the mean of the lesions. One row for each map: the mean difference of
activated part and rest in Gy with its 95 % interval over patients, plain and at equal depth under the surface.

"""


def add_dose(commands, command: Callable[..., argparse.ArgumentParser], epilog: str) -> None:
    """Add the parser; arguments as :func:`~.cohort.add_cohort`."""
    parser = command(
        commands, "dose", "tell over patients whether the activated parts get less dose", EXAMPLES + epilog
    )
    parser.add_argument(
        "results",
        type=InputPath,
        nargs="+",
        metavar="RESULT",
        help="folder that explain --dose has written, or of such",
    )
    add_output(parser, "CSV", "table to be written", required=True)
    add_overwrite(parser, "an earlier table")


def run(options) -> None:
    """The command.

    Raises:
        InputError: no result, or a damaged one.
        OutputError: the table cannot be written.
    """
    from ...dose.folders import contrasts_in
    from ...dose.over_patients import over_patients
    from ...io.atomic import check_place, write_whole
    from ...outputs.tables import table_text
    from ..console import table

    output = Path(options.output)
    check_place(output, overwrite=options.overwrite)
    rows = over_patients(contrasts_in(options.results))
    write_whole(output, table_text(rows).encode("utf-8"), overwrite=options.overwrite)
    columns = {
        "map_method": "map", "map_class": "class", "patients": "patients", "lesions": "lesions",
        "difference_gy": "Gy", "difference_low_gy": "from", "difference_high_gy": "to",
        "patients_with_less": "with less", "answer": "gets",
    }  # fmt: skip
    print(table(rows, columns))
    print(f"Table: {output}. Research use only.")
