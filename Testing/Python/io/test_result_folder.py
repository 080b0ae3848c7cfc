"""A folder of results appears whole or not at all, and nothing that is not ours is ever replaced."""

from pathlib import Path

import pytest
from making_files import files_in

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.io.names import file_name_of
from PulsarCAMLib.io.result_folder import ResultFolder


def fill(folder, text="one", **options):
    with ResultFolder(folder, **options) as result:
        (result.made / "map.txt").write_text(text)
        result.write_marker({})


def fail_half_way(result):
    (result.made / "map.txt").write_text("half")
    raise RuntimeError


def test_the_folder_appears_with_its_list(tmp_path):
    fill(tmp_path / "a" / "b")
    assert files_in(tmp_path) == ["a/b/map.txt", "a/b/result.json"]


def test_an_error_leaves_nothing_not_even_new_parents(tmp_path):
    with pytest.raises(RuntimeError), ResultFolder(tmp_path / "a" / "b") as result:
        fail_half_way(result)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_in_one_sentence(tmp_path):
    said = r"cannot be written .* \(No space left on device\); nothing was left"
    with pytest.raises(OutputError, match=said), ResultFolder(tmp_path / "out"):
        raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_is_replaced_only_when_told_and_only_at_the_end(tmp_path):
    fill(tmp_path / "out")
    with pytest.raises(OutputError, match="exists already; choose another name or add --overwrite"):
        fill(tmp_path / "out")
    with pytest.raises(RuntimeError), ResultFolder(tmp_path / "out", overwrite=True):
        raise RuntimeError
    assert (tmp_path / "out" / "map.txt").read_text() == "one"
    fill(tmp_path / "out", "two", overwrite=True)
    assert (tmp_path / "out" / "map.txt").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_may_be_used(tmp_path):
    (tmp_path / "out").mkdir()
    fill(tmp_path / "out")
    assert (tmp_path / "out" / "result.json").is_file()


def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years")
    with pytest.raises(OutputError, match="never replaced"):
        fill(tmp_path / "out", overwrite=True)
    (tmp_path / "out" / "result.json").write_text('{"format": "another program"}')
    with pytest.raises(OutputError, match="never replaced"):
        fill(tmp_path / "out", overwrite=True)


def test_a_file_that_was_added_to_our_folder_is_not_lost(tmp_path):
    fill(tmp_path / "out")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"did not write there \(notes\.txt\)"):
        fill(tmp_path / "out", overwrite=True)
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_a_file_or_link_in_the_way_stays(tmp_path):
    (tmp_path / "out").write_text("a file")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("out", "link"):
        with pytest.raises(OutputError, match="in the way"):
            fill(tmp_path / name, overwrite=True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GTV 1", "GTV_1"),
        ("../../etc/passwd", "etc_passwd"),
        ("Läsion ß", "Lasion"),
        ("病变", "lesion"),
        ("CON", "lesion"),
        (".hidden", "hidden"),
        ("a" * 200, "a" * 48),
        ("", "lesion"),
    ],
)
def test_names_of_lesions_become_names_of_files(text, expected):
    assert file_name_of(text) == expected


DEEP = Path(__file__).resolve().parents[3].parent / "shared" / "cases" / "hostile" / "deep-result.json"


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000, b'{"a":' * 100_000, b'{"format": "PulsarCAM result", "files": 5}', b"\xff\xfe", b"null", b"",
        pytest.param(None, marks=pytest.mark.skipif(not DEEP.is_file(), reason="the cases of ../shared are not here")),
    ],
    ids=["lists", "objects", "no list", "no text", "null", "empty", "case"],
)  # fmt: skip
def test_a_folder_whose_marker_cannot_be_read_is_not_ours(tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "result.json").write_bytes(DEEP.read_bytes() if content is None else content)
    with pytest.raises(OutputError, match="never replaced"):
        ResultFolder(tmp_path / "out", overwrite=True).check()


def test_a_place_that_may_not_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    import os

    asked = []
    monkeypatch.setattr(os, "access", lambda path, how: asked.append(Path(path)))
    with pytest.raises(OutputError, match="protected or read-only; choose another place"):
        ResultFolder(tmp_path / "new" / "out").check()
    assert asked == [tmp_path]
    assert not (tmp_path / "new").exists()
