"""A new map method is one entry in its system's ``maps``: chosen, computed, compared, drawn, reported without more.

Layer-CAM (Jiang et al. 2021) stands for any: w_ij^k = ReLU(ds/dA_ij^k), map = ReLU(sum_k w_ij^k A_ij^k).
"""

from __future__ import annotations

import csv

import numpy as np
import pytest

from PulsarCAMLib.cli import main
from PulsarCAMLib.cli.parser import make_parser
from PulsarCAMLib.core.map_method import MapMethod
from PulsarCAMLib.systems.autoencoder.maps import closed_form as maps
from PulsarCAMLib.systems.autoencoder.system import Autoencoder
from PulsarCAMLib.systems.registry import method_title, system_of


def layer_cam(evidence):
    return {
        name: ((sign * evidence.gradient).relu() * evidence.masked).sum(dim=2).relu()
        for name, sign in maps.SIGNS.items()
    }


@pytest.fixture
def with_layer_cam(monkeypatch):
    """As if the entry stood in systems/autoencoder/maps/closed_form.py."""
    entry = MapMethod(
        name="layercam",
        title="Layer-CAM",
        unit="contribution to the logit",
        equation="ReLU(sum_k ReLU(ds/dA_ij^k) A_ij^k)",
        compute=layer_cam,
        saved_name="LAYERCAM",
    )
    known = (*maps.METHODS[:3], entry, *maps.METHODS[3:])
    monkeypatch.setattr(maps, "METHODS", known)
    monkeypatch.setattr(Autoencoder, "maps", known)


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    from PulsarCAMLib.cli.commands.demo import write_scan
    from PulsarCAMLib.cli.console import Progress

    folder = tmp_path_factory.mktemp("scan") / "scan"
    write_scan(folder, 11, Progress(quiet=True))
    return folder


def test_it_has_a_title_and_can_be_chosen_on_the_command_line(with_layer_cam):
    assert method_title("layercam") == "Layer-CAM"
    assert "layercam" in system_of().usual_maps
    options = make_parser().parse_args(["explain", "mri.nrrd", "gtv.seg.nrrd", "-o", "out", "--method", "layercam"])
    assert options.method == ["layercam"]


def test_it_is_computed_compared_drawn_and_reported(with_layer_cam, scan, tmp_path):
    out = tmp_path / "out"
    files = [str(scan / "mri.nrrd"), str(scan / "lesions.seg.nrrd"), "-o", str(out)]
    assert main(["explain", *files, "--method", "layercam", "--class", "both", "--compare", "--report", "--quiet"]) == 0
    import SimpleITK as sitk

    heat = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "layercam_response_mean.nrrd")))
    assert heat.max() > 0
    assert list((out / "pictures").glob("*_layercam.png"))
    assert "Layer-CAM" in (out / "report.html").read_text(encoding="utf-8")
    with (out / "agreement.csv").open(encoding="utf-8") as file:
        assert {row["map_method"] for row in csv.DictReader(file)} == {"layercam"}


def test_its_map_is_what_its_equation_says(with_layer_cam):
    import torch

    from PulsarCAMLib.systems.autoencoder.maps.compute import explain_patches
    from PulsarCAMLib.systems.autoencoder.model.ensemble import Ensemble
    from PulsarCAMLib.systems.autoencoder.model.network import AutoencoderClassifier

    torch.manual_seed(0)
    member = AutoencoderClassifier().double().eval()
    rng = np.random.default_rng(0)
    images, masks = rng.random((2, 1, 64, 64)), np.ones((2, 1, 64, 64), bool)
    found = explain_patches(Ensemble([member]), images, masks, ["layercam"])
    for n in range(2):
        features = member.encode(torch.from_numpy(images[n : n + 1])).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(member.classify(features).sum(), features)
        for name, sign in maps.SIGNS.items():
            wanted = ((sign * gradient).relu() * features).sum(dim=1).relu()[0].detach().numpy()
            np.testing.assert_allclose(found.maps["layercam", name][0, n], wanted, rtol=1e-9, atol=1e-15)
