"""The common space of a case's images, as its model's preprocessing wants it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...core.errors import InputError
from ...core.inputs import MRI, InputRole
from ...io.hashing import sha256_of
from .brain import brains_of, carried, given_brains, missing_words, tool_is_there, unused_words
from .cache import Cache, key_of
from .channels import leads_of, time_points
from .doubts import doubtful, refuse_implausible
from .fitting import misfits, uncovered
from .preprocessing import ATLAS, GIVEN, NONE, TOOL, Z_SCORE, VolumePreprocessing
from .quality import APART_LIMIT_MM, Quality, head_points, likeness
from .registration import AFFINE, RIGID, refuse_flat, register
from .space import Space, chained, degrees_of, inverse, is_rigid, middle_of, rigid, shift_mm, volume_factor

if TYPE_CHECKING:
    from ...core.case import Case, Image
    from ...core.lesion import Lesion

ATLAS_VARIABLE = "PULSARCAM_ATLAS"
"""Environment variable with the atlas's file; none is shipped, for those that may be are few."""

Tell = Callable[[float, str], None]


def common_space(
    inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing, tell: Tell | None = None
) -> Space:
    """See :func:`find_space`; what was found before is remembered where a folder is named for it."""
    asks_much = preprocessing.registration != NONE or preprocessing.brain != NONE or case.transforms
    if not asks_much:
        return find_space(inputs, case, preprocessing, tell)

    def key() -> str:
        import SimpleITK as sitk

        named = os.environ.get(ATLAS_VARIABLE, "") if preprocessing.registration == ATLAS else ""
        about = [
            [[role.name, role.kind, role.time_point, role.table_column, role.title] for role in inputs],
            [preprocessing.registration, preprocessing.brain, preprocessing.atlas_sha256, preprocessing.dose_scale],
            preprocessing.brain == TOOL and tool_is_there(),
            sha256_of(Path(named)) if named and Path(named).is_file() else "",
            sitk.Version.VersionString(),
        ]
        return key_of("space", case, about)

    found = Cache.here().remembered(key, lambda: find_space(inputs, case, preprocessing, tell).to_arrays())
    return Space.from_arrays(found)


def find_space(
    inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing, tell: Tell | None = None
) -> Space:
    """Where the images of a case lie in the space that its model wants.

    Args:
        inputs: of the system.
        case: with every needed role.
        preprocessing: of the model.
        tell: called with a fraction and a text; an error that it raises ends the work.

    Raises:
        InputError: images cannot be brought together, or what that needs is not given.
    """
    refuse_implausible(inputs, case.images, preprocessing.dose_scale != Z_SCORE)
    leads = {point: role.name for point, role in leads_of(inputs, case.images).items()}
    brains, warnings = brains_of(inputs, case, preprocessing, leads)
    warnings += [*doubtful(inputs, case.images), *unused_words(inputs, case, preprocessing)]
    work = _Work(inputs, case, leads, brains, tell or (lambda *_: None))
    if case.transforms:
        work.take(case.transforms)
    elif preprocessing.registration == GIVEN:
        raise InputError(
            "The model takes images with given transforms and there are none; give one for each image that lies "
            "elsewhere, or say that all are aligned."
        )
    elif preprocessing.registration == ATLAS:
        work.to_atlas(read_atlas(preprocessing))
    elif preprocessing.registration != NONE:
        work.halfway()
    brains = carried(brains, case, leads, work.ways)
    warnings += [*work.warnings, *missing_words(brains, preprocessing), *work.misfits(preprocessing)]
    return Space(work.ways, brains, leads, tuple(work.quality), tuple(warnings))


def judge(inputs: Sequence[InputRole], case: Case, preprocessing: VolumePreprocessing) -> list[str]:
    """What :func:`find_space` and the sample say of a case, as far as it can be told without moving anything.

    Raises:
        InputError: as there.
    """
    refuse_implausible(inputs, case.images, preprocessing.dose_scale != Z_SCORE)
    leads = {point: role.name for point, role in leads_of(inputs, case.images).items()}
    brains, warnings = given_brains(inputs, case, preprocessing, leads)
    work = _Work(inputs, case, leads, brains, lambda *_: None)
    if case.transforms:
        work.take(case.transforms)
    warnings += [*doubtful(inputs, case.images), *unused_words(inputs, case, preprocessing)]
    warnings += [*work.warnings, *work.misfits(preprocessing)]
    return warnings + list(uncovered(work.roles, case.images, leads))


