"""Options of ``pulsarcam explain`` for many patients; what only ``--help`` needs imports nothing heavy."""

from __future__ import annotations

import argparse

from ..options.numbers import whole_number
from ..options.places import add_output

PSEUDONYMS = "CSV file that keeps which patient is which pseudonym, outside {where}; one that is there is gone on with"


def add_many(parser: argparse.ArgumentParser) -> None:
    """How many patients are explained."""
    many = parser.add_argument_group("many patients (a cohort table, or a DICOM folder of several)")
    text = "patients side by side (as many as cores; 1: in this process, which a crash in a library ends)"
    many.add_argument("--jobs", type=whole_number(1), metavar="N", help=text)
    many.add_argument(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler whose workers explain, such as tcp://host:8786; paths "
        "must be the same for all of them",
    )  # fmt: skip
    add_pseudonyms(many, "OUT")


def add_pseudonyms(group, where: str) -> None:
    """The option for the file that says who is who."""
    add_output(group, "FILE", PSEUDONYMS.format(where=where), flags=("--pseudonyms",))
