"""The shipped model's maps on a few patients, through the command line."""

import json
import subprocess
import sys

import pytest

from PulsarCAMLib.cli import main
from PulsarCAMLib.systems.bundles.bundle import installed_bundles

pytestmark = pytest.mark.skipif("synthetic-demo" not in installed_bundles(), reason="no bundle is shipped")

FEW = ["sanity", "synthetic-demo", "--patients", "6", "--seed", "8201", "--draws", "3", "--resamples", "200"]


@pytest.fixture(scope="module")
def output(tmp_path_factory):
    path = tmp_path_factory.mktemp("sanity") / "sanity.json"
    assert main([*FEW, "-o", str(path), "--quiet"]) == 0
    return path


@pytest.fixture(scope="module")
def result(output):
    return json.loads(output.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ["pixelwise", "gradcam", "pixelwise-signed"])
def test_maps_change_when_all_layers_are_drawn_anew(result, name):
    assert result["maps"][name]["verdicts"]["changes with the model"]
    assert result["maps"][name]["verdicts"]["stable"]


def test_the_auc_falls_to_chance(result):
    assert result["auc"]["as trained"]["mean"] > 0.8
    assert result["auc"]["all layers"]["chance"]


def test_insertion_in_the_order_of_the_maps_is_better_than_random(result):
    for name in ("pixelwise", "gradcam", "pixelwise-signed"):
        assert result["maps"][name]["scores"]["insertion"]["low"] > 0


def test_planted_tissue_is_found_and_trivial_maps_fail(result):
    assert result["maps"]["pixelwise"]["scores"]["auroc"]["mean"] > 0.7
    assert result["maps"]["uniform"]["scores"]["auroc"]["mean"] == pytest.approx(0.5)
    trivial = ("intensity", "intensity reversed", "near the centre", "near the margin", "uniform", "random")
    assert not any(result["maps"][name]["passed"] for name in trivial)


def test_the_file_says_what_it_is_about_and_is_never_replaced_by_accident(result, output, capsys):
    assert result["synthetic"] is True
    assert (result["model"], result["seed"]) == ("synthetic-demo", 8201)
    assert main([*FEW, "-o", str(output)]) == 5
    assert "exists already" in capsys.readouterr().err
    assert [p.name for p in output.parent.iterdir()] == ["sanity.json"]


def test_patients_the_model_was_trained_on_are_refused(capsys):
    assert main(["sanity", "synthetic-demo", "--patients", "1", "--seed", "1000"]) == 3
    assert "trained or tuned" in capsys.readouterr().err


def test_wrong_numbers_are_wrong_usage():
    assert main(["sanity", "synthetic-demo", "--patients", "0"]) == 2
    assert main(["sanity", "synthetic-demo", "--seed", "-1"]) == 2


def test_the_package_is_imported_without_torch():
    code = "import sys, PulsarCAMLib.trust; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
