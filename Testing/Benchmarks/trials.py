"""(d) The 50-trial protocol: PulsarCAM in two processes, a plain PyTorch loop, and Keras if asked, on two cores.

    python Testing/Benchmarks/trials.py [--turns 3] [--epochs 8] [--keras]     shortened, about two minutes
    python Testing/Benchmarks/trials.py --whole [--trials 8] [--keras]         150 epochs, nothing is extrapolated
    python Testing/Benchmarks/trials.py --accuracy 5 [--run STUDY]             whole trainings, what they answer

69 lesions x 6 rotations, repeated 80/20 splits by lesion, batches of 64, 150 epochs. Every contestant is a process of
its own with its framework's default threads on the same two cores and gets the same patches and splits. The shortened
form trains few trials for one epoch and for some more, in turns; their difference is the epochs' cost, the rest of the
short run is what each trial costs besides, and what only the very first run took is added once:
    whole = first + trials / measured * (short + 149 * (long - short) / (epochs - 1)).
Other work on the cores slows the contestants unevenly (two threads that wait for each other most of all), so that it is
watched between the measurements and no target is judged beside it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psutil

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from contestants import CORES, KERAS_PYTHON, Answer, Contestant  # noqa: E402
from machine import describe  # noqa: E402
from measuring import Row  # noqa: E402
from printing import print_end, print_head, print_rows, save  # noqa: E402
from trials_study import Prepared, prepare  # noqa: E402

TRIALS, EPOCHS = 50, 150
QUIET_PERCENT = 10.0
"""Share of the cores that other work may take."""
GROUP = "(d) 50 trials, 69 lesions x 6 rotations x 150 epochs, two cores{}"
OURS, ALONE, PLAIN, KERAS = "PulsarCAM, two processes", "PulsarCAM, one process", "plain PyTorch loop", "Keras"
HOW = "Ratios are of whole protocols, turn by turn: the median, and the least and the greatest in the note."


@dataclass(frozen=True)
class Entry:
    """A contestant and what it is asked.

    Attributes:
        process: that does it.
        trials: of one measurement.
        command: what else it is told.
    """

    process: Contestant
    trials: tuple[int, ...]
    command: dict

    def ask(self, epochs: int, trials: list[int] | None = None) -> Answer:
        """Train."""
        return self.process.ask(trials or list(self.trials), epochs, **self.command)


@dataclass
class Costs:
    """What was measured of one contestant, in seconds.

    Attributes:
        measured: trials of one measurement.
        epochs: of the long one.
        first: the very first short one.
        short, long: turn by turn.
    """

    measured: int
    epochs: int
    first: float
    short: list[float]
    long: list[float]

    @property
    def start(self) -> float:
        """What only the first run costs: processes, imports, compilation."""
        return max(0.0, self.first - min(self.short))

    def epoch(self, turn: int) -> float:
        """One more epoch of the measured trials."""
        return (self.long[turn] - self.short[turn]) / (self.epochs - 1)

    def whole(self, turn: int) -> float:
        """The whole protocol as this turn has it."""
        return self.start + TRIALS / self.measured * (self.short[turn] + (EPOCHS - 1) * self.epoch(turn))

    @property
    def turns(self) -> range:
        """Their numbers."""
        return range(len(self.long))

    def in_words(self) -> str:
        """Where the time goes."""
        epoch = median(self.epoch(turn) for turn in self.turns)
        besides = max(0.0, median(self.short) - epoch)
        return (
            f"{self.measured} trial{'s' * (self.measured > 1)} measured: {epoch:.2f} s an epoch, {besides:.2f} s "
            f"besides; {self.start:.1f} s once"
        )


def entries(stack: ExitStack, study: Path, keras: bool) -> dict[str, Entry]:
    """All contestants, started.

    Raises:
        RuntimeError: Keras is wanted and its environment is not there.
    """
    ours = stack.enter_context(Contestant("trials_ours.py", study))
    # A short run that never reached a checkpoint would flatter: one a second instead of one in ten seconds.
    quick = {"checkpoint_seconds": 1.0}
    found = {
        OURS: Entry(ours, (0, 1), {**quick, "at_once": CORES}),
        ALONE: Entry(ours, (0, 1), {**quick, "at_once": 1}),
        PLAIN: Entry(stack.enter_context(Contestant("trials_plain.py", study)), (0,), {}),
    }
    if keras:
        if not KERAS_PYTHON.exists():
            raise RuntimeError('Keras is not set up; start with: make bench ARGS="--keras"')
        found[KERAS] = Entry(stack.enter_context(Contestant("trials_keras.py", study, python=KERAS_PYTHON)), (0,), {})
    return found


def measure(found: dict[str, Entry], epochs: int, turns: int, seconds: float = 600.0) -> tuple[dict[str, Costs], float]:
    """All contestants in turn, and the greatest share of the cores in per cent that other work took between them.

    No new turn begins after ``seconds``.
    """
    costs = {name: Costs(len(e.trials), epochs, e.ask(1).seconds, [], []) for name, e in found.items()}
    began, busy = time.perf_counter(), other_work()
    for _ in range(turns):
        for name, entry in found.items():
            costs[name].short.append(entry.ask(1).seconds)
            costs[name].long.append(entry.ask(epochs).seconds)
        busy = max(busy, other_work())
        if time.perf_counter() - began > seconds:
            break
    return costs, busy


def other_work() -> float:
    """Per cent of all cores that are in use while every contestant waits."""
    time.sleep(0.5)  # threads of the last one may still spin
    return psutil.cpu_percent(interval=1.0)


def rows(
    quick: bool,
    keras: bool = False,
    epochs: int | None = None,
    turns: int | None = None,
    cohort: Path | None = None,
) -> Iterator[Row]:
    """The report's lines, from the shortened form.

    Args:
        quick: fewer epochs and one turn; figures are rougher.
        keras: whether Keras takes part.
        epochs: of the longer runs.
        turns: of all contestants.
        cohort: table of lesions; None: the acceptance cohort is made.

    Raises:
        RuntimeError: a contestant failed.
    """
    epochs, turns = epochs or (4 if quick else 8), turns or (1 if quick else 3)
    with tempfile.TemporaryDirectory(prefix="pulsarcam-bench-") as name, ExitStack() as stack:
        prepared = prepare(Path(name), cohort, TRIALS)
        found = entries(stack, prepared.folder, keras)
        costs, busy = measure(found, epochs, turns)
        about = {name: entry.process.about for name, entry in found.items()}
    group = GROUP.format(f"; from runs of 1 and {epochs} epochs, {turns} turns; other work took up to {busy:.0f} %")
    for name, cost in costs.items():
        whole = [cost.whole(turn) / 60 for turn in cost.turns]
        spread = f"{min(whole):.1f} to {max(whole):.1f}; {cost.in_words()}"
        yield Row(group, name, median(whole), "min", note=f"{spread}{_versions(about[name])}")
    times = {name: [cost.whole(turn) for turn in cost.turns] for name, cost in costs.items()}
    yield from ratios(group, times, busy)
    ours = median(costs[OURS].whole(turn) for turn in costs[OURS].turns)
    yield _preparation(group, prepared, about[OURS]["loading"], ours)


def ratios(group: str, times: dict[str, list[float]], busy: float, trials: int = TRIALS) -> Iterator[Row]:
    """Of whole protocols, turn by turn; targets hold for 50 trials on a machine that has nothing else to do."""
    judged = busy <= QUIET_PERCENT and trials == TRIALS
    asked = ((PLAIN, OURS, ">= 3"), (ALONE, OURS, ">= 1.8"), (KERAS, OURS, ""), (PLAIN, ALONE, ""))
    for slow, fast, limit in asked:
        if slow not in times:
            continue
        found = [a / b for a, b in zip(times[slow], times[fast], strict=True)]
        note = f"{min(found):.2f} to {max(found):.2f} over turns"
        if limit and not judged:
            other = f"other work took up to {busy:.0f} % of the cores"
            why = other if trials == TRIALS else f"it is for {TRIALS} trials"
            note += f"; target {limit} is not judged: {why}"
        yield Row(group, f"{slow} / {fast}", median(found), "times", limit if judged else "", note)


def _preparation(group: str, prepared: Prepared, loading: float, protocol: float, trials: int = TRIALS) -> Row:
    """Cutting, writing and loading the patches as a share of everything that PulsarCAM does for 50 trials."""
    spent = prepared.cutting + loading
    total = spent + protocol
    note = (
        f"{prepared.cutting:.1f} s for cutting, rotating and writing, {loading:.2f} s for loading, of {total / 60:.1f} "
        f"min; with the check of every file before it ({prepared.checking:.1f} s) "
        f"{100 * (spent + prepared.checking) / (total + prepared.checking):.2f} %. {prepared.about}"
    )
    limit = "<= 5" if trials == TRIALS else ""
    return Row(group, "data preparation's share", 100 * spent / total, "%", limit, note)


def _versions(about: dict) -> str:
    return "".join(f"; {name} {value}" for name, value in about.items() if name != "loading")


def whole_rows(trials: int, epochs: int, keras: bool, cohort: Path | None) -> Iterator[Row]:
    """The real thing, once each: nothing is shortened but, if wanted, the number of trials."""
    with tempfile.TemporaryDirectory(prefix="pulsarcam-bench-") as name, ExitStack() as stack:
        prepared = prepare(Path(name), cohort, trials)
        found = entries(stack, prepared.folder, keras)
        group = f"(d) whole: {trials} trials, {epochs} epochs, {prepared.about}, two cores"
        times: dict[str, list[float]] = {}
        busy = 0.0
        for name, entry in found.items():
            entry.command.pop("checkpoint_seconds", None)
            busy = max(busy, other_work())
            times[name] = [entry.ask(epochs, list(range(trials))).seconds]
            yield Row(group, name, times[name][0] / 60, "min", note=_versions(entry.process.about)[2:])
        loading = found[OURS].process.about["loading"]
    yield from ratios(group, times, busy, trials)
    yield _preparation(group, prepared, loading, times[OURS][0], trials)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, help="of each contestant (3)")
    parser.add_argument("--epochs", type=int, help="of the longer runs (8), or of the whole ones (150)")
    parser.add_argument("--trials", type=int, default=TRIALS, help="of --whole (%(default)s)")
    parser.add_argument("--keras", action="store_true", help="Keras as well; needs the set-up of make bench")
    parser.add_argument("--whole", action="store_true", help="nothing shortened; hours")
    parser.add_argument("--accuracy", type=int, metavar="N", help="train N splits whole and compare the answers")
    parser.add_argument("--run", type=Path, metavar="STUDY", help="finished study whose answers are ours; only read")
    parser.add_argument("--cohort", type=Path, help="table of lesions, instead of the generated ones")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "bench-results", help="folder of the JSON files")
    options = parser.parse_args()
    facts, found, began = describe(), [], time.time()
    kind = "accuracy" if options.accuracy else "whole" if options.whole else "shortened"
    print_head(f"Many trials, {kind}", facts, HOW)
    print_rows(_chosen(options, kind), found)
    print_end(found, time.time() - began)
    save(options.output / f"trials-{kind}.json", facts, found)
    return 0


def _chosen(options: argparse.Namespace, kind: str) -> Iterator[Row]:
    if kind == "accuracy":
        import trials_accuracy

        kept = options.output / "trials-accuracy"
        return trials_accuracy.rows(options.accuracy, options.epochs or EPOCHS, options.run, options.cohort, kept)
    if kind == "whole":
        return whole_rows(options.trials, options.epochs or EPOCHS, options.keras, options.cohort)
    return rows(False, options.keras, options.epochs, options.turns, options.cohort)


if __name__ == "__main__":
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    sys.exit(main())
