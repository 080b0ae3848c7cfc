"""Files to take away, for scripts: a part of the module's logic."""

# ruff: noqa: N802, N803 - what scripts use is named as Slicer names it

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path


class ExportLogic:
    """Mixed into the logic."""

    def export(
        self,
        result,
        folder: str,
        method: str | None = None,
        target: str | None = None,
        normalisation: str = "none",
        threshold: float = 0.5,
        restrict: bool = True,
        comparison=None,
        overwrite: bool = False,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        settings=None,
        mapInput: str = "",
        dose=None,
        painting=None,
        dicom: bool = False,
        **files,
    ) -> list:
        """Write images, tables and report into a folder: all of them, or, on an error, none. Returns their paths.

        :param result: of :meth:`explain`; parameters up to restrict as there.
        :param folder: an existing folder.
        :param comparison: of :meth:`compareMaps`, to be written too.
        :param overwrite: replace files of the same names.
        :param settings: see :meth:`explain`.
        :param dose, painting: of :meth:`tellDose` and :meth:`paintDose`, to be written too.
        :param dicom: write DICOM objects into a folder "dicom" in it, as ``pulsarcam explain --dicom-out`` does; the
            MRI must have been loaded by Slicer's DICOM module, see :meth:`whyNoDicom`.
        :param files: fields of :class:`PulsarCAMLib.outputs.export.Export`: images="nrrd" or "nii.gz", and heat_map,
            sub_regions, tables, report, each True or False.
        """
        from ...outputs.export import Export, export_files
        from ...scene.reading.dicom import source_of
        from ...scene.reading.inputs import read_volume
        from ...scene.writing.outputs import facts_of

        found = result.scanResult
        shown = settings or self._settings(found.system, method, target, normalisation, threshold, restrict, mapInput)
        return export_files(
            found,
            read_volume(result.volumeNode)[0],
            folder,
            result.volumeNode.GetName(),
            shown,
            Export(**files, compared=comparison is not None, more=self._dicom(result, shown) if dicom else ()),
            facts_of(found, shown),
            told=_told(comparison, dose, painting),
            images=self._other_images(result),
            source=source_of(result.volumeNode),
            overwrite=overwrite,
            progress=progress,
            cancelled=cancelled,
        )

    def existingFiles(
        self,
        result,
        folder: str,
        comparison=None,
        method: str | None = None,
        target: str | None = None,
        settings=None,
        mapInput: str = "",
        dose=None,
        painting=None,
        dicom: bool = False,
        **files,
    ) -> list[str]:
        """Names of the files that :meth:`export` would replace; parameters as there."""
        from ...io.atomic import existing
        from ...outputs.export import Export, export_names

        shown = settings or self._settings(result.scanResult.system, method, target, mapInput=mapInput)
        more = self._dicom(result, shown) if dicom else ()
        export = Export(**files, compared=comparison is not None, more=more)
        told = _told(comparison, dose, painting)
        return existing(folder, export_names(result.scanResult, result.volumeNode.GetName(), shown, export, told))

    def addToDicomDatabase(
        self,
        result,
        settings=None,
        painting=None,
        progress: Callable[[float, str], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> int:
        """Put DICOM objects of a result into Slicer's DICOM database, under the study of the MRI: all, or none.

        :param result, settings, painting: see :meth:`export`.
        :return: how many.
        :raises PulsarCAMLib.core.errors.PulsarCAMError: one sentence for the user; the database is as it was.
        """
        from ...scene.writing.dicom_database import add_to_database

        none = dict.fromkeys(("heat_map", "sub_regions", "tables", "report"), False)
        with tempfile.TemporaryDirectory(prefix="pulsarcam-dicom-") as folder:
            made = self.export(result, folder, settings=settings, painting=painting, dicom=True, progress=progress,
                               cancelled=cancelled, **none)  # fmt: skip
            add_to_database([Path(each) for each in made])
        return len(made)

    def whyNoDicom(self, volumeNode) -> str:
        """Why no DICOM objects can be made of results on this MRI, as one sentence, or an empty text."""
        from ...scene.reading.dicom import why_no_dicom

        return why_no_dicom(volumeNode)

    @staticmethod
    def _dicom(result, shown) -> tuple:
        """The output that writes DICOM objects; those on an image's own voxels need the files of that image."""
        from ...outputs.dicom.objects import DicomObjects
        from ...scene.reading.dicom import files_of

        first = result.scanResult.system.inputs[0].name
        nodes = {first: result.volumeNode} | {r: n for r, n in result.otherImages.items() if r == shown.input}
        return (DicomObjects({role: files_of(node) for role, node in nodes.items()}),)

    @staticmethod
    def _other_images(result) -> dict:
        """Images beside the first, by role, as they are in the scene now."""
        from ...core.case import Image
        from ...scene.reading.dicom import source_of
        from ...scene.reading.inputs import read_volume

        images = {role.name for role in result.scanResult.system.image_inputs}
        given = {role: node for role, node in result.otherImages.items() if role in images}
        there = {role: node for role, node in given.items() if node is not None and node.GetScene()}
        return {role: Image(*read_volume(node)[:2], source_of(node)) for role, node in there.items()}


def _told(comparison, dose, painting):
    from ...outputs.export import Told

    return Told(comparison and comparison.mapComparison, dose and dose.caseDose, painting and painting.painting)
