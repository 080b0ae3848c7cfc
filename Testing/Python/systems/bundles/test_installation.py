"""Installing a model: checked first, whole or not at all, and never outside the user's folder."""

from __future__ import annotations

import json
import os
import shutil
import zipfile

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed")

from making_models import random_bundle

from PulsarCAMLib.core.errors import BundleError, OutputError
from PulsarCAMLib.systems.bundles import installation
from PulsarCAMLib.systems.bundles.bundle import find_bundle, find_card, installed_bundles, user_folder
from PulsarCAMLib.systems.bundles.installation import install_bundle, is_removable, remove_bundle


@pytest.fixture
def models(tmp_path, monkeypatch):
    folder = tmp_path / "user" / "models"
    monkeypatch.setenv("PULSARCAM_MODELS", str(folder))
    return folder


@pytest.fixture
def bundle(tmp_path):
    random_bundle(tmp_path / "made", count=1)
    return tmp_path / "made"


def packed(folder, path, prefix="", more=()):
    with zipfile.ZipFile(path, "w") as file:
        for each in folder.iterdir():
            file.write(each, prefix + each.name)
        for name, content in more:
            file.writestr(name, content)
    return path


def test_a_folder_is_installed_under_the_name_on_its_card(models, bundle):
    (bundle / "LICENSE.txt").write_text("free")
    (bundle / "run_me.py").write_text("raise SystemExit")
    assert install_bundle(bundle) == "random"
    assert sorted(p.name for p in (models / "random").iterdir()) == ["LICENSE.txt", "card.json", "weights.safetensors"]
    assert find_bundle("random").card.title == find_card("random").title
    assert sorted(p.name for p in models.iterdir()) == ["random"]


@pytest.mark.parametrize("prefix", ["", "some/folder/"])
def test_a_zip_file_is_installed(models, bundle, tmp_path, prefix):
    assert install_bundle(packed(bundle, tmp_path / "m.zip", prefix)) == "random"
    assert find_bundle("random").ensemble is not None


def test_a_zip_file_cannot_write_outside_the_users_folder(models, bundle, tmp_path):
    evil = [("../../evil.txt", "x"), ("/tmp/evil.txt", "x"), ("..\\evil.txt", "x"), ("sub/evil.txt", "x")]
    install_bundle(packed(bundle, tmp_path / "m.zip", more=evil))
    assert not [p for p in tmp_path.rglob("*") if "evil" in p.name]


def test_a_zip_bomb_is_refused_and_leaves_nothing(models, bundle, tmp_path, monkeypatch):
    monkeypatch.setattr(installation, "LARGEST_BYTES", 1000)
    with pytest.raises(BundleError, match="larger than"):
        install_bundle(packed(bundle, tmp_path / "m.zip"))
    assert list(models.iterdir()) == []


@pytest.mark.parametrize("count", [0, 2])
def test_a_zip_file_must_hold_one_bundle(models, bundle, tmp_path, count):
    path = tmp_path / "m.zip"
    with zipfile.ZipFile(path, "w") as file:
        for n in range(count):
            file.write(bundle / "card.json", f"{n}/card.json")
    with pytest.raises(BundleError, match=f"holds {count}"):
        install_bundle(path)


def test_damage_is_told_and_leaves_nothing(models, bundle, tmp_path):
    whole = packed(bundle, tmp_path / "m.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BundleError, match="neither a folder nor a zip"):
        install_bundle(tmp_path / "cut.zip")
    (bundle / "weights.safetensors").write_bytes(b"other")
    with pytest.raises(BundleError, match="wrong sha256"):
        install_bundle(bundle)
    card = json.loads((bundle / "card.json").read_text())
    (bundle / "card.json").write_text(json.dumps(card | {"name": "../up"}))
    with pytest.raises(BundleError, match="small letters"):
        install_bundle(bundle)
    shutil.rmtree(bundle)
    bundle.mkdir()
    with pytest.raises(BundleError, match=r"holds no card\.json"):
        install_bundle(bundle)
    assert list(models.iterdir()) == []


def test_a_second_one_of_the_same_name_is_refused_unless_it_may_replace(models, bundle):
    install_bundle(bundle)
    with pytest.raises(BundleError, match="installed already"):
        install_bundle(bundle)
    assert install_bundle(bundle, overwrite=True) == "random"
    assert sorted(p.name for p in models.iterdir()) == ["random"]


def test_only_the_users_own_models_can_be_removed(models, bundle):
    install_bundle(bundle)
    assert is_removable("random")
    remove_bundle("random")
    assert "random" not in installed_bundles()
    assert list(models.iterdir()) == []
    with pytest.raises(BundleError, match="no model"):
        remove_bundle("random")
    for name in installed_bundles():
        assert not is_removable(name)
        with pytest.raises(BundleError, match="comes with PulsarCAM"):
            remove_bundle(name)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_protected_folder_is_one_sentence(models, bundle):
    models.mkdir(parents=True)
    models.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be installed"):
        install_bundle(bundle)


def test_a_file_in_the_way_is_one_sentence(models, bundle):
    models.parent.mkdir(parents=True)
    models.write_text("not a folder")
    with pytest.raises(OutputError, match="cannot be installed"):
        install_bundle(bundle)


def test_without_a_setting_models_lie_beside_other_programs_data(monkeypatch, tmp_path):
    monkeypatch.delenv("PULSARCAM_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    assert user_folder().parts[-2:] == ("PulsarCAM", "Models")
