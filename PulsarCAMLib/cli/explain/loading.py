"""The heavy libraries that ``pulsarcam explain`` needs, and how many cores they use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ...core.errors import PulsarCAMError

if TYPE_CHECKING:
    from .one_case import Job


def prepare_threads(job: Job) -> None:
    """Before the libraries are imported, for they read this once."""
    if job.threads and "torch" not in sys.modules:
        os.environ["OMP_NUM_THREADS"] = str(job.threads)


def import_all(job: Job) -> None:
    """Everything heavy, here, so that missing packages are named before any work is done; torch is looked for only."""
    with _named_if_missing():
        import scipy.ndimage  # noqa: F401
        import SimpleITK as sitk

        if job.pictures or job.report:
            from ...outputs.pictures import overlay  # noqa: F401
        if "torch" not in sys.modules and find_spec("torch") is None:
            raise ImportError(name="torch")
    if job.threads:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job.threads)
    if job.scene and find_spec("slicer") is None:
        raise PulsarCAMError("--scene needs the slicer-core package; install it with: pip install 'pulsarcam[slicer]'.")


def import_torch() -> None:
    """Takes as long as reading the images, of which a part is no work of the interpreter's."""
    with _named_if_missing():
        import torch  # noqa: F401


@contextmanager
def _named_if_missing() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        raise PulsarCAMError(
            f"The package {error.name} is missing; install PulsarCAM's packages with: pip install pulsarcam."
        ) from error


def use_threads(job: Job) -> None:
    """Of torch, which has been imported."""
    if job.threads:
        import torch

        torch.set_num_threads(job.threads)
