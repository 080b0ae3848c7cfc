"""The packages that Slicer does not bring: found when they are needed, installed when the user agrees.

PyTorch comes by way of the PyTorch extension, which knows the build for the graphics card; the few small packages of
``requirements.txt`` by pip. NumPy, SimpleITK, SciPy and VTK are Slicer's own: pip is bound to the versions that are
there.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..core.errors import DependencyError
from ..core.requirements import TORCH, Package, listed, look_at, require, unmet, version_problem

SLICERS_OWN = ("numpy", "scipy", "SimpleITK", "vtk")
"""Packages that nothing may replace: Slicer's own code is compiled against them."""

_NO_EXTENSION = (
    "PulsarCAM needs PyTorch, which comes with the extension PyTorch: install that from the Extensions Manager, "
    "restart 3D Slicer and try again."
)


def missing_packages(requirements_path: str | Path) -> tuple[str, ...]:
    """Requirements that this Python does not meet, PyTorch first; nothing is imported to look.

    Args:
        requirements_path: the module's ``Resources/requirements.txt``.
    """
    return tuple(package.requirement for package in unmet((TORCH, *read_requirements(requirements_path))))


def ensure_dependencies(
    requirements_path: str | Path,
    ask: bool = True,
    needed: Sequence[str] | None = None,
    on_progress: Callable[[str], None] | None = None,
    extra: str = "",
    in_slicer: str = "",
    more: Sequence[str] = (),
) -> None:
    """Install what is missing, after one question that names all of it; works in the same session.

    Nothing happens unless something of ``needed`` is missing. Where PyTorch is needed, all that is missing is asked for
    and installed, so that there is one question in all. Without a person who could answer (no main window, or testing
    mode) nothing is installed.

    Args:
        requirements_path: the module's ``Resources/requirements.txt``.
        ask: False where the user has agreed already, or a script wants the packages without a question.
        needed: names of the packages that the work at hand cannot do without; None: all of them.
        on_progress: called with what is being installed, for a status line.
        extra, in_slicer: for the advice where nobody can be asked, see :func:`..core.requirements.require`.
        more: requirements beyond those of the file, which the work at hand cannot do without, such as those of a
            model's system.

    Raises:
        DependencyError: with one sentence: which package, why not, what to do.
    """
    everything = tuple(dict.fromkeys((TORCH, *read_requirements(requirements_path), *more)))
    wanted = [r for r in everything if needed is None or r in more or look_at(r).name in needed]
    torch = look_at(TORCH) if TORCH in wanted else None
    problem = version_problem(torch) if torch else ""
    if problem:
        raise DependencyError(problem)
    if not unmet(wanted):
        return
    missing = unmet(everything if torch else wanted)
    if not _may_install(ask):
        require(wanted, extra, in_slicer)
    logic = _torch_installer() if torch and torch.installed is None else None
    if ask and not _agreed(missing):
        raise DependencyError(
            f"Nothing was installed, and PulsarCAM cannot go on without {listed(unmet(wanted))}; "
            f"try again when you want to install it."
        )
    _install([p for p in missing if p.name != "torch"], logic, on_progress or (lambda _text: None))
    importlib.invalidate_caches()
    require(wanted, extra, in_slicer)


def read_requirements(path: str | Path) -> tuple[str, ...]:
    """The requirements of a file: one a line, ``#`` begins a comment line."""
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8").splitlines()]
    return tuple(line for line in lines if line and not line.startswith("#"))


def _may_install(ask: bool) -> bool:
    """Whether this is Slicer, not under test, and with somebody to answer if there is a question."""
    slicer = sys.modules.get("slicer")
    app = getattr(slicer, "app", None)
    if app is None or app.testingEnabled():
        return False
    return not ask or slicer.util.mainWindow() is not None


def _torch_installer():
    """The logic of the PyTorch extension.

    Raises:
        DependencyError: the extension is not installed.
    """
    try:
        import PyTorchUtils
    except ImportError as error:
        raise DependencyError(_NO_EXTENSION) from error
    return PyTorchUtils.PyTorchUtilsLogic()


def _agreed(missing: Sequence[Package]) -> bool:
    import slicer
    from slicer.i18n import tr as _

    question = _(
        "PulsarCAM needs packages that this 3D Slicer does not have:\n\n{packages}\n\n"
        "They are installed into Slicer's own Python; its NumPy, SimpleITK and VTK stay as they are. "
        "{large}Install now?"
    )
    large = {
        "torch": _("PyTorch is a large download, which can take some minutes. "),
        "mirp": _("mirp (radiomics, licence EUPL 1.2) brings ITK for Python, about 1.5 GB on the disk. "),
    }
    lines = [
        f"- {package.title} {package.supported}" + (f" ({package.installed} is there)" if package.installed else "")
        for package in missing
    ]
    return slicer.util.confirmOkCancelDisplay(
        question.format(packages="\n".join(lines), large="".join(large[p.name] for p in missing if p.name in large)),
        _("PulsarCAM - install packages"),
    )


def _install(small: Sequence[Package], torch_logic, on_progress: Callable[[str], None]) -> None:
    """Small packages first: without a network they fail within seconds, and nothing is half done."""
    import slicer

    with slicer.util.WaitCursor():
        if small:
            on_progress(f"Installing {listed(small)}")
            _install_small([package.requirement for package in small])
        if torch_logic is not None:
            on_progress("Installing PyTorch, which can take some minutes")
            _install_torch(torch_logic)


def _install_small(requirements: list[str]) -> None:
    loaded = [p for p in map(look_at, requirements) if p.installed is not None and p.name in sys.modules]
    logging.info("PulsarCAM installs %s", ", ".join(requirements))
    try:
        with _constraints() as constraints:
            _pip(requirements, constraints)
    except Exception as error:
        raise DependencyError(
            f"{listed(map(look_at, requirements))} could not be installed; check the network connection, read the "
            f"reason in the Python console, and try again."
        ) from error
    if loaded:
        raise DependencyError(f"{listed(loaded)} was updated while in use: restart 3D Slicer, then try again.")


def _pip(requirements: list[str], constraints: str) -> None:
    import slicer

    try:
        from slicer import packaging
    except ImportError:  # before Slicer 5.12
        slicer.util.pip_install([*requirements, "--constraint", constraints])
        return
    packaging.pip_ensure(requirements, constraints=constraints, prompt_install=False, requester="PulsarCAM")


def _install_torch(logic) -> None:
    try:
        torch = logic.installTorch(askConfirmation=False, torchVersionRequirement=TORCH.removeprefix("torch"))
    except Exception as error:
        raise DependencyError(
            "PyTorch could not be installed; check the network connection and the free disk space, read the reason in "
            "the Python console, and try again in the module PyTorch Utils."
        ) from error
    if torch is None:
        raise DependencyError("PyTorch was not installed; try again when you want to install it.")


@contextmanager
def _constraints() -> Iterator[str]:
    """Path of a file that binds pip to the versions of Slicer's own packages."""
    with tempfile.TemporaryDirectory(prefix="pulsarcam-pip-") as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text("".join(f"{line}\n" for line in _own_versions()), encoding="utf-8")
        yield str(path)


def _own_versions() -> list[str]:
    installed = {}
    for name in SLICERS_OWN:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:  # Slicer's VTK is no pip package
            continue
    return [f"{name}=={version}" for name, version in installed.items()]
