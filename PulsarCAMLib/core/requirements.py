"""Which packages explaining a scan needs, and whether those that are installed will do.

Versions are read from the packages' metadata: importing PyTorch only to look at it takes seconds, and a PyTorch that
is loaded can no longer be replaced.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass

from .errors import DependencyError

TORCH = "torch>=2.2,<3"
"""2.2 is the last PyTorch for Macs with an Intel processor; the next major version may change its interface."""

FOR_EXPLAINING = (TORCH, "safetensors>=0.4")
"""What every explanation needs beyond NumPy, SciPy and SimpleITK, which Slicer brings."""

FOR_RADIOMICS = ("mirp>=2.7,<3",)
"""What radiomics features need; the next major version may move the parts of it that are used."""

FOR_DICOM = ("highdicom>=0.28,<0.29",)
"""What DICOM segmentations need outside of Slicer; its volumes of several segments still change with every version."""

FOR_PACS = ("pynetdicom>=3.0,<4", "dicomweb-client>=0.60")
"""What fetching from a PACS and sending to it need."""

FOR_3D = ("monai>=1.4",)
"""What networks that see whole volumes need."""

_TITLES = {"torch": "PyTorch", "monai": "MONAI"}
_FIRST_TORCH_FOR_NUMPY_2 = (2, 3)


@dataclass(frozen=True)
class Package:
    """One requirement and what is there.

    Attributes:
        requirement: as pip writes it, such as "torch>=2.2,<3".
        name: of the package.
        installed: its version; "" when it is there but does not tell; None when it is not there.
        fits: whether the version is within the requirement's range.
    """

    requirement: str
    name: str
    installed: str | None
    fits: bool

    @property
    def title(self) -> str:
        """Its name for people."""
        return _TITLES.get(self.name, self.name)

    @property
    def supported(self) -> str:
        """The versions that fit, for people: "2.2 or newer, below 3"."""
        words = {">=": "{} or newer", "<": "below {}", "==": "exactly {}", "!=": "not {}"}
        parts = sorted(_parsed(self.requirement).specifier, key=lambda s: s.operator, reverse=True)
        return ", ".join(words.get(s.operator, s.operator + "{}").format(s.version) for s in parts)


def look_at(requirement: str) -> Package:
    """What is installed of a requirement; nothing is imported."""
    parsed = _parsed(requirement)
    name = parsed.name.lower()
    try:
        installed = importlib.metadata.version(parsed.name)
    except importlib.metadata.PackageNotFoundError:
        there = importlib.util.find_spec(name) is not None
        return Package(requirement, name, "" if there else None, there)
    if name == "torch" and importlib.util.find_spec("torch") is None:  # metadata that an uninstall left behind
        return Package(requirement, name, None, False)
    return Package(requirement, name, installed, parsed.specifier.contains(installed, prereleases=True))


def unmet(requirements: Iterable[str]) -> tuple[Package, ...]:
    """The packages that are missing or do not fit, in the order asked."""
    return tuple(package for package in map(look_at, requirements) if not package.fits)


def version_problem(package: Package) -> str:
    """What is wrong with a package that is installed, and what to do, as one sentence; "" when nothing is."""
    if not package.installed:
        return ""
    if not package.fits:
        return (
            f"{package.title} {package.installed} is installed, but PulsarCAM works with {package.supported}: "
            f"{_remedy(package)}."
        )
    numpy = importlib.metadata.version("numpy")
    if package.name == "torch" and _numbers(numpy) >= (2,) and _numbers(package.installed) < _FIRST_TORCH_FOR_NUMPY_2:
        return (
            f"PyTorch {package.installed} cannot exchange images with NumPy {numpy}: update PyTorch to 2.3 or newer, "
            f"or, on a Mac with an Intel processor, use a version of 3D Slicer that has NumPy 1."
        )
    return ""


def require(requirements: Iterable[str] = FOR_EXPLAINING, extra: str = "", in_slicer: str = "") -> None:
    """Refuse clearly where a package is missing or does not fit.

    Args:
        requirements: as pip takes them.
        extra: of the package that brings them, for the advice to use pip.
        in_slicer: what to do in 3D Slicer; "": press Apply in the module.

    Raises:
        DependencyError: with what to do, in Slicer and outside of it.
    """
    packages = [look_at(requirement) for requirement in requirements]
    problem = next(filter(None, map(version_problem, packages)), None)
    if problem:
        raise DependencyError(problem)
    missing = [package for package in packages if package.installed is None]
    if missing:
        first = "install the PyTorch extension from the Extensions Manager, then " if missing[0].name == "torch" else ""
        apply = f"{first}press Apply in the module PulsarCAM, which offers to install what is missing"
        raise DependencyError(
            f"PulsarCAM needs {listed(missing)}, which {'are' if len(missing) > 1 else 'is'} not installed: in 3D "
            f"Slicer {in_slicer or apply}, elsewhere: "
            f"pip install pulsarcam{f'[{extra}]' if extra else ''}."
        )


def listed(packages: Iterable[Package]) -> str:
    """Names for people: "PyTorch, safetensors and matplotlib"."""
    names = [package.title for package in packages]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _remedy(package: Package) -> str:
    if package.name == "torch":
        return (
            "in 3D Slicer press “Uninstall PyTorch” in the module PyTorch Utils, restart and press Apply again, "
            f"elsewhere: pip install “{package.requirement}”"
        )
    return f"pip install “{package.requirement}”"


def _parsed(requirement: str):
    from packaging.requirements import Requirement

    return Requirement(requirement)


def _numbers(version: str) -> tuple[int, ...]:
    from packaging.version import Version

    return Version(version).release[:2]