def read_atlas(preprocessing: VolumePreprocessing) -> Image:
    """The atlas that the environment names.

    Raises:
        InputError: none is named, or it is not the one that the model was trained with.
    """
    from ...io.volumes import read_image_of

    named = os.environ.get(ATLAS_VARIABLE, "")
    if not named:
        raise InputError(
            "The model registers every MRI to an atlas, and none is given: none may be shipped. Set the environment "
            f"variable {ATLAS_VARIABLE} to its file (the paper took SRI24's T1), and start again."
        )
    image = read_image_of(named)
    if preprocessing.atlas_sha256 and sha256_of(Path(named)) != preprocessing.atlas_sha256:
        raise InputError(f"The atlas {Path(named).name} is another one than the model was trained with; give that one.")
    return image


class _Work:
    """The ways of a case, as they are found."""

    def __init__(
        self,
        inputs: Sequence[InputRole],
        case: Case,
        leads: Mapping[str, str],
        brains: Mapping[str, Lesion],
        tell: Tell,
    ) -> None:
        self.case, self.leads, self.brains, self._tell = case, leads, brains, tell
        self.roles = {role.name: role for role in inputs if role.name in case.images}
        self.mris = [name for name, role in self.roles.items() if role.kind == MRI]
        self.order = [point for point in time_points(inputs) if point in leads]
        self.ways: dict[str, np.ndarray | None] = {}
        self.quality: list[Quality] = []
        self.warnings: list[str] = []
        self._done, self._all = 0, 1

    def take(self, transforms: Mapping[str, np.ndarray]) -> None:
        """Ways from the transforms of a case; an image without one lies where its time point's first MRI does."""
        for name, role in self.roles.items():
            matrix = transforms.get(name, transforms.get(self.leads.get(role.time_point, "")))
            self.ways[name] = None if matrix is None else self._checked(np.asarray(matrix, dtype=float), role)
        self._measure_all("given")

    def halfway(self) -> None:
        """Every time point rigidly to the others, none of them nearer to the common space than another."""
        self._refuse_flat()
        self._all = len(self.mris) + len(self.order) - 2
        first, *others = (self.leads[point] for point in self.order)
        between = {first: np.eye(4)}
        apart: dict[str, float] = {}
        for name in others:
            between[name], apart[name] = self._both_directions(first, name)
        middle = middle_of(between.values())
        back = np.linalg.inv(middle)
        own = {name: rigid(way @ back) for name, way in between.items()}
        for point in self.order:
            lead = self.leads[point]
            self.ways[lead] = own[lead] if others else None
            self._others_of(point, lead)
        self._along()
        for name in others:
            self._judge(first, name, None, RIGID, apart[name])
        self._judge_modalities({point: self.leads[point] for point in self.order})

    def to_atlas(self, atlas: Image) -> None:
        """Of every time point the most isotropic MRI by an affine to the atlas, the others rigidly to that one."""
        self._refuse_flat()
        self._all = len(self.mris)
        heads = {point: self._most_isotropic(point) for point in self.order}
        for point, head in heads.items():
            self._say(f"Registering the {self.roles[head].title} to the atlas")
            image = self.case.images[head]
            self.ways[head] = register(atlas, image, AFFINE).matrix
            self._others_of(point, head)
            factor = volume_factor(self.ways[head])
            self.warnings.append(
                f"The affine to the atlas changes volumes: on the {self.roles[head].title} they become {factor:.1%} of "
                "what they are."
            )
        self._along()
        for head in heads.values():
            self._measure(atlas, "atlas", head, self.ways[head], AFFINE, False)
        self._judge_modalities(heads)

    def misfits(self, preprocessing: VolumePreprocessing) -> Iterator[str]:
        """What does not belong together; MRIs that were registered, or come with transforms, are judged by these."""
        moves = preprocessing.registration != NONE or bool(self.case.transforms)
        in_order = {point: self.leads[point] for point in self.order}
        return misfits(self.roles, self.case.images, in_order, self.ways, moves)

    def _both_directions(self, first: str, name: str) -> tuple[np.ndarray, float]:
        """Rigid, first to the named one: the mean of both directions, and by how much they differ in mm.

        Where they differ by much the one under which the images are more alike is taken.
        """
        fixed, moving = self.case.images[first], self.case.images[name]
        self._say(f"Registering the {self.roles[name].title} to the {self.roles[first].title}")
        there = register(fixed, moving, fixed_inside=self._brain(first)).matrix
        back = np.linalg.inv(register(moving, fixed, fixed_inside=self._brain(name)).matrix)
        apart = shift_mm(there, back, head_points(fixed, self._brain(first)))
        if apart > APART_LIMIT_MM:
            alike = [likeness(fixed, moving, way, self._brain(first)).information for way in (there, back)]
            return (there if alike[0] >= alike[1] else back), apart
        return there @ middle_of([np.eye(4), np.linalg.inv(there) @ back]), apart

    def _others_of(self, point: str, head: str) -> None:
        """The other MRIs of a time point rigidly to the one whose way is known; unless they lie better as they are."""
        fixed = self.case.images[head]
        for name in self.mris:
            if self.roles[name].time_point != point or name == head:
                continue
            self._say(f"Registering the {self.roles[name].title} to the {self.roles[head].title}")
            inside, moving = self._brain(head), self.case.images[name]
            matrix: np.ndarray | None = register(fixed, moving, fixed_inside=inside, start=np.eye(4)).matrix
            before, after = (likeness(fixed, moving, way, inside).information for way in (None, matrix))
            self.ways[name] = chained(matrix if after > before else None, self.ways[head])

    def _along(self) -> None:
        """What is no MRI goes with the first MRI of its time point; where there is none, with the earliest."""
        for name, role in self.roles.items():
            if name not in self.ways:
                self.ways[name] = self.ways.get(self.leads.get(role.time_point, self.leads[self.order[0]]))

    def _judge_modalities(self, heads: Mapping[str, str]) -> None:
        for name in self.mris:
            head = heads.get(self.roles[name].time_point, name)
            if name != head:
                self._judge(head, name, None, RIGID, None)

    def _measure_all(self, kind: str) -> None:
        """Of images that were not registered here: the time points' first MRIs to each other, others to these."""
        first, *others = (self.leads[point] for point in self.order)
        for name in others:
            self._judge(first, name, None, kind, None)
        self._judge_modalities({point: self.leads[point] for point in self.order})

    def _judge(self, fixed: str, moving: str, way: np.ndarray | None, kind: str, apart: float | None) -> None:
        way = chained(self.ways[moving], inverse(self.ways[fixed]))
        one, other = self.roles[fixed], self.roles[moving]
        same = one.table_column == other.table_column
        self._measure(self.case.images[fixed], fixed, moving, way, kind, same, apart)

    def _measure(
        self,
        fixed: Image,
        name: str,
        moving: str,
        way: np.ndarray | None,
        kind: str,
        same: bool,
        apart: float | None = None,
    ) -> None:
        image, inside = self.case.images[moving], self._brain(name)
        before, after = likeness(fixed, image, None, inside), likeness(fixed, image, way, inside)
        matrix = np.eye(4) if way is None else way
        moved_mm = shift_mm(matrix, np.eye(4), head_points(fixed, inside))
        found = Quality(
            moving, name, kind, same, before, after, moved_mm, degrees_of(matrix), apart, volume_factor(way)
        )
        self.quality.append(found)
        doubts = list(found.doubts())
        if doubts:
            fixed_title = self.roles[name].title if name in self.roles else name
            self.warnings.append(
                f"The {self.roles[moving].title} hardly fits the {fixed_title}: {', '.join(doubts)}; look at both, for "
                "they may be of two patients."
            )

    def _checked(self, matrix: np.ndarray, role: InputRole) -> np.ndarray | None:
        if np.array_equal(matrix, np.eye(4)):
            return None
        if is_rigid(matrix):
            return rigid(matrix)
        factor = volume_factor(matrix)
        if not np.isfinite(factor) or not 0.2 < factor < 5:
            raise InputError(
                f"The transform of the {role.title} changes volumes {factor:.2g}fold; is it another one's?"
            )
        self.warnings.append(
            f"The transform of the {role.title} is not rigid: volumes become {factor:.1%} of what they are."
        )
        return matrix

    def _brain(self, name: str) -> np.ndarray | None:
        """The brain on the grid of a time point's first MRI; None for others."""
        point = next((p for p, lead in self.leads.items() if lead == name), "")
        brain = self.brains.get(point)
        return None if brain is None else brain.full_mask(self.case.images[name].geometry.shape)

    def _most_isotropic(self, point: str) -> str:
        names = [name for name in self.mris if self.roles[name].time_point == point]
        spacings = {name: self.case.images[name].geometry.spacing for name in names}
        return min(names, key=lambda name: round(max(spacings[name]) / min(spacings[name]), 3))

    def _refuse_flat(self) -> None:
        for name in self.mris:
            refuse_flat(self.case.images[name].geometry, self.roles[name].title)

    def _say(self, text: str) -> None:
        self._tell(min(1.0, self._done / max(1, self._all)), text)
        self._done += 1
