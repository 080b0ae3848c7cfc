"""Bundles made to crash, to fill the memory or to lead elsewhere: one sentence each, and nothing is made of them."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import safetensors.torch
import torch

from PulsarCAMLib.cli import main
from PulsarCAMLib.core.errors import BundleError
from PulsarCAMLib.systems.bundles import installation
from PulsarCAMLib.systems.bundles.bundle import SHIPPED, load_bundle
from PulsarCAMLib.systems.bundles.card import ModelCard
from PulsarCAMLib.systems.bundles.card_rules import MOST_SAID, card_problems
from PulsarCAMLib.systems.bundles.checking import check_bundle
from PulsarCAMLib.systems.bundles.installation import install_bundle

DEMO = SHIPPED / "synthetic-demo"
CARD = json.loads((DEMO / "card.json").read_text(encoding="utf-8"))
SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "cases" / "hostile"
POSIX = pytest.mark.skipif(os.name != "posix", reason="links and pipes")


@pytest.fixture
def bundle(tmp_path):
    return Path(shutil.copytree(DEMO, tmp_path / "bundle"))


def changed(bundle: Path, *path: str, to: object) -> Path:
    fields = copy.deepcopy(CARD)
    at = fields
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = to
    (bundle / "card.json").write_text(json.dumps(fields))
    return bundle


ODD = (
    None, [], [[1, 2], {}], "text", "", {}, {"a": [1]}, 10**400, -(10**400), -1, 0, 1e308, float("nan"), float("inf"),
    True, "\ud800\x1b[0m", "9" * 5000, 1.5,
)  # fmt: skip
GROUPS = ("architecture", "preprocessing", "decision", "response", "weights")
LEAVES = [
    *((name,) for name in CARD),
    *((group, name) for group in GROUPS for name in CARD[group]),
    ("protocols", "text"), ("explanation_checks", "text"), ("training", "data"), ("probe", "sha256"),
]  # fmt: skip


@pytest.mark.parametrize("path", LEAVES, ids=".".join)
def test_a_field_of_the_wrong_kind_is_a_sentence_or_does_no_harm(path):
    from PulsarCAMLib.cli.commands.models import describe

    for odd in ODD:
        fields = dict(CARD)
        fields[path[0]] = {**CARD[path[0]], path[1]: odd} if len(path) == 2 else odd
        problems = list(card_problems(fields))
        assert all(len(problem) <= MOST_SAID + 1 and problem.isprintable() for problem in problems)
        if not problems:
            card = ModelCard.from_fields(fields)
            assert describe(card).encode()
            assert card.temperature > 0
            assert card.architecture


@pytest.mark.parametrize(
    "name", ["title", "protocols", "performance", "training", "explanation_checks", "probe", "reference"]
)
def test_a_strange_section_is_shown_or_refused(bundle, capsys, name):
    for odd in ({}, {"text": 5, "about": [1]}, {"a": {"b": [None, 10**400]}}, "\x1b[2J"):
        code = main(["bundle", "show", str(changed(bundle, name, to=odd))])
        said = capsys.readouterr()
        assert code in (0, 4)
        assert "unexpected" not in said.err
        assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("sizes", [{"filters": 4096, "features": 4096}, {"filters": 64, "features": 1 << 20}])
def test_absurd_sizes_are_held_against_the_header_before_anything_is_made(bundle, monkeypatch, sizes):
    """No network of these sizes is made in memory: only the shapes of one."""
    fields = copy.deepcopy(CARD)
    fields["architecture"] |= sizes
    (bundle / "card.json").write_text(json.dumps(fields))
    made = []
    monkeypatch.setattr(safetensors.torch, "load", lambda content: made.append(content))
    tracemalloc.start()
    try:
        with pytest.raises(BundleError):
            _ = load_bundle(bundle).ensemble
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    assert made == []
    assert check_bundle(bundle)


def test_a_reference_of_other_sizes_is_refused_by_the_card_alone(bundle):
    with pytest.raises(BundleError, match="5 features for each of 1000 members"):
        load_bundle(changed(bundle, "members", to=1000))


def test_many_members_are_missed_in_the_header(bundle, monkeypatch):
    monkeypatch.delitem(CARD, "reference")
    with pytest.raises(BundleError, match="missing from the weights"):
        _ = load_bundle(changed(bundle, "members", to=1000)).ensemble


def with_weights(bundle: Path, content: bytes) -> Path:
    """Other weights, of which the card's hash is; the reference, which belongs to the old ones, is left out."""
    (bundle / "weights.safetensors").write_bytes(content)
    fields = {name: value for name, value in copy.deepcopy(CARD).items() if name != "reference"}
    fields["weights"]["sha256"] = hashlib.sha256(content).hexdigest()
    (bundle / "card.json").write_text(json.dumps(fields))
    return bundle


