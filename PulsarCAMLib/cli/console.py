"""What the person at the console sees: one sentence for an error, warnings, a progress bar, timings."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..core.errors import BundleError, Cancelled, Incomplete, InputError, OutputError, PulsarCAMError
from ..core.progress import OnProgress
from ..core.visible import visible

OK, UNEXPECTED, USAGE, INPUT, MODEL, OUTPUT, SOME, INTERRUPTED = 0, 1, 2, 3, 4, 5, 6, 130

_CODES = (
    (Cancelled, INTERRUPTED),
    (BundleError, MODEL),
    (OutputError, OUTPUT),
    (Incomplete, SOME),
    (InputError, INPUT),
)


def guarded(work: Callable[[], None], debug: bool = False) -> int:
    """Run ``work`` and turn whatever goes wrong into one sentence on stderr and an exit code."""
    try:
        with _terminable():
            work()
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was written.", INTERRUPTED)
    except PulsarCAMError as error:
        if debug and not isinstance(error, Incomplete):
            raise
        return _fail(str(error), next((code for kind, code in _CODES if isinstance(error, kind)), INPUT))
    except BrokenPipeError:  # the reader of our output, such as `head`, has gone
        sys.stderr.close()
        return UNEXPECTED
    except OSError as error:  # what is known of files is said where they are read; this is what is left
        if debug:
            raise
        return _fail(_of_system(error), INPUT)
    except MemoryError:
        return _fail("there is not enough memory; close other programs or crop the image.", UNEXPECTED)
    except Exception as error:
        if debug:
            raise
        text = " ".join(f"{type(error).__name__}: {error}".split())
        return _fail(f"unexpected fault ({text}); add --debug to see where.", UNEXPECTED)
    return OK


def _of_system(error: OSError) -> str:
    """What the system says of a file, a disk or a process."""
    from ..io.plain_files import shown_path

    name = f"{shown_path(error.filename)} cannot be used: " if isinstance(error.filename, (str, os.PathLike)) else ""
    return f"{name}{error.strerror or type(error).__name__}; choose another place or file, and try again."


def _fail(sentence: str, code: int) -> int:
    print(f"pulsarcam: error: {visible(sentence)}", file=sys.stderr)
    return code


def warn(sentence: str) -> None:
    """One warning on stderr."""
    print(f"pulsarcam: warning: {visible(sentence)}", file=sys.stderr)


def note(sentence: str) -> None:
    """One thing to know on stderr, about which nothing need be done."""
    print(f"pulsarcam: {visible(sentence)}", file=sys.stderr)


@contextmanager
def _terminable() -> Iterator[None]:
    """A polite kill (SIGTERM) cleans up as Ctrl-C does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number, _frame) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


PROGRESS = "pulsarcam: progress: "
LINE_SECONDS = 60.0
"""Between two lines about progress where there is no terminal for a bar."""


class ProgressLines:
    """Tells how far a long run is where its output goes into a file: a line a minute, none for a short one."""

    def __init__(self, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._off, self._clock, self._told = quiet or sys.stderr.isatty(), clock, clock()

    def tell(self, fraction: float, text: str) -> None:
        """The share done, and what is being done."""
        now = self._clock()
        if not self._off and now - self._told >= LINE_SECONDS:
            self._told = now
            print(f"{PROGRESS}{fraction:4.0%} {visible(text)}", file=sys.stderr, flush=True)


class Progress:
    """A bar on stderr from 0 to 100 %, shown on a terminal only; elsewhere a line a minute.

    Attributes:
        shown: whether there is a bar.
    """

    def __init__(self, quiet: bool) -> None:
        self._bar, self._lines = None, ProgressLines(quiet)
        if quiet or not sys.stderr.isatty():
            return
        from tqdm import tqdm

        layout = "{percentage:3.0f}% |{bar}| {desc}"
        self._bar = tqdm(total=100, file=sys.stderr, leave=False, bar_format=layout)

    def part(self, low: float, high: float) -> OnProgress:
        """A callback whose 0..1 fills the bar from ``low`` to ``high`` (fractions)."""

        def on_progress(fraction: float, text: str) -> None:
            self._lines.tell(low + (high - low) * fraction, text)
            if self._bar is not None:
                self._bar.set_description_str(text, refresh=False)
                self._bar.update(100 * (low + (high - low) * fraction) - self._bar.n)

        return on_progress

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_error) -> None:
        if self._bar is not None:
            self._bar.close()


class TimedBar:
    """A bar on stderr with the time left, one per stage, shown on a terminal only; elsewhere a line a minute."""

    def __init__(self, quiet: bool) -> None:
        self._off = quiet or not sys.stderr.isatty()
        self._bar, self._lines = None, ProgressLines(quiet)

    def __enter__(self) -> TimedBar:
        return self

    def __exit__(self, *_error) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    @contextmanager
    def stage(self, name: str) -> Iterator[OnProgress]:
        """A callback whose 0..1 fills a bar of its own; what was done before, as in a resumed run, does not count."""
        from tqdm import tqdm

        layout = "{percentage:3.0f}% |{bar}| {desc} [{elapsed}, {remaining} left]"
        self.clear()
        bar = self._bar = tqdm(total=100, desc=name, file=sys.stderr, disable=self._off, leave=False, bar_format=layout)
        told = False

        def on_progress(fraction: float, text: str) -> None:
            nonlocal told
            if not told and not self._off:
                bar.initial = bar.n = 100 * fraction
            told = True
            self._lines.tell(fraction, f"{name}: {text}")
            bar.set_description_str(f"{name}: {text}", refresh=False)
            bar.update(100 * fraction - bar.n)

        try:
            yield on_progress
        finally:
            self.clear()


class Timings:
    """Seconds by step, and the highest memory of this process."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the time spent inside under ``name``."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[name] = self._seconds.get(name, 0.0) + time.perf_counter() - start

    @property
    def seconds(self) -> dict[str, float]:
        """What has been counted so far."""
        return dict(self._seconds)

    def show(self) -> None:
        """Print the breakdown on stderr."""
        total = time.perf_counter() - self._start
        rows = [*self._seconds.items(), ("other", total - sum(self._seconds.values())), ("total", total)]
        for name, seconds in rows:
            print(f"  {name:<28}{seconds:7.2f} s", file=sys.stderr)
        peak = peak_memory_mib()
        if peak:
            print(f"  {'peak memory':<28}{peak:7.0f} MiB", file=sys.stderr)


def peak_memory_mib() -> float | None:
    """Highest resident memory of this process so far; None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / (1 << 20)


def table(rows: Sequence[dict], columns: dict[str, str]) -> str:
    """Rows as aligned text.

    Args:
        rows: with the keys of ``columns``.
        columns: key to heading.
    """
    texts = [list(columns.values())]
    texts += [[_cell(row[key]) for key in columns] for row in rows]
    widths = [max(len(line[n]) for line in texts) for n in range(len(columns))]
    numeric = [all(not isinstance(row[key], str) for row in rows) for key in columns]
    lines = (
        "  ".join(t.rjust(w) if right else t.ljust(w) for t, w, right in zip(line, widths, numeric, strict=True))
        for line in texts
    )
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: object) -> str:
    return f"{value:.2f}" if isinstance(value, float) else visible(str(value))
