"""Errors whose message is one sentence for the person: what, where, what to do."""


class PulsarCAMError(Exception):
    """Base of all errors that PulsarCAM raises on purpose; the message can be shown as it is."""


class InputError(PulsarCAMError):
    """An image, a mask or an option cannot be used."""


class GeometryError(InputError):
    """Image and mask do not share a space, or a geometry cannot be represented."""


class BundleError(PulsarCAMError):
    """A model bundle is damaged, unknown or does not fit."""


class OutputError(PulsarCAMError):
    """A result cannot be written where the user asked for it."""


class DependencyError(PulsarCAMError):
    """A package that PulsarCAM needs is missing, or its version does not fit."""


class Cancelled(PulsarCAMError):  # noqa: N818 - not a fault: the user asked for it
    """The user stopped the work."""
