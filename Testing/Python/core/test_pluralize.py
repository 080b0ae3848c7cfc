"""Numbers of things in sentences."""

from PulsarCAMLib.core.pluralize import pluralize


def test_one_is_singular_and_all_else_plural():
    assert [pluralize(n, "lesion") for n in (0, 1, 2, 11)] == ["0 lesions", "1 lesion", "2 lesions", "11 lesions"]
