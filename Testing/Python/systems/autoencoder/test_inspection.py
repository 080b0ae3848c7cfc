import numpy as np
import pytest
import torch
from making_models import CARD_FIELDS, random_bundle, random_member

from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.lesions.from_labels import lesions_from_masks
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED
from PulsarCAMLib.systems.autoencoder.maps.inspection import inspect_slice
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.bundle import save_bundle

GEOMETRY = VolumeGeometry((8, 80, 80), (1.0, 1.0, 3.0), (-40, 20, 5), np.diag([1.0, -1, 1]))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    made = random_bundle(tmp_path_factory.mktemp("models") / "random", count=3)
    made.ensemble.to(torch.float64)
    return made


@pytest.fixture(scope="module")
def volume():
    return np.random.default_rng(5).normal(300, 60, GEOMETRY.shape).astype(np.float32)


@pytest.fixture(scope="module")
def lesions():
    k, j, i = np.indices(GEOMETRY.shape)
    ball = (k - 4) ** 2 * 9 + (j - 30) ** 2 + (i - 30) ** 2 < 120
    speck = (k == 4) & (j == 60) & (i == 61)
    return lesions_from_masks({"ball": ball, "speck": speck})[0]


@pytest.fixture(scope="module")
def result(bundle, lesions, volume):
    return explain_scan(volume, GEOMETRY, lesions, bundle)


def passes(bundle, lesion, n):
    """Each member's own forward pass on one slice, with the gradient of its logit by autograd."""
    image, mask = (torch.from_numpy(a[n : n + 1]) for a in (lesion.samples.images, lesion.samples.masks))
    for member in bundle.ensemble.members:
        output = member(image.double(), mask.double())
        with torch.enable_grad():
            masked = output.masked.detach().requires_grad_()
            gradient = torch.autograd.grad(member.classify(masked).sum(), masked)[0]
        yield output, gradient * output.cells


def test_a_member_is_shown_as_its_own_forward_pass_computes_it(bundle, result):
    for lesion in result.lesions:
        for n in range(len(lesion.samples)):
            for k, (output, gradient) in enumerate(passes(bundle, lesion, n)):
                seen = inspect_slice(bundle, lesion, n, member=k)
                for found, wanted in (
                    (seen.reconstruction, output.reconstruction[0, 0]),
                    (seen.features, output.features[0]),
                    (seen.masked, output.masked[0]),
                    (seen.gradients, gradient[0]),
                    (seen.cells, output.cells[0, 0]),
                    (seen.logit, output.logits[0]),
                ):
                    np.testing.assert_allclose(found, wanted.detach().numpy(), rtol=1e-12, atol=1e-14)


def test_a_model_that_masks_by_half_is_explained_and_shown_so(tmp_path, volume, lesions):
    made = random_bundle(tmp_path / "half", preprocessing=Preprocessing(mask_rule="half"))
    made.ensemble.to(torch.float64)
    ball = explain_scan(volume, GEOMETRY, lesions, made).lesions[0]
    fewer = 0
    for n, mask in enumerate(ball.samples.masks[:, 0]):
        counts = mask.reshape(16, 4, 16, 4).sum(axis=(1, 3))
        seen = inspect_slice(made, ball, n, member=1)
        output, gradient = list(passes(made, ball, n))[1]
        np.testing.assert_array_equal(seen.cells, counts >= min(8, counts.max()))
        np.testing.assert_array_equal(seen.cells, output.cells[0, 0].numpy() > 0)
        np.testing.assert_allclose(seen.gradients, gradient[0].numpy(), rtol=1e-12, atol=1e-14)
        wanted = (gradient * output.masked).sum(dim=1)[0].detach().numpy()
        np.testing.assert_allclose(ball.maps[SIGNED, ""][1, n], wanted, rtol=1e-10, atol=1e-13)
        assert not any(maps[:, n][:, ~seen.cells].any() for maps in ball.maps.values())
        fewer += int((counts > 0).sum() - seen.cells.sum())
    assert fewer > 0


def test_the_ensembles_reconstruction_is_the_mean_of_its_members(bundle, result):
    lesion = result.lesions[0]
    own = [output.reconstruction[0, 0].detach().numpy() for output, _ in passes(bundle, lesion, 1)]
    np.testing.assert_allclose(inspect_slice(bundle, lesion, 1).reconstruction, np.mean(own, axis=0), rtol=1e-12)


