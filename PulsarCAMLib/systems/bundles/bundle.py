"""Model bundles: a folder with ``card.json`` and a safetensors file with all members. Nothing in it can run."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import BundleError, OutputError
from ...io.plain_files import is_file, is_folder, possible_place, read_plain, shown_path
from ..registry import system_of
from .card import ModelCard
from .card_rules import FORMAT, FORMAT_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import nn

    from ..contract import Predictor

CARD_FILE = "card.json"
WEIGHTS_FILE = "weights.safetensors"
SHIPPED = Path(__file__).resolve().parents[2] / "Resources" / "Models"
LARGEST_WEIGHTS_BYTES = 4 << 30
"""Far above an ensemble of the largest 3D network."""

USER_FOLDER_VARIABLE = "PULSARCAM_MODELS"


@dataclass(frozen=True)
class ModelBundle:
    """A bundle whose card and weights were checked; torch is needed only for :attr:`ensemble`.

    Attributes:
        folder: where it lies.
        card: the checked card.
        weights: the safetensors file's bytes, whose hash is the card's.
    """

    folder: Path
    card: ModelCard
    weights: bytes

    @cached_property
    def ensemble(self) -> Predictor:
        """The members, loaded once.

        Raises:
            BundleError: tensors are missing, unknown, of the wrong shape, or not finite.
        """
        from .weights import members_of, read_tensors

        members = members_of(self.card, read_tensors(self.card, self.weights))
        if "reference" in self.card.fields:
            self.card.system.give_reference(members, self.card.fields["reference"])
        return self.card.system.predictor(members)


def load_bundle(folder: str | os.PathLike) -> ModelBundle:
    """Read and check a bundle; nothing from it is executed.

    Raises:
        BundleError: no bundle there, an unknown version, a missing field, or a wrong hash.
    """
    folder = Path(folder)
    card = ModelCard.read(folder / CARD_FILE)
    _ = card.architecture
    weights = read_weights(folder, card)
    if hashlib.sha256(weights).hexdigest() != card.sha256:
        raise BundleError(f"The weights of model “{card.name}” are not those its card describes (wrong sha256).")
    return ModelBundle(folder, card, weights)


def read_weights(folder: Path, card: ModelCard) -> bytes:
    """The bytes of the weights' file, which is no link and not larger than any model.

    Raises:
        BundleError: there is no such file.
    """
    path = folder / card.fields["weights"]["file"]
    return read_plain(path, "file of weights", BundleError, at_most=LARGEST_WEIGHTS_BYTES, linked=False)


def bundle_of(members: Sequence[nn.Module], fields: dict[str, Any], folder: str | os.PathLike) -> ModelBundle:
    """A bundle in memory, for use before it is written.

    Args:
        members: the ensemble, all of one architecture.
        fields: the card without format, version, members, classes, weights and probe: those are filled in; so is the
            architecture where the members have one, and of which weights a reference is.
        folder: where it will lie.

    Raises:
        BundleError: the card would not be valid or has another mask rule than the members, or weights are not finite.
    """
    import safetensors.torch

    from .probe import probe_card

    tensors = {f"{i}.{name}": t.contiguous() for i, m in enumerate(members) for name, t in m.state_dict().items()}
    weights = safetensors.torch.save({name: t.cpu() for name, t in tensors.items()})
    fields = dict(fields)
    architecture = fields.pop("architecture", None) or cast(Any, members[0]).architecture.to_card()
    digest = hashlib.sha256(weights).hexdigest()
    if "reference" in fields:
        fields["reference"] = {"weights_sha256": digest} | dict(fields["reference"])
    whole = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        **fields,
        "architecture": architecture,
        "members": len(members),
        "classes": list(system_of(architecture["name"]).task.names),
        "weights": {"file": WEIGHTS_FILE, "sha256": digest},
    }
    card = ModelCard.from_fields(whole)
    card.system.check_members(members, card.preprocessing)
    probe = probe_card(card, ModelBundle(Path(folder), card, weights).ensemble)
    whole |= {"probe": probe} if probe else {}
    return ModelBundle(Path(folder), ModelCard.from_fields(whole), weights)


def save_bundle(
    folder: str | os.PathLike,
    members: Sequence[nn.Module],
    fields: dict[str, Any],
    *,
    overwrite: bool = False,
) -> ModelBundle:
    """Write a bundle; it appears whole or not at all.

    Args:
        folder: the bundle's folder, made new.
        members, fields: as :func:`bundle_of` takes them.
        overwrite: replace a bundle that is already there.

    Raises:
        OutputError: the folder exists or cannot be written.
        BundleError: the card would not be valid, or weights are not finite.
    """
    folder = Path(folder)
    check_bundle_place(folder, overwrite=overwrite)
    return _written(bundle_of(members, fields, folder))


def save_with_reference(
    bundle: ModelBundle, section: dict[str, Any], folder: str | os.PathLike, *, overwrite: bool = False
) -> ModelBundle:
    """A bundle with another section ``reference`` in its card, see :func:`save_with_section`."""
    own = {"weights_sha256": bundle.card.sha256} | section
    return save_with_section(bundle, "reference", own, folder, overwrite=overwrite)


def save_with_section(
    bundle: ModelBundle, name: str, section: dict[str, Any], folder: str | os.PathLike, *, overwrite: bool = False
) -> ModelBundle:
    """A bundle with another section in its card; the file of weights is the same, byte for byte.

    Raises:
        OutputError: the folder exists or cannot be written.
        BundleError: the section does not go with the members.
    """
    folder = Path(folder)
    check_bundle_place(folder, overwrite=overwrite)
    fields = dict(bundle.card.fields) | {name: section}
    fields["weights"] = fields["weights"] | {"file": WEIGHTS_FILE}
    return _written(ModelBundle(folder, ModelCard.from_fields(fields), bundle.weights))


def _written(bundle: ModelBundle) -> ModelBundle:
    """The bundle in its folder, whole or not at all."""
    from ...io.atomic import whole_folder

    folder = bundle.folder
    text = json.dumps(dict(bundle.card.fields), indent=1, ensure_ascii=False) + "\n"
    try:
        with whole_folder(folder) as made:
            (made / CARD_FILE).write_text(text, encoding="utf-8")
            (made / WEIGHTS_FILE).write_bytes(bundle.weights)
    except OSError as error:
        raise OutputError(f"The model bundle cannot be written to {folder} ({error.strerror}).") from error
    return load_bundle(folder)


def check_bundle_place(folder: Path, *, overwrite: bool = False) -> None:
    """Refuse now what would have to be refused after a training.

    Raises:
        OutputError: something is there that is no bundle, may not be replaced, or holds more than a bundle.
    """
    from ...io.atomic import REPLACE

    if not os.path.lexists(possible_place(folder)):
        return
    if not is_file(folder / CARD_FILE):
        raise OutputError(f"{folder} is not a model bundle, so it is never replaced; choose another name.")
    if not overwrite:
        raise OutputError(f"{folder} exists already", REPLACE)
    strange = sorted(path.name for path in folder.iterdir() if path.name not in (CARD_FILE, WEIGHTS_FILE))
    if strange:
        raise OutputError(
            f"{folder} is not replaced because it holds files that PulsarCAM did not write there "
            f"({', '.join(strange[:3])}{', ...' if len(strange) > 3 else ''}); move them elsewhere first."
        )


def user_folder() -> Path:
    """Where models are installed for this user: ``PULSARCAM_MODELS`` if set, else beside other programs' data."""
    chosen = os.environ.get(USER_FOLDER_VARIABLE)
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "PulsarCAM" / "Models"


