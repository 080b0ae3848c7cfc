"""The model card: everything about a bundle that is not a weight, as one readable JSON file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from .. import __version__
from ..errors import BundleError
from ..lesions.preprocessing import Preprocessing
from .architecture import Architecture

FORMAT = "PulsarCAM model bundle"
FORMAT_VERSION = 1
CLASSES = ["non-response", "response"]
LARGEST_CARD_BYTES = 4 << 20

FIELDS: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "format_version": int,
    "name": str,
    "title": str,
    "version": str,
    "synthetic": bool,
    "architecture": dict,
    "members": int,
    "preprocessing": dict,
    "classes": list,
    "response": dict,
    "decision": dict,
    "training": dict,
    "performance": dict,
    "intended_use": str,
    "licence": str,
    "weights": dict,
}
"""What a card must hold, and of which kind."""


@dataclass(frozen=True)
class ModelCard:
    """A checked card.

    Attributes:
        fields: the JSON values, read-only; see :data:`FIELDS` and README "Model bundles".
    """

    fields: MappingProxyType

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> ModelCard:
        """Check a card.

        Raises:
            BundleError: one sentence on the first thing that is wrong.
        """
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            raise BundleError("This is not a PulsarCAM model card.")
        if fields.get("format_version") != FORMAT_VERSION:
            raise BundleError(
                f"The bundle has format version {fields.get('format_version')!r}; this PulsarCAM reads version "
                f"{FORMAT_VERSION}. Update PulsarCAM or the bundle."
            )
        missing = [name for name in FIELDS if name not in fields]
        if missing:
            raise BundleError(f"The model card lacks {', '.join(missing)}.")
        for name, kind in FIELDS.items():
            if not isinstance(fields[name], kind) or (kind is int and isinstance(fields[name], bool)):
                raise BundleError(f"The model card's “{name}” is not a {kind.__name__}.")
        card = cls(MappingProxyType(fields))
        card._check_values()
        return card

    def _check_values(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", self.name):
            raise BundleError(f"The model's name {self.name!r} may have only small letters, digits, '.', '_' and '-'.")
        if self.fields["classes"] != CLASSES:
            raise BundleError(f"The model's classes must be {CLASSES}, not {self.fields['classes']}.")
        if not 1 <= self.members <= 1000:
            raise BundleError(f"The model card's number of members, {self.members}, is not usable.")
        for group, key in (("decision", "threshold"), ("decision", "temperature"), ("response", "shrinkage_threshold")):
            value = self.fields[group].get(key)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1000:
                raise BundleError(f"The model card's {group} needs a positive number “{key}”.")
        if self.decision_threshold >= 1 or self.fields["response"]["shrinkage_threshold"] >= 1:
            raise BundleError("The model card's thresholds must lie between 0 and 1.")
        weights = self.fields["weights"]
        if not re.fullmatch(r"[A-Za-z0-9._-]+\.safetensors", str(weights.get("file"))):
            raise BundleError("The model card's weights must name one .safetensors file in the bundle's folder.")
        if not re.fullmatch(r"[0-9a-f]{64}", str(weights.get("sha256"))):
            raise BundleError("The model card's weights lack their sha256.")
        if self.preprocessing.patch_size != self.architecture.patch_size:
            raise BundleError("The model card's preprocessing and architecture disagree on the patch size.")

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read ``card.json``.

        Raises:
            BundleError: the file cannot be read, is not JSON, or the card is wrong.
        """
        try:
            if path.stat().st_size > LARGEST_CARD_BYTES:
                raise BundleError(f"The model card {path} is larger than any card; it was not read.")
            fields = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise BundleError(f"There is no readable model card at {path} ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:
            raise BundleError(f"The model card {path} is damaged: it is not JSON ({error}).") from error
        return cls.from_fields(fields)

    @property
    def name(self) -> str:
        """Short name, by which panel and console find it."""
        return self.fields["name"]

    @property
    def title(self) -> str:
        """Name for people."""
        return self.fields["title"]

    @property
    def synthetic(self) -> bool:
        """Whether the model was trained on synthetic lesions; shown wherever its results are."""
        return self.fields["synthetic"]

    @property
    def members(self) -> int:
        """Number of models in the ensemble."""
        return self.fields["members"]

    @property
    def sha256(self) -> str:
        """Hash of the weights."""
        return self.fields["weights"]["sha256"]

    @property
    def decision_threshold(self) -> float:
        """Probability of response from which a lesion is called response."""
        return float(self.fields["decision"]["threshold"])

    @property
    def temperature(self) -> float:
        """Divides logits before the sigmoid: the calibration found on validation patients."""
        return float(self.fields["decision"]["temperature"])

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """How lesions become input."""
        return Preprocessing.from_card(self.fields["preprocessing"])

    @cached_property
    def architecture(self) -> Architecture:
        """Sizes of the members."""
        return Architecture.from_card(self.fields["architecture"])

    @property
    def origin(self) -> str:
        """One line on where the model comes from, for tables, panels and attributes."""
        kind = "trained on SYNTHETIC lesions, not for patients" if self.synthetic else "research use only"
        return f"{self.title} {self.fields['version']} ({kind})"

    def facts(self) -> dict[str, str]:
        """What everything made with the model says about its origin; keys as in node attributes and file headers."""
        return {
            "version": __version__,
            "modelName": self.name,
            "modelVersion": self.fields["version"],
            "modelHash": self.sha256,
            "modelOrigin": self.origin,
            "synthetic": str(self.synthetic).lower(),
            "researchUseOnly": "true",
        }
