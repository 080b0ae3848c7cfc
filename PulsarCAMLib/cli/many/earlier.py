"""Results of earlier runs in the folder of many patients: nobody's result may be read under another's name."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...core.errors import InputError
from .work import hashes_of, identity_of_result, made_of

if TYPE_CHECKING:
    from ...systems.bundles.card import ModelCard
    from .source import One

SHOWN = 5
"""So many folders are named in a sentence."""


def earlier_in(folder: Path) -> dict[str, str]:
    """Names of patients' folders that runs like this one have made, to what they were made of."""
    if not folder.is_dir():
        return {}
    found = {path.name: made_of(path) for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()}
    return {name: made for name, made in found.items() if made}


def settle(ones: Sequence[One], folder: Path, card: ModelCard, overwrite: bool, summaries: Sequence[str]) -> list[str]:
    """Refuse what belongs to another request, or take it away where it may be replaced; names of what was taken away.

    A request is another one where none of the results that are there is what it would make. Results that are going to
    be replaced stay until then.

    Args:
        ones: patients of this run.
        folder: of all.
        card: of the model.
        overwrite: whether an earlier run may be replaced.
        summaries: names of the files that tell of all patients.

    Raises:
        InputError: the results that are there are of other files or options, or of somebody who is not in this run.
        OutputError: what is to be taken away holds files that PulsarCAM did not write.
    """
    from ...io.result_folder import ResultFolder

    there, own = earlier_in(folder), {one.folder: one for one in ones}
    if not there:
        return []
    another = _is_another([own[name] for name in there if name in own], there, card)
    strangers = [name for name in there if name not in own]
    if another and not overwrite:
        raise InputError(
            f"None of the patients could be explained: {folder} holds results of other files or options; choose "
            "another folder, or add --overwrite to replace them."
        )
    if strangers and not overwrite:
        raise InputError(
            f"{folder} holds results of an earlier run for {_listed(strangers)}, who is not among these patients; "
            "choose another folder, or add --overwrite to remove them."
        )
    taken = [name for name in there if name in strangers or (another and own[name].problem)]
    for name in taken:
        ResultFolder(folder / name, overwrite=True).check()
    if taken or another:
        for name in summaries:
            (folder / name).unlink(missing_ok=True)
    for name in taken:
        shutil.rmtree(folder / name)
    return taken


def removed(names: Sequence[str]) -> str:
    """One sentence about what was taken away."""
    return f"Removed of an earlier run, as --overwrite allows: {', '.join(names)}."


def _is_another(ones: Sequence[One], there: dict[str, str], card: ModelCard) -> bool:
    """Whether results are there and none of them is what these patients would get; unreadable files decide nothing."""
    seen = False
    for one in ones:
        if one.problem:
            continue
        try:
            if identity_of_result(one, hashes_of(one), card) == there[one.folder]:
                return False
        except InputError:
            continue
        seen = True
    return seen


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= SHOWN else f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