def model_folders() -> list[Path]:
    """Where bundles are looked for: the user's folder and the one that ships."""
    return [user_folder(), SHIPPED]


def installed_bundles() -> dict[str, Path]:
    """Folders of the installed bundles by name; a user's own bundle hides a shipped one of the same name."""
    found: dict[str, Path] = {}
    for parent in reversed(model_folders()):
        for card in sorted(parent.glob(f"*/{CARD_FILE}")) if is_folder(parent) else []:
            if not card.parent.name.startswith("."):
                found[card.parent.name] = card.parent
    return found


def bundle_folder(name_or_folder: str | os.PathLike) -> Path:
    """Folder of an installed bundle by the name of its folder, the folder given, or the name in an installed card.

    Raises:
        BundleError: none of these; the installed names are listed. Or several installed cards have this name.
    """
    installed = installed_bundles()
    if str(name_or_folder) in installed:
        return installed[str(name_or_folder)]
    if str(name_or_folder) and is_file(Path(name_or_folder) / CARD_FILE):
        return Path(name_or_folder)
    found = [folder for folder in installed.values() if _card_name(folder) == str(name_or_folder)]
    if len(found) == 1:
        return found[0]
    if found:
        folders = " and ".join(map(str, found))
        raise BundleError(
            f"There are {len(found)} models “{name_or_folder}”: {folders}; give the folder of one of them."
        )
    known = ", ".join(sorted(installed)) or "none"
    raise BundleError(
        f"There is no model “{shown_path(name_or_folder)}”: it is neither a bundle folder nor one of the installed "
        f"models ({known})."
    )


def _card_name(folder: Path) -> str | None:
    try:
        return ModelCard.read(folder / CARD_FILE).name
    except BundleError:
        return None


def find_card(name_or_folder: str | os.PathLike) -> ModelCard:
    """The card of a bundle, without its weights.

    Raises:
        BundleError: there is no such bundle, or its card is wrong.
    """
    return ModelCard.read(bundle_folder(name_or_folder) / CARD_FILE)


def find_bundle(name_or_folder: str | os.PathLike) -> ModelBundle:
    """Load a bundle by the name of an installed one, or by its folder.

    Raises:
        BundleError: neither; the installed names are listed.

    Examples:
        >>> bundle = find_bundle("synthetic-demo")
        >>> bundle.card.synthetic, bundle.card.system.task.names
        (True, ('non-response', 'response'))
    """
    return load_bundle(bundle_folder(name_or_folder))
