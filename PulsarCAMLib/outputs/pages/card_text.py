"""A whole model card in readable form: blocks of sentences, facts and tables that any page or console can show."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...core.map_method import cost_in_words
from ...core.pluralize import pluralize
from ...core.task import SHRINKAGE, Task
from ...core.vocabulary import LEAVE_ONE_OUT, METRIC_TITLES
from ...evaluation.metrics import AcrossTrials, Value, metric_title, metrics_of, shown_first
from ...study.figures.entries import on_mri
from ...trust.known_tissue.synthetic_summary import SPACES, map_rows
from ...trust.maps import RANDOM, is_trivial, map_title
from ...trust.table import COLUMNS, failed, with_interval

if TYPE_CHECKING:
    from ...systems.bundles.card import ModelCard
    from ...systems.contract import System

SHOWN_TRIVIAL = ("intensity", RANDOM)
OLD_DECIMALS = 4
"""To which all figures of earlier cards were rounded."""

ECE_ABOUT = (
    "Expected calibration error: on few {}s above 0 even for a perfectly calibrated model; resampling raises it "
    "further, so no interval is shown. Compare it between models on the same {}s only."
)
TOLD = ("data", "command", "train_command", "machine", "minutes", "minutes_since_last_start")
ECE = "calibration_error"
ABOUT_TRIALS, ABOUT_POOLED = "mean ± sd over trials", "pooled: all {}s together (95 % interval)"
NOT_KEPT = "not in this card"
WHERE = {"volume": "all voxels of the GTV", "slice": "answering slice"}
Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Block:
    """One part of a card.

    Attributes:
        title: its heading.
        facts: (name, value).
        sentences: to be read.
        tables: each with its headings in the first row.
    """

    title: str
    facts: tuple[tuple[str, str], ...] = ()
    sentences: tuple[str, ...] = ()
    tables: tuple[Rows, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.facts or self.sentences or self.tables)


def card_blocks(card: ModelCard) -> list[Block]:
    """Everything that a card says to people, in the order of reading; curves and whole settings stay in its file."""
    return [block for block, _ in _tried(card) if block]


def unreadable_parts(card: ModelCard) -> list[str]:
    """Parts that are not as PulsarCAM writes them, one sentence each; the model may be used all the same."""
    return [problem for _, problem in _tried(card) if problem]


def _tried(card: ModelCard) -> Iterator[tuple[Block, str]]:
    fields = card.fields
    parts: tuple[tuple[str, Callable[[], Block]], ...] = (
        ("What it is", lambda: _identity(card)),
        ("Trained on", lambda: _training(fields["training"], card.system.task)),
        ("Performance", lambda: _performance(fields["performance"], card.system.task)),
        ("Sets of classes", lambda: _sets(fields.get("conformal"))),
        ("Protocols", lambda: _protocols(fields.get("protocols"), card.system)),
        ("Maps", lambda: _maps(card)),
        ("Are the maps true?", lambda: _checks(fields.get("explanation_checks"))),
        ("Versions and hashes", lambda: _origin(card)),
    )
    for title, make in parts:
        try:
            yield make(), ""
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            problem = f"The card's part “{title}” is not as this PulsarCAM writes it ({type(error).__name__}: {error})."
            yield Block(title, sentences=(problem,)), problem


def told(part: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """What a part of a card says in words: "about" and every measurement's "text", at any depth."""
    for key, value in part.items():
        if key in ("about", "text") and isinstance(value, str):
            yield f"{path}{value.rstrip('.')}"
        elif isinstance(value, Mapping):
            yield from told(value, f"{key.replace('_', ' ')}: ")


def _identity(card: ModelCard) -> Block:
    system, fields = card.system, card.fields
    task = system.task
    classes = [(each.name, each.about) for each in task.classes]
    if task.label.kind == SHRINKAGE:
        classes = [(task.positive, str(fields["response"].get("definition", "")))]
    called = f"from a probability of {card.decision_threshold:g} on" if task.binary else "the most probable class"
    facts = (
        ("model", card.origin),
        ("intended use", fields["intended_use"]),
        ("licence", fields["licence"]),
        *classes,
        (f"called {task.positive}" if task.binary else "called", f"{called}; temperature {card.temperature:g}"),
        ("network", f"{card.members} x {system.network_words(card.architecture)}"),
        (system.samples_word, card.preprocessing.in_words()),
    )
    return Block("What it is", facts)


def _training(training: Mapping[str, Any], task: Task) -> Block:
    facts = [(key.replace("_", " "), str(training[key])) for key in TOLD if key in training]
    for key in ("seeds", "epochs", "best_epoch"):
        if isinstance(training.get(key), list):
            facts.append((key.replace("_", " "), ", ".join(map(str, training[key]))))
    sources = training.get(f"{task.label.column}_from")
    if isinstance(sources, Mapping) and sources:
        told = ", ".join(f"{source}: {count}" for source, count in sources.items())
        facts.append((f"{task.label.column} from", told))
    dead = [f"member {n}: {', '.join(map(str, maps))}" for n, maps in enumerate(_lists(training), start=1) if maps]
    facts += [("lost feature maps", "; ".join(dead))] if dead else []
    return Block("Trained on", tuple(facts), (), _last_epochs(training.get("curves")))