@pytest.mark.parametrize("member", [None, 0, 2])
def test_maps_and_numbers_are_exactly_those_of_the_result(bundle, result, member):
    for lesion in result.lesions:
        for n in range(len(lesion.samples)):
            seen = inspect_slice(bundle, lesion, n, member)
            for method in (*AUTOENCODER.usual_maps, SIGNED):
                for name in AUTOENCODER.task.names:
                    wanted = lesion.sample_maps(method, name, member=member)[n]
                    np.testing.assert_array_equal(seen.patch_map(method, name), wanted)
            shown = slice(None) if member is None else [member]
            assert seen.logit == lesion.logits[shown, n].mean()
            assert seen.probability == lesion.probabilities[shown, n].mean()
            assert seen.spread == lesion.probabilities[shown, n].std()
            assert seen.rest == pytest.approx(
                (lesion.logits - lesion.maps[SIGNED, ""].sum(axis=(2, 3)))[shown, n].mean(), abs=1e-12
            )
            assert seen.map_sum + seen.rest == pytest.approx(seen.logit, abs=1e-12)


@pytest.mark.parametrize("method", ["gradcam", "gradcam++"])
def test_weights_times_features_are_the_map(bundle, result, method):
    for lesion in result.lesions:
        seen = inspect_slice(bundle, lesion, member=1)
        for name in AUTOENCODER.task.names:
            rebuilt = np.maximum(np.tensordot(seen.weights[method, name], seen.masked, 1), 0)
            np.testing.assert_allclose(rebuilt, seen.maps[method, name], rtol=1e-10, atol=1e-16)


def test_gradients_times_features_are_the_signed_map(bundle, result):
    seen = inspect_slice(bundle, result.lesions[0], member=2)
    np.testing.assert_allclose((seen.gradients * seen.masked).sum(axis=0), seen.signed, rtol=1e-10, atol=1e-16)


def test_nothing_has_a_gradient_or_a_feature_outside_the_gtv(bundle, result):
    for lesion in result.lesions:
        seen = inspect_slice(bundle, lesion)
        assert not seen.gradients[:, ~seen.cells].any()
        assert not seen.masked[:, ~seen.cells].any()
        np.testing.assert_array_equal(seen.features[:, seen.cells], seen.masked[:, seen.cells])


def test_without_a_slice_the_answering_one_is_shown(bundle, result):
    lesion = result.lesions[0]
    seen = inspect_slice(bundle, lesion)
    assert (seen.slice, seen.answers, seen.slices) == (lesion.main, True, len(lesion.samples))
    assert not inspect_slice(bundle, lesion, 0).answers
    assert seen.probability == lesion.probability


def test_the_ensemble_view_says_whose_features_it_shows(bundle, result):
    seen = inspect_slice(bundle, result.lesions[0])
    assert (seen.member, seen.feature_member, seen.member_name) == (None, 0, "mean of 3 members")
    assert "member 1 of 3" in seen.notes[0]
    np.testing.assert_array_equal(seen.gradients, inspect_slice(bundle, result.lesions[0], member=0).gradients)
    alone = inspect_slice(bundle, result.lesions[0], member=2)
    assert alone.member_name == "member 3 of 3"
    assert not any("do not correspond" in note for note in alone.notes)


def test_a_feature_that_the_whole_lesion_lacks_is_flagged(tmp_path, lesions, volume):
    member = random_member(4)
    with torch.no_grad():
        member.encode_2.weight[3] = 0
        member.encode_2.bias[3] = -1
    made = save_bundle(tmp_path / "dead", [member], CARD_FIELDS)
    result = explain_scan(volume, GEOMETRY, lesions, made)
    seen = inspect_slice(made, result.lesions[0])
    assert seen.dead.tolist() == [False, False, False, True, False]
    assert "Feature 4" in seen.notes[-1]


def test_the_place_of_the_slice_is_known(bundle, result):
    seen = inspect_slice(bundle, result.lesions[1])
    assert seen.spacing_mm == (1.0, 1.0)
    np.testing.assert_allclose(seen.centre_ras, [40 - 61, -(20 - 60), 5 + 12], atol=0.5)
    np.testing.assert_allclose(seen.directions_lps, np.eye(3))


@pytest.mark.parametrize(("n", "member"), [(-1, None), (99, None), (0, 3), (0, -1)])
def test_a_slice_or_member_that_is_not_there_is_refused(bundle, result, n, member):
    with pytest.raises(InputError, match="counted from 0"):
        inspect_slice(bundle, result.lesions[0], n, member)


@pytest.mark.parametrize("count", [2, 3])
def test_another_model_than_the_results_is_refused(tmp_path, result, count):
    members = [random_member(seed) for seed in range(7, 7 + count)]
    other = save_bundle(tmp_path / "other", members, CARD_FIELDS)
    with pytest.raises(InputError, match="explain the scan again"):
        inspect_slice(other, result.lesions[0])


def test_an_unknown_method_or_class_is_refused(bundle, result):
    seen = inspect_slice(bundle, result.lesions[0])
    with pytest.raises(InputError, match="scorecam"):
        seen.patch_map("scorecam")
    with pytest.raises(InputError, match="predicted"):
        seen.patch_map("gradcam", "predicted")
