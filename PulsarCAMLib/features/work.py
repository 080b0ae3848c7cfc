"""The features of the lesions of one MRI, which is read once: what a process gets to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..cohort.masks import lesion_of
from ..cohort.tables.table import CohortRow
from ..core.errors import InputError, PulsarCAMError
from .row import FeatureRow
from .settings import FeatureSettings
from .store import prescription_of, save_lesion
from .values import Problem


@dataclass(frozen=True)
class Work:
    """What is to be computed of one lesion.

    Attributes:
        row: of the lesion.
        keys: group to the name of its file.
        neighbours: rows of the other lesions on the same MRI.
    """

    row: CohortRow
    keys: dict[str, str]
    neighbours: tuple[CohortRow, ...] = ()


@dataclass(frozen=True)
class Done:
    """What became of it: for every group its features or why there are none."""

    row: int
    found: dict[str, FeatureRow | Problem]


def all_of(works: Sequence[Work], settings: FeatureSettings, folder: Path) -> list[Done]:
    """:func:`each_of` as a list, for another process."""
    return list(each_of(works, settings, folder))


def each_of(works: Sequence[Work], settings: FeatureSettings, folder: Path) -> Iterator[Done]:
    """Compute the lesions of one MRI, one after the other; each is kept in the folder as soon as it is done.

    What is wrong with a lesion or its MRI is told in its result and stops nothing.

    Raises:
        PulsarCAMError: not about the input: a package is missing, the folder cannot be written.
    """
    mri = _Mri(settings)
    for work in works:
        found: dict[str, FeatureRow | Problem] = {}
        for group, key in work.keys.items():
            try:
                found[group] = mri.compute(group, work)
            except InputError as error:
                found[group] = Problem(work.row.row, group, str(error))
            except (PulsarCAMError, KeyboardInterrupt):
                raise
            except Exception as error:  # whatever a lesion does to a library, the others must not suffer
                text = " ".join(f"{type(error).__name__}: {error}".split())
                found[group] = Problem(work.row.row, group, f"An unexpected fault ({text}); please report it.")
            else:
                save_lesion(folder, key, found[group])
        yield Done(work.row.row, found)


class _Mri:
    """An MRI and what was read for it; errors in reading are met again by every lesion."""

    def __init__(self, settings: FeatureSettings) -> None:
        self._settings = settings
        self._known: dict[object, object] = {}

    def compute(self, group: str, work: Work) -> FeatureRow:
        volume, geometry = self._once(("image",), _read_image, work.row)
        lesion = self._once(("lesion", work.row.row), lesion_of, work.row, geometry)
        if group == "gradient":
            from .gradient_table import gradient_features

            own = self._settings.gradient
            return gradient_features(volume, geometry, lesion, own.margin_mm, sigma_mm=own.sigma_mm)
        if group == "octant":
            from .octants import octant_features

            own = self._settings.gradient
            return octant_features(volume, geometry, lesion, own.margin_mm, sigma_mm=own.sigma_mm)
        if group == "radiomics":
            from .radiomics.block import intensity_scale
            from .radiomics.extraction import radiomics_features

            scale = self._once(("scale",), intensity_scale, volume, self._settings.radiomics)
            return radiomics_features(volume, geometry, lesion, self._settings.radiomics, scale=scale)
        return self._dose(work, geometry, lesion)

    def _dose(self, work: Work, geometry, lesion) -> FeatureRow:
        from ..io.dose import read_dose
        from .dose import dose_features

        dose, place = self._once(("dose", work.row.dose), read_dose, work.row.dose)
        others = []
        for row in work.neighbours:
            try:
                others.append(self._once(("lesion", row.row), lesion_of, row, geometry))
            except InputError:
                continue  # it is told in its own row
        return dose_features(
            dose, place, geometry, lesion, self._settings.dose,
            prescription_gy=prescription_of(work.row), others=others,
        )  # fmt: skip

    def _once(self, key: object, read: Callable, *arguments):
        if key not in self._known:
            try:
                self._known[key] = read(*arguments)
            except InputError as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, InputError):
            raise found
        return found


def _read_image(row: CohortRow):
    from ..io.inputs import read_mri

    image = read_mri(row.image, row.series)
    return image.voxels, image.geometry
