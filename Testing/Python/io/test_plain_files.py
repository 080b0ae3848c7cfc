"""What lies at a path is known before it is opened, and told in one sentence."""

from __future__ import annotations

import os
import socket

import pytest

from PulsarCAMLib.core.errors import BundleError, InputError
from PulsarCAMLib.core.visible import is_visible, visible
from PulsarCAMLib.io.plain_files import (
    is_file,
    is_folder,
    json_value,
    plain_file,
    read_json,
    read_plain,
    shown_path,
    why_not_plain,
)

POSIX = pytest.mark.skipif(os.name != "posix", reason="pipes and sockets in folders")
TOO_LONG = ("a" * 5000, "/".join(["abc"] * 3000))


def test_an_ordinary_file_is_plain(tmp_path):
    (tmp_path / "a.csv").write_text("x")
    assert plain_file(tmp_path / "a.csv") == tmp_path / "a.csv"
    assert read_plain(tmp_path / "a.csv", at_most=1) == b"x"
    assert is_file(tmp_path / "a.csv")
    assert not is_folder(tmp_path / "a.csv")


def test_a_folder_is_told(tmp_path):
    assert "is a folder, not a table" in why_not_plain(tmp_path, "table")
    assert why_not_plain(tmp_path, "table", folder=True) == ""
    assert is_folder(tmp_path)
    assert not is_file(tmp_path)


@POSIX
def test_pipes_sockets_and_devices_are_refused_and_never_opened(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="a named pipe, not a table; choose an ordinary file"):
        read_plain(tmp_path / "pipe", "table", at_most=10)
    server = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(tmp_path)  # the name of a socket must be short
    server.bind("s")
    server.close()
    with pytest.raises(InputError, match="a socket"):
        plain_file(tmp_path / "s")
    with pytest.raises(BundleError, match="a device"):
        plain_file("/dev/zero", "model card", BundleError)


@POSIX
def test_links_are_followed_only_where_that_is_wanted(tmp_path):
    (tmp_path / "a").write_text("x")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert plain_file(tmp_path / "b")
    with pytest.raises(InputError, match="is a link, which is not followed"):
        plain_file(tmp_path / "b", linked=False)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(InputError, match="cannot be read"):
        plain_file(tmp_path / "loop")


@pytest.mark.parametrize("path", TOO_LONG)
def test_a_path_longer_than_the_system_allows_is_a_sentence(path):
    assert not is_file(path)
    assert not is_folder(path)
    sentence = why_not_plain(path, "table")
    assert "longer than the system allows" in sentence
    assert len(sentence) < 300


def test_a_path_that_none_can_be_is_a_sentence():
    assert "no path can have these characters" in why_not_plain("a\0b")
    assert "a\\x00b" in shown_path("a\0b")
    assert not is_file("a\0b")
    assert not is_file("\ud800")


def test_a_file_larger_than_allowed_is_not_read(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    with pytest.raises(InputError, match="more than 4 bytes"):
        read_plain(tmp_path / "a", at_most=4)


def test_json_that_is_nested_too_deeply_is_no_json(tmp_path):
    for text in ("[" * 200_000, '{"a":' * 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            json_value(text)
    (tmp_path / "a.json").write_text('{"a": [1]}')
    assert read_json(tmp_path / "a.json") == {"a": [1]}
    with pytest.raises(ValueError, match="more than"):
        read_json(tmp_path / "a.json", at_most=3)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path)


def test_control_characters_have_one_spelling():
    assert visible("a\x1b[2Jb\r\n\t\x00") == "a\\x1b[2Jb\\r\\n\\t\\x00"
    assert visible("a\u202eb\u2028") == "a\\u202eb\\u2028"
    assert visible("\udcff") == "\\udcff"
    assert visible("two\nlines", kept="\n") == "two\nlines"
    for plain in ("Metastase links frontal, 3 µm", "左额叶", "می\u200cخواهم", "100\u00a0%", "a\\x1b"):
        assert visible(plain) == plain
        assert is_visible(plain)
