"""The autoencoder-classifier behind the contract; fast paths (fused ensemble, closed-form maps) kept. No torch here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from ...core.errors import BundleError, InputError
from ..contract import Copy, Explained, LabelledUnit, Predictor, Samples, System, Turned
from .controls import CONTROLS, LEAVE_OUTS
from .learning.settings import TrainingSettings
from .maps.closed_form import METHODS, SIGNED
from .model.architecture import NAME, Architecture
from .samples.preprocessing import SHARP, Preprocessing
from .task import INPUTS, TASK

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from ...core.case import Case
    from ...core.geometry.volume import VolumeGeometry
    from ...core.lesion import Lesion
    from ..bundles.card import ModelCard
    from ..learning.learner import TrainingSamples
    from .learning.learner import AutoencoderLearner
    from .model.ensemble import Ensemble
    from .model.network import AutoencoderClassifier


class Autoencoder(System):
    """Peng, Jiang and Timmerman (2025): slices of a lesion, masked at the bottleneck."""

    name = NAME
    title = "Autoencoder-classifier (CAM)"
    about = "The paper's network on one 64x64 slice of every lesion, trained on the slice and its rotated copies."
    task = TASK
    inputs = INPUTS
    maps = METHODS
    preprocessing = Preprocessing
    architecture = Architecture
    settings = TrainingSettings
    samples_word = "patches"
    can_decode = True
    can_inspect = True
    keeps_reference = True
    random_draws = 10
    tells_stability = True
    input_controls = CONTROLS
    leave_outs = LEAVE_OUTS

    def prepare(
        self, case: Case, preprocessing: Preprocessing, tell: Callable[[float, str], None]
    ) -> Sequence[Samples]:
        """Patches of every lesion."""
        from .samples.intensities import bounds_of_image
        from .samples.patches import extract_patches

        if not case.lesions:
            raise InputError("There is no lesion: choose at least one segment.")
        image, found = case.reference_image, []
        bounds = bounds_of_image(image.voxels, preprocessing)
        for n, lesion in enumerate(case.lesions):
            tell(n / len(case.lesions), f"Cutting patches of {lesion.name}")
            found.append(extract_patches(image.voxels, image.geometry, lesion, preprocessing, bounds=bounds))
        return found

    def copies(self, unit: LabelledUnit, settings: TrainingSettings, *, only_original: bool = False) -> Iterator[Copy]:
        """The answering slice of a lesion, as it is and rotated about the GTV's centre of mass (reading 15)."""
        import numpy as np

        from .samples.intensities import bounds_of_image
        from .samples.patches import extract_patches

        sharp = settings.preprocessing.mask_edges == SHARP
        image, (lesion,) = unit.case.reference_image, unit.case.lesions
        own, whole = settings.preprocessing, bounds_of_image(image.voxels, settings.preprocessing)
        for angle in (0.0, *(() if only_original else settings.rotations)):
            cut = extract_patches(
                image.voxels, image.geometry, lesion, own, rotation_deg=angle, only_main=True, bounds=whole
            )
            # one type for all, so that they can be stacked
            mask = cut.masks[0] if sharp else cut.mask_levels[0].astype(np.float32)
            yield Copy(cut.images[0], mask, angle, cut.warnings)

    def samples_identity(self, settings: TrainingSettings) -> list[Any]:
        """Preprocessing and rotations."""
        card = settings.to_card()
        return [card["preprocessing"], card["rotations"]]

    def disagreements(self, preprocessing: Preprocessing, architecture: Architecture) -> list[str]:
        """Both know the patch size."""
        if preprocessing.patch_size == architecture.patch_size:
            return []
        return ["The model card's preprocessing and architecture disagree on the patch size."]

    def check_members(self, members: Sequence[Any], preprocessing: Preprocessing) -> None:
        """The mask rule is known to both."""
        if any(member.mask_rule != preprocessing.mask_rule for member in members):
            raise BundleError("The card's mask rule is not that of the members; give the card's preprocessing theirs.")

    def probe_input(self, architecture: Architecture, preprocessing: Preprocessing) -> tuple[np.ndarray, np.ndarray]:
        """Waves and discs."""
        from .probe_input import waves_and_discs

        return waves_and_discs(architecture.patch_size)

    def network(self, architecture: Architecture, preprocessing: Preprocessing) -> AutoencoderClassifier:
        """A member with fresh weights."""
        from .model.network import AutoencoderClassifier

        return AutoencoderClassifier(architecture, preprocessing.mask_rule)

    def learner(self, settings: TrainingSettings, samples: TrainingSamples, device: torch.device) -> AutoencoderLearner:
        """Joint or sequential, by the paper's loss."""
        from .learning.learner import AutoencoderLearner

        return AutoencoderLearner(self, settings, samples, device)

    def member_logits(self, member: nn.Module, images: Tensor, masks: Tensor) -> Tensor:
        """Of one member, ``[n]``."""
        from .model.layout import channels_last

        return member(channels_last(images), masks).logits

    def training_facts(self, members: Sequence[nn.Module], samples: TrainingSamples) -> dict[str, Any]:
        """Feature maps that a member has lost."""
        from .learning.validation import dead_maps

        return {"dead_feature_maps": [dead_maps(cast("AutoencoderClassifier", member), samples) for member in members]}

    def training_notes(self, training: Mapping[str, Any]) -> list[str]:
        """On members that have lost feature maps."""
        notes = []
        for number, dead in enumerate(training["dead_feature_maps"], start=1):
            if dead:
                maps = f"feature map{'' if len(dead) == 1 else 's'} {', '.join(map(str, dead))}"
                notes.append(
                    f"Member {number} has lost {maps}: zero in every lesion; its heat maps rest on the others."
                )
        return notes

    def predictor(self, members: Sequence[Any]) -> Predictor:
        """All members in one batched pass."""
        from .model.ensemble import Ensemble

        return Ensemble(members)

    def explain(
        self,
        predictor: Predictor,
        images: np.ndarray,
        masks: np.ndarray,
        methods: Sequence[str],
        after_chunk: Callable[[float], None] | None = None,
        inputs: Mapping[str, tuple[int, ...]] | None = None,
        choices: Mapping[str, Any] | None = None,
        ended: Callable[[str], None] | None = None,
    ) -> Explained:
        """One batched pass, closed form through the head; the signed map always comes with the others."""
        from .maps.compute import explain_patches

        found = explain_patches(cast("Ensemble", predictor), images, masks, methods, after_chunk, choices)
        return found.explained()

    def reference_section(self, members: Sequence[Any], samples: TrainingSamples) -> dict[str, Any]:
        """Mean features inside the GTVs."""
        from .maps.relative import reference_section

        return reference_section(members, samples.images, samples.masks)

    def give_reference(self, members: Sequence[Any], section: Mapping[str, Any]) -> None:
        """A row each."""
        from .maps.relative import give_reference

        give_reference(members, section)

    def reference_problems(self, section: Mapping[str, Any], architecture: Architecture, members: int) -> list[str]:
        """Features of every member, and of how many lesions."""
        from .maps.relative import reference_problems

        return list(reference_problems(section, architecture, members))

    def referenced(self, predictor: Any, judged: Any, images: np.ndarray, masks: np.ndarray) -> Predictor:
        """Mean features of these lesions in an encoder that is not the judged one's."""
        from .maps.relative import with_reference

        if judged.reference is None or predictor.reference is not None:
            return cast("Predictor", predictor)
        return self.predictor(with_reference(predictor.members, images, masks))

    def layers(self, member: nn.Module) -> tuple[str, ...]:
        """Without the decoder."""
        from .maps.checks import LAYERS

        return LAYERS

    def with_new_layers(
        self, members: Sequence[Any], layers: Sequence[str], seed: int, draw: int = 0
    ) -> list[nn.Module]:
        """Drawn from what training starts from."""
        from .maps.checks import with_new_layers

        return list(with_new_layers(members, layers, seed, draw))

    def answering_samples(self, case: Case, preprocessing: Preprocessing) -> Samples:
        """The answering slice, cut alone."""
        from .maps.checks import answering_patch

        return answering_patch(case, preprocessing)

    def turned(self, case: Case, samples: Any, preprocessing: Preprocessing) -> Iterator[Turned]:
        """Cut from the MRI again."""
        from .maps.checks import turned

        return turned(case, samples, preprocessing)

    def on_sample(self, truth: np.ndarray, geometry: VolumeGeometry, samples: Any) -> np.ndarray:
        """On the answering slice."""
        from .maps.checks import on_patch

        return on_patch(truth, geometry, samples)

    def in_range(self, images: np.ndarray) -> np.ndarray:
        """Kept in 0..1."""
        return images.clip(0, 1)

    def answers(self, predictor: Any, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """In chunks that fit the processor's cache."""
        import numpy

        parts = predictor.in_chunks(predictor.logits, images, masks)
        return numpy.concatenate([part.numpy() for part in parts], axis=1)

    def inspect(
        self, bundle: Any, unit: Any, sample: int | None = None, member: int | None = None, place: str = ""
    ) -> Any:
        """One slice opened up."""
        from .maps.inspection import inspect_slice

        return inspect_slice(bundle, unit, sample, member, place)

    def decoded(self, member: Any, images: np.ndarray, masks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Reconstruction, and the bottleneck's features before the mask."""
        import torch

        with torch.no_grad():
            output = member(torch.from_numpy(images), torch.from_numpy(masks))
        return output.reconstruction[0, 0].numpy(), output.features[0].numpy()

    def reach_mm(
        self, preprocessing: Preprocessing, lesion: Lesion, geometry: VolumeGeometry
    ) -> tuple[float, float, float] | None:
        """That of a patch whose middle lies within the box; of a whole head: all."""
        from .samples.working_grid import reach_of

        return reach_of(preprocessing, lesion, geometry)

    def controlled(
        self, name: str, images: np.ndarray, masks: np.ndarray, numbers: np.ndarray, preprocessing: Preprocessing
    ) -> np.ndarray:
        """Patches of which a part is taken away."""
        from .controlled import controlled

        return controlled(name, images, masks, numbers, preprocessing.percentiles)

    def control_column(self, name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """Mean intensity inside, or pixels of the GTV where nobody knows the volume."""
        from .controlled import column

        return column(name, images, masks)

    def left_out(self, name: str, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """The outside replaced, or the inside shuffled."""
        from .controlled import left_out

        return left_out(name, images, masks)

    def learnt_features(self, member: Any, images: np.ndarray, masks: np.ndarray) -> np.ndarray:
        """What the classifier's dense layer makes of the masked features, ``[n, units]`` (method.md 1.2)."""
        import numpy as np
        import torch

        found = []
        with torch.no_grad():
            for start in range(0, len(images), 64):
                part = slice(start, start + 64)
                output = member(*(torch.from_numpy(np.ascontiguousarray(each[part])) for each in (images, masks)))
                found.append(member.hidden(output.masked))
        return torch.cat(found).double().numpy()

    def answer_facts(self, unit: Any, sample: int) -> dict[str, float]:
        """The ensemble's mean logit, and how the pixel-wise map splits it into cells and a rest (method.md 2.2)."""
        signed = unit.maps[SIGNED, ""][:, sample].sum(axis=(1, 2))
        logits = unit.logits[:, sample]
        return {
            "logit": float(logits.mean()),
            "logit_map_sum": float(signed.mean()),
            "logit_rest": float((logits - signed).mean()),
        }

    def network_words(self, architecture: Architecture) -> str:
        """Its sizes."""
        a = architecture
        return (
            f"{NAME}: {a.filters} filters, {a.features} feature maps, {a.dense_units} units ({a.dense_activation}), "
            f"norm {a.norm} the activation, dropout {a.dropout:g}"
        )

    def answer_words(self, card: ModelCard) -> list[tuple[str, str]]:
        """Response by the card's definition, and on which section its probability is."""
        response = card.fields["response"].get("definition")
        section = "middle" if card.preprocessing.answering_slice == "middle" else "largest"
        return [
            ("Response", str(response or "the lesion shrinks by the model's definition")),
            (
                "Probability of response",
                f"The model's answer on the lesion's {section} section, averaged over the ensemble. Lesions are sorted "
                "by it: the one least likely to shrink comes first. It is a model's output, not a clinical probability",
            ),
        ]

    def fact_words(self) -> list[tuple[str, str]]:
        """The logit and its parts."""
        return [
            (
                "Logit",
                "The score before it becomes a probability; above 0 speaks for response. Below it, what the pixel-wise "
                "map places in the lesion, and the rest, which no place in the lesion carries. The map shows the first "
                "only.",
            )
        ]


SYSTEM = AUTOENCODER = Autoencoder()
