"""How a table of features is computed: every choice in one frozen value, and the file that is kept beside the table."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ..core.errors import InputError
from ..core.settings import Settings, option, typed
from ..core.vocabulary import DEFAULT_MARGIN_MM, DEFAULT_SIGMA_MM
from ..io.plain_files import read_json
from .dose import DoseSettings
from .models.settings import FeatureModelSettings
from .radiomics.settings import DEFINITIONS, RadiomicsSettings

FORMAT, FORMAT_VERSION = "PulsarCAM feature settings", 1

MODEL = "model"
"""Section of a file about the models on the features; it decides nothing about a table of features."""

ALGORITHMS = {"gradient": 2, "octant": 1, "dose": 1}
"""Raised when the same settings give other numbers than before; radiomics settings count for themselves."""


SECTIONS = {"octant": "gradient"}
"""Groups whose settings are those of another group."""


@dataclass(frozen=True)
class GradientSettings(Settings):
    """How gradient features are computed.

    Attributes:
        margin_mm: thickness of the margin under the GTV's surface.
        sigma_mm: smoothing before differences are taken.

    Raises:
        InputError: a number out of range.
    """

    who = "gradient features"

    margin_mm: float = option(DEFAULT_MARGIN_MM, above=0, at_most=100)
    sigma_mm: float = option(DEFAULT_SIGMA_MM, at_least=0, at_most=20)


@dataclass(frozen=True)
class FeatureSettings:
    """Settings of all groups that have any."""

    radiomics: RadiomicsSettings = field(default_factory=RadiomicsSettings)
    gradient: GradientSettings = field(default_factory=GradientSettings)
    dose: DoseSettings = field(default_factory=DoseSettings)

    def identity(self, group: str) -> str:
        """Hash of what decides the numbers of a group, as far as settings and libraries do."""
        if group == "radiomics":
            from .radiomics.version import library_version

            about: list[Any] = [self.radiomics.identity(), library_version()]
        else:
            about = [group, ALGORITHMS[group], getattr(self, SECTIONS.get(group, group)).to_card()]
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def as_json(self, groups: tuple[str, ...], model: FeatureModelSettings | None = None) -> str:
        """The settings file: what was set for some groups and for models on them, definitions and versions."""
        import SimpleITK as sitk

        from .. import __version__

        sections = {SECTIONS.get(group, group) for group in groups}
        versions = {"pulsarcam": __version__, "numpy": np.__version__, "SimpleITK": sitk.Version.VersionString()}
        content: dict[str, Any] = {"format": FORMAT, "format_version": FORMAT_VERSION, "groups": list(groups)}
        content["settings"] = {f.name: getattr(self, f.name).to_card() for f in fields(self) if f.name in sections}
        if model:
            content["settings"][MODEL] = model.to_card()
        if "radiomics" in groups:
            from .radiomics.version import library_version

            versions["mirp"] = library_version()
            content["radiomics_definitions"] = DEFINITIONS
        content["versions"] = versions
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def read_feature_settings(path: str | Path) -> FeatureSettings:
    """Settings of the features from a file of :meth:`FeatureSettings.as_json`; what it does not say is as usual.

    Raises:
        InputError: the file cannot be read, or a setting is unknown or not usable.
    """
    given = _sections(path)
    _settings(Path(path).name, MODEL, FeatureModelSettings, given.pop(MODEL, {}))
    return feature_settings_of(given, Path(path).name)


def read_model_choices(path: str | Path) -> dict[str, Any]:
    """What the section :data:`MODEL` of such a file says, {} where it has none; fields of
    :class:`.models.settings.FeatureModelSettings`.

    Raises:
        InputError: as :func:`read_feature_settings`.
    """
    given = _sections(path).get(MODEL, {})
    _settings(Path(path).name, MODEL, FeatureModelSettings, given)
    return given


def _sections(path: str | Path) -> dict[str, Any]:
    path = Path(path)
    try:
        content = read_json(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a JSON file of feature settings.") from error
    given = content.get("settings") if isinstance(content, dict) else None
    if (
        not isinstance(given, dict)
        or content.get("format") != FORMAT
        or content.get("format_version") != FORMAT_VERSION
    ):
        raise InputError(f"{path.name} is not a file of feature settings, as one is written beside every table.")
    return given


def feature_settings_of(given: dict[str, Any], source: str = "The study") -> FeatureSettings:
    """Settings from plain JSON values by group; what they do not say is as usual.

    Raises:
        InputError: a setting is unknown or not usable.
    """
    kinds = {"radiomics": RadiomicsSettings, "gradient": GradientSettings, "dose": DoseSettings}
    unknown = [name for name in given if name not in kinds]
    if unknown:
        raise InputError(f"{source} has settings for {', '.join(unknown)}; there are {', '.join((*kinds, MODEL))}.")
    return FeatureSettings(**{name: _settings(source, name, kind, given.get(name, {})) for name, kind in kinds.items()})


def _settings(source: str, section: str, kind: type, given: Any):
    if not isinstance(given, dict):
        raise InputError(f"{source} must name the settings of the section {section!r}, not say {given!r}.")
    return kind(**typed(kind, given, f"{source}, section {section!r},"))
