"""The numbers of a planned dose as the panel says them."""

from __future__ import annotations

from collections.abc import Sequence

from slicer.i18n import tr as _

from ...dose.case import ACTIVATED, REST, WHOLE, sentence_of
from ...dose.contrast import LESS, MORE
from ...dose.histogram import share_text
from ..compare.narrative import is_known

COLUMNS = ("mean_gy", "d98_gy", "d50_gy", "d2_gy")

MOST_SENTENCES = 3
"""With more lesions they are counted, and one is told of."""


def headings() -> tuple[tuple[str, str], ...]:
    """Of the table, with their tool tips."""
    return (
        (_("Lesion"), _("The lesion, its activated part, and the rest of it")),
        (_("Mean"), _("Mean dose, Gy")),
        ("D98", _("The dose that 98 % of the volume get at least, Gy")),
        ("D50", _("The dose that half of the volume gets at least, Gy")),
        ("D2", _("The dose that 2 % of the volume get at least, Gy")),
    )


def region_text(row: dict) -> str:
    """First cell of a row: a lesion by its name, its parts below it."""
    return {WHOLE: row["lesion"], ACTIVATED: _("   activated"), REST: _("   rest")}.get(row["region"], row["region"])


def gray_text(value) -> str:
    """One digit, as doses are spoken of."""
    return f"{value:.1f}" if is_known(value) else "–"


def details_text(row: dict) -> str:
    """Tool tip of a row: what the table has no room for."""
    lines = [_("“{lesion}”, {region}").format(lesion=row["lesion"], region=row["region"])]
    if row["undefined"]:
        lines.append(row["undefined"][:1].upper() + row["undefined"][1:])
    lines.append(_("{volume:.2f} cm³, {voxels:.0f} voxels of the dose").format(
        volume=row["volume_cm3"], voxels=row["dose_voxels"]))  # fmt: skip
    if is_known(row["min_gy"]):
        lines.append(_("{low:.1f} to {high:.1f} {unit}").format(
            low=row["min_gy"], high=row["max_gy"], unit=row["quantity"]))  # fmt: skip
        levels = [name for name in row if name.startswith("v") and name[1:2].isdigit() and is_known(row[name])]
        lines += [f"V{name[1:].removesuffix('_percent')} Gy: {share_text(row[name])} %" for name in levels]
    if is_known(row["v_prescription_percent"]):
        lines.append(_("{share} % get the prescribed dose").format(share=share_text(row["v_prescription_percent"])))
    if is_known(row["conformity_paddick"]):
        lines.append(_("Conformity (Paddick): {value:.2f}").format(value=row["conformity_paddick"]))
    if is_known(row["gradient_index"]):
        lines.append(_("Gradient index: {value:.2f}").format(value=row["gradient_index"]))
    return "\n".join(lines)


def known_contrast(row: dict) -> dict:
    """A row of the table of contrasts with None where it has no number."""
    return {name: None if name.endswith("_gy") and not is_known(value) else value for name, value in row.items()}


def answers_text(contrasts: Sequence[dict], chosen: str | None) -> str:
    """Whether the activated parts get less: a sentence for each lesion, or how many there are and the chosen one's."""
    if len(contrasts) <= MOST_SENTENCES:
        return "\n".join(map(sentence_of, contrasts))
    answers = [row["answer"] for row in contrasts]
    text = _(
        "Of {all} lesions the activated part gets less in {less}, more in {more}; not shown or not told in {open}."
    )
    less, more = answers.count(LESS), answers.count(MORE)
    counted = text.format(all=len(answers), less=less, more=more, open=len(answers) - less - more)
    return "\n".join([counted, *(sentence_of(row) for row in contrasts if row["lesion"] == chosen)])


def unit_text(rows: Sequence[dict]) -> str:
    """Below the table: in what doses are told, as in "Gy EQD2 (alpha/beta 10 Gy)"."""
    return _("Doses in {unit}.").format(unit=rows[0]["quantity"]) if rows else ""