def _last_epochs(curves: Any) -> tuple[Rows, ...]:
    """Where every member's curves end: accuracy and whole loss of the lesions learnt from and of those set aside."""
    if not isinstance(curves, list) or not all(isinstance(member, Mapping) for member in curves) or not curves:
        return ()
    names = ("accuracy", "validation_accuracy", "total", "validation_total")
    heads = ("member", "last epoch", *(name.replace("_", " ").replace("total", "loss") for name in names))
    rows = []
    for number, member in enumerate(curves, start=1):
        values = [member[name][-1] if member.get(name) else None for name in names]
        told = ("–" if value is None else f"{value:.3f}" for value in values)
        rows.append((str(number), f"{member['epoch'][-1]:.0f}" if member.get("epoch") else "–", *told))
    return ((heads, *rows),)


def _lists(training: Mapping[str, Any]) -> list[list[int]]:
    found = training.get("dead_feature_maps", [])
    return [maps for maps in found if isinstance(maps, list)] if isinstance(found, list) else []


def _performance(performance: Mapping[str, Any], task: Task) -> Block:
    tables = list(_measured(performance, task))
    error = any(row[0] == METRIC_TITLES[ECE] for rows in tables for row in rows)
    tables += _input_controls(performance.get("input_controls"))
    maps = performance.get("maps")
    if isinstance(maps, Mapping):
        for space in (each for each in SPACES if each in maps):
            (_, *heads), *rows = map_rows(maps, space, task.unit)
            tables.append(_as_rows([(f"map for {task.explained}, {WHERE[space]}", *heads), *rows]))
    sentences = [
        *(f"{text}." for text in told(performance)),
        *([ECE_ABOUT.format(task.unit, task.unit)] if error else []),
    ]
    return Block("Performance", (), tuple(sentences), tuple(tables))


def _input_controls(controls: Any) -> Iterator[Rows]:
    """Models that see less than the network, each with what the network has more."""
    if not isinstance(controls, list) or not controls:
        return

    def reach(value: float | None, ends: Sequence[float] | None, form: str) -> str:
        told_ = "-" if value is None else format(value, form)
        return told_ if not ends else f"{told_} ({format(ends[0], form)} to {format(ends[1], form)})"

    rows = (
        (
            each["name"].replace("-", " "),
            reach(each["auc"], each["interval"], ".3f"),
            reach(each["difference"], each["difference_interval"], "+.3f"),
        )
        for each in controls
    )
    yield (("models that see less", "AUC (95 %)", "the network minus it (95 %)"), *rows)


def _measured(part: Mapping[str, Any], task: Task, path: str = "") -> Iterator[Rows]:
    """Metrics and calibration, wherever a part of a card holds some."""
    metrics, bins = part.get("metrics"), part.get("calibration")
    if isinstance(metrics, Mapping):
        about = f"{path} (positive class: {part.get('positive', 'not stated')})".strip()
        rows = [(metric_title(name, task), value) for name, value in _values(metrics, task).items()]
        yield ((about, "value (95 % interval over patients)"), *rows)
    if isinstance(bins, Sequence) and bins:
        heads = (f"{path} calibration: {task.unit}s".strip(), "mean predicted", "share observed")
        yield (heads, *((str(b["count"]), f"{b['predicted']:.2f}", f"{b['observed']:.2f}") for b in bins))
    for key, value in part.items():
        if isinstance(value, Mapping) and key not in ("metrics", "maps"):
            yield from _measured(value, task, key.replace("_", " "))


def _values(metrics: Mapping[str, Any], task: Task) -> dict[str, str]:
    """Metrics as text, each a :class:`Value` or :class:`AcrossTrials` as a dictionary, in their usual order."""
    stored, found = _decimals(metrics), {}
    for name in metrics_of(task):
        if name in metrics:
            value = (Value if "value" in metrics[name] else AcrossTrials)(**metrics[name])
            if name == ECE and isinstance(value, Value):
                value = replace(value, low=None, high=None)
            found[name] = value.text(stored=stored)
    return found


def _decimals(metrics: Mapping[str, Any]) -> int | None:
    """To which all of them were rounded before they were stored; None: not so far that it shows."""
    numbers = [number for value in metrics.values() for number in value.values() if isinstance(number, float)]
    return OLD_DECIMALS if all(round(number, OLD_DECIMALS) == number for number in numbers) else None


