"""The model card: everything about a bundle that is not a weight, as one readable JSON file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ... import __version__
from ...core.errors import BundleError
from ...core.vocabulary import MEAN
from ...io.plain_files import json_value, read_plain, shown_path
from ..contract import System
from ..registry import system_of
from .card_rules import card_problems, system_name
from .conformal import Conformal
from .verdict import Verdict, verdict_of

LARGEST_CARD_BYTES = 4 << 20


@dataclass(frozen=True)
class ModelCard:
    """A checked card.

    Attributes:
        fields: the JSON values, read-only; see :data:`.card_rules.FIELDS` and Documentation/bundles.md.
    """

    fields: MappingProxyType

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> ModelCard:
        """Check a card.

        Raises:
            BundleError: one sentence on the first thing that is wrong.
        """
        for problem in card_problems(fields):
            raise BundleError(problem)
        return cls(MappingProxyType(fields))

    @classmethod
    def read(cls, path: Path) -> ModelCard:
        """Read ``card.json``.

        Raises:
            BundleError: the file cannot be read, is not JSON, or the card is wrong.
        """
        return cls.from_fields(read_fields(path))

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
    def identity(self) -> tuple[str, str]:
        """What decides answers and maps: the weights' hash, and the reference of relative maps where one is kept."""
        return self.sha256, self.reference_sha256

    @cached_property
    def reference_sha256(self) -> str:
        """Hash of the reference of relative maps, by which bundles of the same weights differ; empty: none is kept."""
        import hashlib

        features = self.fields.get("reference", {}).get("features")
        return "" if features is None else hashlib.sha256(json.dumps(features).encode()).hexdigest()

    @property
    def decision_threshold(self) -> float:
        """Probability of the positive class from which it is called; of two classes only, else without meaning."""
        return float(self.fields["decision"].get("threshold", 0.5))

    @property
    def temperature(self) -> float:
        """Divides logits before the sigmoid: the calibration found on validation patients."""
        return float(self.fields["decision"]["temperature"])

    @cached_property
    def conformal(self) -> Conformal | None:
        """How answers are made that may be several classes; None: the model was not calibrated for them."""
        return Conformal.from_card(self.fields.get("conformal"))

    @property
    def ensemble_rule(self) -> str:
        """How members answer together; of :data:`PulsarCAMLib.core.vocabulary.ENSEMBLE_RULES`."""
        return str(self.fields["decision"].get("ensemble", MEAN))

    @property
    def system(self) -> System:
        """The system whose network these are members of."""
        return system_of(system_name(self.fields))

    @cached_property
    def preprocessing(self) -> Any:
        """How a case becomes input: a value of the system's own class."""
        return self.system.preprocessing.from_card(self.fields["preprocessing"])

    @cached_property
    def architecture(self) -> Any:
        """Sizes of the members: a value of the system's own class."""
        return self.system.architecture.from_card(self.fields["architecture"])

    @property
    def origin(self) -> str:
        """One line on where the model comes from, for tables, panels and attributes."""
        made_up = f"trained on SYNTHETIC {self.system.task.unit}s, not for patients"
        kind = made_up if self.synthetic else "research use only"
        return f"{self.title} {self.fields['version']} ({kind})"

    @cached_property
    def verdict(self) -> Verdict:
        """Whether the model is better than nothing for new patients; said first wherever its answers appear."""
        return verdict_of(self.fields, self.system.task, self.system.name)

    @property
    def footer(self) -> str:
        """What stands below every picture, two lines: the verdict, and where the model comes from."""
        told = f"Model: {self.origin}. Research use only, not for diagnosis or treatment decisions."
        return f"{self.verdict.sentence}\n{told}"

    def facts(self) -> dict[str, str]:
        """What everything made with the model says about its origin; keys as in node attributes and file headers."""
        return {
            "version": __version__,
            "modelName": self.name,
            "modelVersion": self.fields["version"],
            "modelHash": self.sha256,
            **({"referenceHash": self.reference_sha256} if self.reference_sha256 else {}),
            "modelOrigin": self.origin,
            "modelVerdict": self.verdict.sentence,
            "synthetic": str(self.synthetic).lower(),
            "researchUseOnly": "true",
        }


def read_fields(path: Path) -> Any:
    """The JSON value of ``card.json``, not checked.

    Raises:
        BundleError: the file cannot be read, is a link or is not JSON.
    """
    content = read_plain(path, "model card", BundleError, at_most=LARGEST_CARD_BYTES, linked=False)
    try:
        return json_value(content.decode("utf-8"))
    except ValueError as error:
        raise BundleError(f"The model card {shown_path(path)} is damaged: it is not JSON ({error}).") from error
