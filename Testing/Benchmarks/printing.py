"""The report of a benchmark: printed row by row, and kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from measuring import Row


def print_head(title: str, facts: dict, how: str) -> None:
    """What was measured on, and how the figures are meant."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    print(
        f"# {title}\n\n{facts['processor']}; {facts['cores']} cores, {facts['memory_gb']} GB, {facts['system']}; "
        f"Python {facts['python']}, {versions}; load at the start {facts['load_at_start']}.\n{how}",
        flush=True,
    )


def print_rows(rows: Iterable[Row], before: list[Row]) -> None:
    """Each row as soon as it is there; it is added to those before."""
    for row in rows:
        if not before or before[-1].group != row.group:
            print(f"\n## {row.group}\n\n| what | figure | target | | note |\n|---|---|---|---|---|")
        print(_line(row), flush=True)
        before.append(row)


def _line(row: Row) -> str:
    return f"| {row.what} | {row.value:.{_digits(row)}f} {row.unit} | {row.limit} | {row.verdict} | {row.note} |"


def _digits(row: Row) -> int:
    return 1 if abs(row.value) >= 10 else 3 if row.limit.startswith("<=") else 2


def print_end(found: list[Row], seconds: float) -> None:
    """How many targets were met."""
    verdicts = [row.verdict for row in found]
    print(f"\n{verdicts.count('met')} targets met, {verdicts.count('MISSED')} missed; {seconds:.0f} s.")


def save(path: Path, facts: dict, found: list[Row], **more: object) -> None:
    """Machine and rows as JSON; ``more`` stands between them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"machine": facts, **more, "rows": [row.to_json() for row in found]}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"Written: {path}")
