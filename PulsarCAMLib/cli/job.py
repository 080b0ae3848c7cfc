"""A command of ``pulsarcam`` as a job: another program watches it, and stops it, through a folder.

``python -m PulsarCAMLib.cli.job FOLDER train COHORT -o OUT ...``. The program that starts it need not be the one that
watches it: 3D Slicer may be closed and opened again meanwhile. In the folder are::

    alive        written again and again while the job lives: its process number
    output.txt   what the command says
    errors.txt   its warnings and its error, one sentence each
    stop         made by whoever wants the job to stop, as by Ctrl-C
    end.json     the exit code, once it has ended
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

from ..io.atomic import replace_file
from . import main

ALIVE, OUTPUT, ERRORS, STOP, END = "alive", "output.txt", "errors.txt", "stop", "end.json"
SECONDS = 0.5
"""Between two looks at the folder."""


def run(folder: Path, arguments: list[str]) -> int:
    """Run one command; its exit code is in the folder, too."""
    _speak_into(folder)
    if hasattr(os, "setsid") and os.getpid() != os.getpgrp():
        os.setsid()  # Ctrl-C in the terminal from which 3D Slicer was started is not meant for this
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _tell_alive(folder)
    threading.Thread(target=_watch, args=(folder,), daemon=True).start()
    code = main(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who stops it only now shall still be told how it ended
    sys.stdout.flush()
    sys.stderr.flush()
    replace_file(folder / END, json.dumps({"code": code}).encode())
    return code


def _speak_into(folder: Path) -> None:
    """Write into files, by whatever way: a pipe would break when 3D Slicer is closed, and the job with it."""
    for stream, name in ((sys.stdout, OUTPUT), (sys.stderr, ERRORS)):
        stream.flush()
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
        stream.reconfigure(encoding="utf-8", errors="replace", line_buffering=True)


def _watch(folder: Path) -> None:
    over = threading.Event()
    while not over.wait(SECONDS):
        _tell_alive(folder)
        if (folder / STOP).exists():
            _interrupt()
            return


def _tell_alive(folder: Path) -> None:
    try:
        replace_file(folder / ALIVE, str(os.getpid()).encode())
    except OSError:  # nobody watches any more: the work goes on
        return


def _interrupt() -> None:
    """As Ctrl-C does, from a thread; once, for a second one would disturb the cleaning up."""
    if os.name == "posix":
        os.kill(os.getpid(), signal.SIGINT)  # unlike the other way, ends a wait of the main thread
    else:
        import _thread

        _thread.interrupt_main()


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), sys.argv[2:]))