def _protocols(section: Mapping[str, Any] | None, system: System) -> Block:
    """Table 1 with one column per protocol and MRI, and the control beside it."""
    if not section:
        return Block("Protocols")
    entries, task = section.get("table", []), system.task
    several = len({entry["model"] for entry in entries}) > 1
    heads = [_head(entry, several, system) for entry in entries]
    columns = [_column(entry, task) for entry in entries]
    titles = [metric_title(name, task) for name in shown_first(task)]
    names = [*titles, f"AUC of all {task.unit}s together", "AUC with permuted labels"]
    about = [
        ABOUT_POOLED.format(task.unit) if pooled else ABOUT_TRIALS
        for pooled in sorted({_pooled(entry) for entry in entries})
    ]
    tables = (_as_rows([["; ".join(about), *heads], *zip(names, *columns, strict=True)]),) if entries else ()
    return Block("Protocols", (), _sentences(section), tables)


def _pooled(entry: Mapping[str, Any]) -> bool:
    """Whether figures by trial mean little, as a trial holds one patient; earlier cards do not say it."""
    return entry.get("by_trial_means_little", entry["protocol"] == LEAVE_ONE_OUT)


def _column(entry: Mapping[str, Any], task: Task) -> list[str]:
    """Table 1's metrics, the pooled AUC, and the control's AUC of the same kind."""
    pooled = entry.get("pooled") or {}
    shown = _values(pooled if _pooled(entry) else entry["metrics"], task)
    together = _values({"auc": entry["pooled_auc"]} if entry.get("pooled_auc") else {}, task)
    control = entry.get("control_pooled", NOT_KEPT) if _pooled(entry) else {"auc": entry.get("control_auc")}
    told = (
        NOT_KEPT
        if control is NOT_KEPT
        else _values(control, task).get("auc", "–")
        if control and control["auc"]
        else "–"
    )
    return [*(shown.get(name, "–") for name in shown_first(task)), together.get("auc", "–"), told]


def _head(entry: Mapping[str, Any], several: bool, system: System) -> str:
    own = f"{entry['model']}, " if several else ""
    note = " (flatters)" if entry.get("flatters") else " (pooled)" if _pooled(entry) else ""
    return f"{own}{entry['protocol']}{on_mri(entry['time_point'], system)}{note}"


def _sets(section: Mapping[str, Any] | None) -> Block:
    """What can be said with few errors, and how often it held; empty for a model that was not calibrated for it."""
    if not section:
        return Block("Sets of classes")
    facts = (("error rate", f"{100 * section['error_rate']:.3g}% of patients, unless another one is asked for"),
             ("calibrated on", pluralize(section["patients"], "patient")))  # fmt: skip
    return Block("Sets of classes", facts, _sentences(section))


def _maps(card: ModelCard) -> Block:
    """Every method that the system knows: its equation, the unit of its values, and what it costs."""
    facts, classes = [], len(card.system.task.classes)
    for each in card.system.maps:
        when = "" if each.always else "; only when asked for by name"
        facts.append((each.title, f"{each.equation}; unit: {each.unit}{cost_in_words(each, classes)}{when}"))
    kept = card.fields.get("reference")
    sentences = [] if not kept else [f"A reference of {kept['lesions']} lesions is kept", kept["about"]]
    sentences += [kept["added"]] if kept and "added" in kept else []
    return Block("Maps", tuple(facts), tuple(f"{str(each).rstrip('.')}." for each in sentences))


def _checks(section: Mapping[str, Any] | None) -> Block:
    if not section:
        return Block("Are the maps true?")
    maps = section["maps"]
    fails = [(map_title(name), failed(each["verdicts"])) for name, each in maps.items()]
    shown = [name for name in maps if not is_trivial(name) or name in SHOWN_TRIVIAL]
    found = [score for score in COLUMNS if any(maps[name]["scores"].get(score) for name in shown)]
    rows = [[COLUMNS[score], *(with_interval(maps[name]["scores"].get(score)) for name in shown)] for score in found]
    tables = (_as_rows([["mean (95 % interval)", *(map_title(name) for name in shown)], *rows]),
              (("map", "fails"), *fails))  # fmt: skip
    return Block("Are the maps true?", (), _sentences(section), tables)


def _sentences(section: Mapping[str, Any]) -> tuple[str, ...]:
    """Its own "about" and "text", which may be several sentences."""
    found = []
    for key in ("about", "text"):
        value = section.get(key, ())
        found += [value] if isinstance(value, str) else list(value)
    return tuple(f"{text.rstrip('.')}." for text in found if text)


def _origin(card: ModelCard) -> Block:
    training, fields = card.fields["training"], card.fields
    software = training.get("software", {})
    facts = [("format", f"{fields['format']}, version {fields['format_version']}")]
    facts.append(("model", f"{card.name} {fields['version']}"))
    facts.append(("software", ", ".join(f"{name} {version}" for name, version in software.items()) or "not stated"))
    facts.append(("weights", f"{fields['weights']['file']}, SHA-256 {card.sha256}"))
    for what, sha256 in training.get("sha256", {}).items():
        facts.append((what.replace("_", " "), f"SHA-256 {sha256}"))
    return Block("Versions and hashes", tuple(facts))


def _as_rows(rows: Sequence[Sequence[str]]) -> Rows:
    return tuple(tuple(row) for row in rows)
