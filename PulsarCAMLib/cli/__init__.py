"""The command line ``pulsarcam``. Only what ``--help`` needs is imported before a command runs.

Exit codes: 0 done; 1 unexpected fault; 2 wrong usage; 3 input; 4 model; 5 output; 6 some of many; 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: of the command line, without the program's name; None takes those of the process.

    Returns:
        The exit code.
    """
    from .console import guarded
    from .learning import system_named
    from .parser import make_parser

    _write_any_character()
    given, parsed = sys.argv[1:] if arguments is None else arguments, []
    debug = "--debug" in given
    try:
        # a system may have a slip, and its options are made here
        code = guarded(lambda: parsed.append(make_parser(system_named(given)).parse_args(given)), debug)
    except SystemExit as stop:  # argparse has said what is wrong, or printed the help
        return int(stop.code or 0)
    return code or guarded(lambda: _run(parsed[0]), debug)


def _write_any_character() -> None:
    """A name in a script that the terminal's encoding lacks is told by its numbers, and ends nothing."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and getattr(stream, "errors", "") == "strict":
            stream.reconfigure(errors="backslashreplace")


def program() -> NoReturn:
    """The program: like :func:`main`, and a Ctrl-C that comes before or after the work prints no traceback."""
    import signal

    try:
        code = main()
    except KeyboardInterrupt:
        print("pulsarcam: error: interrupted.", file=sys.stderr)
        code = 130
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # how it ended is said; what is left is closing files
    sys.exit(code)


def _run(options) -> None:
    from .options.places import refuse_own_inputs

    refuse_own_inputs(options)
    if options.command == "explain":
        from .explain.command import run
    elif options.command == "demo":
        from .commands.demo import run
    elif options.command == "cohort":
        from .commands.cohort import run
    elif options.command == "features":
        from .commands.features import run
    elif options.command == "agreement":
        from .commands.agreement import run
    elif options.command == "train":
        from .train.command import run
    elif options.command == "study":
        from .study.command import run
    elif options.command == "evaluate":
        from .study.command import evaluate as run
    elif options.command == "sanity":
        from .commands.sanity import run
    elif options.command == "bundle":
        from .commands.bundle import run
    elif options.command == "dose":
        from .commands.dose import run
    elif options.command == "dicom":
        from .commands.dicom import run
    else:
        from .commands.models import run
    if getattr(options, "safe_reading", False):
        from ..io.apart import reading_apart

        with reading_apart():
            run(options)
    else:
        run(options)