def header(text: str) -> bytes:
    return len(text.encode()).to_bytes(8, "little") + text.encode()


@pytest.mark.parametrize(
    "content",
    [
        b"", b"1234", (1 << 60).to_bytes(8, "little"), header("x"), header("[" * 100_000), header("[]"),
        header('{"a": 1}'), header('{"a": {"shape": [1e400], "dtype": []}}'), header('{"a": {"shape": 5}}'),
        header('{"' + "\\ud800" + '": {"shape": [1], "dtype": "F32", "data_offsets": [0, 4]}}'),
    ],
)  # fmt: skip
def test_damaged_weights_are_a_sentence(bundle, content, capsys):
    with pytest.raises(BundleError) as error:
        _ = load_bundle(with_weights(bundle, content)).ensemble
    assert len(str(error.value)) < 1000
    assert main(["bundle", "check", str(bundle)]) == 4
    assert "unexpected" not in capsys.readouterr().err


def test_a_header_that_is_right_over_numbers_that_are_not_there_is_refused(bundle):
    whole = (bundle / "weights.safetensors").read_bytes()
    with pytest.raises(BundleError, match="damaged"):
        _ = load_bundle(with_weights(bundle, whole[: len(whole) // 2])).ensemble


@POSIX
@pytest.mark.parametrize("name", ["card.json", "weights.safetensors"])
def test_links_and_pipes_in_a_bundle_are_not_followed(bundle, tmp_path, name):
    (bundle / name).rename(tmp_path / name)
    (bundle / name).symlink_to(tmp_path / name)
    with pytest.raises(BundleError, match="is a link, which is not followed"):
        load_bundle(bundle)
    (bundle / name).unlink()
    os.mkfifo(bundle / name)
    with pytest.raises(BundleError, match="named pipe"):
        load_bundle(bundle)


@POSIX
def test_installing_takes_no_links_and_no_pipes(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "models"))
    secret = tmp_path / "secret.txt"
    secret.write_text("not for others")
    (bundle / "LICENCE.txt").symlink_to(secret)
    os.mkfifo(bundle / "notes.txt")
    assert install_bundle(bundle, overwrite=True)
    assert sorted(path.name for path in (tmp_path / "models" / "synthetic-demo").iterdir()) == [
        "card.json", "weights.safetensors",
    ]  # fmt: skip
    with pytest.raises(BundleError, match="named pipe"):
        install_bundle(bundle / "notes.txt")


def test_all_texts_together_are_limited(bundle, tmp_path, monkeypatch):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(installation, "LARGEST_TEXT_BYTES", (bundle / "card.json").stat().st_size)
    for number in range(3):
        (bundle / f"{number}.txt").write_bytes(bytes((bundle / "card.json").stat().st_size // 2))
    with pytest.raises(BundleError, match="larger than any model"):
        install_bundle(bundle, overwrite=True)
    assert not (tmp_path / "models" / "synthetic-demo").exists()


def a_zip(bundle: Path, path: Path) -> bytes:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in bundle.iterdir():
            packed.write(file, f"bundle/{file.name}")
    return path.read_bytes()


@pytest.mark.parametrize("at", [0.05, 0.3, 0.6, 0.98])
def test_a_damaged_zip_is_a_sentence(bundle, tmp_path, monkeypatch, at):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "models"))
    content = bytearray(a_zip(bundle, tmp_path / "a.zip"))
    place = int(len(content) * at)
    content[place : place + 40] = b"\xff" * 40
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(BundleError):
        install_bundle(tmp_path / "a.zip", overwrite=True)
    assert list((tmp_path / "models").iterdir()) == [] if (tmp_path / "models").exists() else True


@pytest.mark.skipif(not SHARED.is_dir(), reason="the cases of ../shared are not here")
def test_the_damaged_zip_of_the_cases_is_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PULSARCAM_MODELS", str(tmp_path / "models"))
    for path in sorted(SHARED.glob("zip-*.zip")):
        with pytest.raises(BundleError):
            install_bundle(path)
        for arguments in (["bundle", "check", str(path)], ["bundle", "show", str(path)]):
            assert main(arguments) == 4
            assert "unexpected" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\udcff", "y/" * 3000])
def test_a_model_that_no_path_could_be_is_a_sentence(name, capsys):
    assert main(["bundle", "show", name]) == 4
    said = capsys.readouterr().err
    assert said.startswith("pulsarcam: error: There is no model")
    assert len(said) < 1000


def test_numbers_of_the_wrong_kind_are_still_refused(bundle):
    tensors = safetensors.torch.load_file(bundle / "weights.safetensors")
    name = "0.logit.weight"
    tensors[name] = tensors[name].to(torch.float64)
    with pytest.raises(BundleError, match=r"float64, the card's architecture needs .*float32"):
        _ = load_bundle(with_weights(bundle, safetensors.torch.save(tensors))).ensemble
