"""The installed models, for scripts: a part of the module's logic."""

# ruff: noqa: N802 - what scripts use is named as Slicer names it

from __future__ import annotations

from slicer.i18n import tr as _

DEFAULT_MODEL = "synthetic-demo"


class ModelLogic:
    """Mixed into the logic."""

    def modelNames(self) -> list[str]:
        """Names of the installed model bundles, the one that comes with PulsarCAM first."""
        from ...systems.bundles.bundle import installed_bundles

        return sorted(installed_bundles(), key=lambda name: (name != DEFAULT_MODEL, name))

    def modelCard(self, name: str):
        """The card of a model: ``card.title``, ``card.origin``, ``card.fields``.

        :raises PulsarCAMLib.core.errors.BundleError: there is no such model, or its card is wrong.
        """
        from ...systems.bundles.bundle import find_card

        return find_card(name)

    def modelOrigin(self, name: str) -> str:
        """What the model is worth for new patients, what it was trained on, and that it is for research only."""
        from ...core.errors import PulsarCAMError

        try:
            card = self.modelCard(name)
        except PulsarCAMError as error:
            return str(error)
        text = _("{title}. Research use only.")
        if card.synthetic:
            text = _("{title}: trained on synthetic {unit}s. Research use only, not for patients.")
        told = text.format(title=card.title, unit=card.system.task.unit)
        return f"{card.verdict.sentence}\n{told}"

    def addModel(self, path: str, overwrite: bool = False) -> str:
        """Check a model bundle (folder or zip file), copy it to the user's models, return its name."""
        from ...systems.bundles.installation import install_bundle

        return install_bundle(path, overwrite=overwrite)

    def removeModel(self, name: str) -> None:
        """Delete one of the user's own models."""
        from ...systems.bundles.installation import remove_bundle

        remove_bundle(name)

    def isModelRemovable(self, name: str) -> bool:
        """Whether a model is the user's own; those that come with PulsarCAM stay."""
        from ...systems.bundles.installation import is_removable

        return is_removable(name)
