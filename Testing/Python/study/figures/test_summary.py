import json
import math
from dataclasses import replace

import numpy as np
import pytest
from making_studies import made_study, noise, some_lesions
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.study.figures.entries import entry_of
from PulsarCAMLib.study.figures.flattering import flatters, paper_control, why_title
from PulsarCAMLib.study.figures.model_results import model_results_of
from PulsarCAMLib.study.figures.narrative import verdict
from PulsarCAMLib.study.figures.pairs import corrected_interval
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.systems.registry import system_of

RESAMPLES = 100


def blurred(model, split, point, lesions):
    """A signal that does not depend on who was learnt from; the second model has a weaker one."""
    rng = np.random.default_rng([7, split.number, len(model)])
    truth = split.labels[lesions] if not split.control else rng.integers(0, 2, len(lesions))
    return np.clip(
        0.5 + (0.2 if model == "cam" else 0.05) * (2 * truth - 1) + 0.15 * rng.normal(size=len(lesions)), 0, 1
    )


@pytest.fixture(scope="module")
def two_models(tmp_path_factory):
    protocols = ("patients", "paper")
    return made_study(
        tmp_path_factory.mktemp("run"), blurred, models=("cam", "gradients"), protocols=protocols, trials=10, controls=8
    )


@pytest.fixture(scope="module")
def summary(two_models):
    return summarise(two_models, RESAMPLES)


def test_mean_and_spread_of_the_auc_are_those_of_the_trials(two_models, summary):
    entry = entry_of(summary, "patients", "cam", "baseline")
    values = []
    for record in two_models.of("cam", "patients"):
        answers = record.answers[0]
        values.append(roc_auc_score(two_models.lesions.labels[answers.lesions], answers.probabilities))
    assert entry["trials"] == entry["trials_wanted"] == 10
    assert entry["metrics"]["auc"]["mean"] == pytest.approx(np.mean(values))
    assert entry["metrics"]["auc"]["sd"] == pytest.approx(np.std(values, ddof=1))
    assert entry["prevalence"] == pytest.approx(two_models.lesions.labels.mean())


def test_the_pool_has_every_lesion_once_with_its_mean_probability(two_models):
    cell = next(cell for cell in model_results_of(two_models) if cell.protocol == "patients")
    pool = cell.pooled(two_models.lesions.patients)
    assert pool.lesions.tolist() == list(range(len(two_models.lesions)))
    of_lesion_3 = [a.probabilities[a.lesions == 3] for r in two_models.of("cam", "patients") for a in r.answers[:1]]
    assert pool.probabilities[3] == pytest.approx(np.concatenate(of_lesion_3).mean())
    assert pool.patients[3] == two_models.lesions.patients[3]


def test_every_control_is_judged_on_its_own_permuted_labels(two_models, summary):
    entry = entry_of(summary, "paper", "cam", "second")
    records = two_models.of("cam", "paper", control=True)
    expected = [roc_auc_score(r.labels, r.answers[0].probabilities) for r in records]
    assert entry["control"]["auc_by_trial"] == pytest.approx(expected)
    assert len({tuple(record.labels) for record in records}) == 8


def test_late_fusion_is_the_mean_of_the_members_on_the_same_splits(two_models):
    cells = {(c.protocol, c.model, c.time_point): c for c in model_results_of(two_models)}
    parts = [cells["patients", model, "second"].trials[4] for model in ("cam", "gradients", "fusion")]
    np.testing.assert_allclose(parts[2].probabilities, (parts[0].probabilities + parts[1].probabilities) / 2)
    assert parts[2].lesions.tolist() == parts[0].lesions.tolist()


def test_the_corrected_interval_is_that_of_nadeau_and_bengio():
    found = corrected_interval([1.0, 2.0, 3.0], 0.25)
    reach = 4.302652729911275 * math.sqrt(1 / 3 + 0.25)
    assert (found["mean"], found["sd"]) == (2.0, 1.0)
    assert found["low"] == pytest.approx(2 - reach)
    assert found["high"] == pytest.approx(2 + reach)
    assert found["p_value"] == pytest.approx(0.1199, abs=1e-3)
    assert corrected_interval([0.0, 0.0], 0.25)["low"] == 0.0
    assert corrected_interval([1.0], 0.25)["reason"] == "an interval needs at least two trials"
    assert corrected_interval([], 0.25)["mean"] is None


def test_no_interval_reaches_beyond_what_its_figure_can_be(tmp_path):
    """Two controls of 0.0 and 1.0 have a t interval of -5.9 to 6.9."""

    def wild(model, split, point, lesions):
        turned = split.number % 2 == (model == "cam")
        return np.where(split.labels[lesions] == turned, 0.9, 0.1) + 1e-3 * lesions / len(split.labels)

    settings = {"models": ("cam", "gradients"), "protocols": ("paper", "patients"), "trials": 3, "controls": 2}
    found = summarise(made_study(tmp_path, wild, **settings), RESAMPLES)
    entry = entry_of(found, "paper", "cam", "second")
    assert sorted(entry["control"]["auc_by_trial"]) == [0.0, 1.0]
    assert entry["control"]["auc_interval"] == {"low": 0.0, "high": 1.0}
    why = paper_control("CAM", entry, system_of().task)
    assert "+0.000 against 0.5: not above chance (95 % interval of that difference −0.500 to +0.500)" in why
    pair = next(d for d in found["differences"] if (d["protocol"], d["second"]) == ("patients", "gradients"))
    assert (pair["metrics"]["auc"]["low"], pair["metrics"]["auc"]["high"]) == (-1.0, 1.0)
    control = entry_of(found, "patients", "cam", "baseline")["against_control"]
    assert (control["low"], control["high"]) == (-1.0, 1.0)


def test_why_they_flatter_is_said_only_where_they_do(tmp_path):
    """A model that sees nothing and remembers nothing is flattered by no protocol; one that remembers is, by (a)."""

    def knows_nothing(model, split, point, lesions):
        return np.random.default_rng([7, len(split.train), split.number, split.control]).random(len(lesions))

    settings = {"protocols": ("paper", "patients"), "trials": 12, "controls": 6}
    found = summarise(made_study(tmp_path / "nothing", knows_nothing, **settings), RESAMPLES)
    assert not flatters(entry_of(found, "paper", "cam", "second"), entry_of(found, "patients", "cam", "second"))
    assert found["sentences"]["why_flattering"] == []
    assert why_title([]) == ""
    entry = entry_of(found, "patients", "cam", "baseline")
    auc, split = entry["metrics"]["auc"], entry["by_split"]
    plain = auc["sd"] / auc["defined"] ** 0.5
    better = {"metrics": {"auc": auc | {"mean": auc["mean"] + 2.5 * plain, "sd": 0.0}}, "by_split": None}
    better["control"] = {"auc_interval": {"low": None}}
    assert (split["high"] - split["low"]) / 2 > 2.5 * plain, "splits share lesions"
    assert not flatters(better, entry), "their interval tells how far their mean is known"
    assert flatters(better, entry | {"by_split": None}), "as if splits shared none"
    heart = summarise(made_study(tmp_path / "heart", noise, **settings), RESAMPLES)
    why = heart["sentences"]["why_flattering"]
    assert why_title(why) == "Why (a) flatters"
    assert "says nothing at all about prediction" in why[0]
    assert why_title(["(a) x", "y", "(b) z", "(d) w"]) == "Why (a), (b) and (d) flatter"


def test_differences_are_paired_over_the_same_splits(two_models, summary):
    pair = next(d for d in summary["differences"] if (d["first"], d["second"]) == ("cam", "gradients"))
    means = [
        entry_of(summary, "patients", model, "baseline")["metrics"]["auc"]["mean"] for model in ("cam", "gradients")
    ]
    assert (pair["protocol"], pair["time_point"], pair["trials"]) == ("patients", "baseline", 10)
    assert pair["metrics"]["auc"]["mean"] == pytest.approx(means[0] - means[1])
    assert pair["test_share"] == pytest.approx(0.25)
    pooled = [
        entry_of(summary, "patients", m, "baseline")["pooled"]["values"]["auc"]["value"] for m in ("cam", "gradients")
    ]
    assert pair["pooled_auc"]["difference"]["value"] == pytest.approx(pooled[0] - pooled[1])
    names = {(d["first"], d["second"]) for d in summary["differences"]}
    assert names == {("cam", "gradients"), ("cam", "fusion"), ("gradients", "fusion")}


def test_trials_of_the_papers_protocol_get_no_interval_of_repeated_splits(summary):
    pair = next(d for d in summary["differences"] if d["protocol"] == "paper")
    assert pair["metrics"]["auc"]["mean"] is not None
    assert pair["metrics"]["auc"]["low"] is None
    assert "not splits" in pair["metrics"]["auc"]["reason"]


def test_one_patient_at_a_time_is_compared_by_the_pool_only(tmp_path):
    study = made_study(tmp_path, blurred, models=("cam", "gradients"), protocols=("leave-one-patient-out",))
    pair = summarise(study, RESAMPLES)["differences"][0]
    assert pair["metrics"]["auc"]["mean"] is None
    assert "pooled" in pair["metrics"]["auc"]["reason"]
    assert pair["pooled_auc"]["difference"]["low"] is not None


def test_a_real_signal_is_told_from_a_half_and_from_its_control(summary):
    entry = entry_of(summary, "patients", "cam", "baseline")
    assert entry["chance"]["differs"]
    assert entry["by_split"]["differs"]
    assert entry["against_control"]["differs"]
    assert "better than 0.5, and better than its control" in summary["sentences"]["headline"][0]


def test_the_mean_over_splits_has_the_interval_of_nadeau_and_bengio(summary, two_models):
    from scipy.stats import t
    from sklearn.metrics import roc_auc_score

    records = two_models.of("cam", "patients")
    values, shares = [], []
    for record in records:
        (own,) = (answers for answers in record.answers if answers.time_point == "baseline")
        values.append(roc_auc_score(record.labels[own.lesions], own.probabilities))
        shares.append(len(own.lesions) / len(record.train))
    count = len(values)
    reach = t.ppf(0.975, count - 1) * np.std(values, ddof=1) * np.sqrt(1 / count + np.mean(shares))
    found = entry_of(summary, "patients", "cam", "baseline")["by_split"]
    assert found["auc"] == pytest.approx(np.mean(values))
    assert (found["low"], found["high"]) == pytest.approx((np.mean(values) - reach, min(np.mean(values) + reach, 1.0)))
    naive = t.ppf(0.975, count - 1) * np.std(values, ddof=1) / np.sqrt(count)
    assert reach / naive == pytest.approx(np.sqrt(1 + 10 * 0.25)), "ten splits of 80/20"


def test_better_needs_the_word_of_the_control(summary):
    entry = dict(entry_of(summary, "patients", "cam", "baseline"))
    assert "better than 0.5" in verdict(entry)
    doubtful = entry | {"against_control": entry["against_control"] | {"differs": False}}
    assert "above 0.5, which its control does not confirm, but not distinguishable" in verdict(doubtful)
    unknown = entry | {"against_control": entry["against_control"] | {"differs": None, "reason": "no control"}}
    assert "has yet to confirm" in verdict(unknown)


def test_a_control_that_is_not_defined_everywhere_says_so(summary):
    entry = dict(entry_of(summary, "patients", "cam", "baseline"))
    auc = entry["control"]["metrics"]["auc"]
    assert "defined in" not in verdict(entry)
    fewer = {"metrics": {"auc": auc | {"defined": auc["trials"] - 3}}}
    told = f"± {auc['sd']:.3f}, defined in {auc['trials'] - 3} of {auc['trials']}; difference"
    assert told in verdict(entry | {"control": entry["control"] | fewer})


def test_what_was_learnt_by_heart_is_pointed_out(tmp_path):
    study = made_study(tmp_path, noise, protocols=("paper", "lesions", "patients", "leave-one-patient-out"))
    found = summarise(study, RESAMPLES)
    paper = entry_of(found, "paper", "cam", "second")
    assert paper["metrics"]["auc"]["mean"] == paper["control"]["metrics"]["auc"]["mean"] == 1.0
    honest = entry_of(found, "patients", "cam", "baseline")
    assert not honest["chance"]["differs"]
    assert not honest["by_split"]["differs"]
    assert paper["by_split"] is None, "it repeats seeds, not splits"
    assert not honest["against_control"]["differs"]
    assert "not distinguishable from 0.5, and not distinguishable from" in found["sentences"]["headline"][0]
    why = " ".join(found["sentences"]["why_flattering"])
    assert "with random labels it still reaches 1.000 ± 0.000" in why
    assert "+0.500 against 0.5: learnt by heart" in why
    assert "no less than the 0.844 of the paper's Table 1" in why
    assert "(a) minus (c)" in why
    assert "(b) minus (c)" not in why, "lesions of one patient are not alike here, so (b) flatters nobody"
    assert any("falls BELOW 0.5" in sentence for sentence in found["sentences"]["cautions"])
    alone = entry_of(found, "leave-one-patient-out", "cam", "baseline")
    assert alone["trials"] == alone["patients"] == 15
    assert alone["by_trial_means_little"]
    assert alone["control"]["trials"] == alone["control"]["trials_wanted"] == 15
    assert alone["control"]["pooled"]["lesions"] == len(study.lesions)
    values = [part["pooled"]["values"]["auc"]["value"] for part in (alone, alone["control"])]
    assert alone["against_control"]["difference"] == pytest.approx(values[0] - values[1])
    assert f"its control with permuted labels ({values[1]:.3f} over all its answers; difference" in verdict(alone)
    assert values[1] != pytest.approx(alone["control"]["metrics"]["auc"]["mean"], abs=1e-3), "not that by trial"
    assert not alone["against_control"]["differs"]


def test_an_answer_that_was_not_given_is_left_out_and_counted(tmp_path):
    def silent(model, split, point, lesions):
        answers = blurred(model, split, point, lesions)
        answers[(lesions == 5) | ((lesions == 6) & (split.number < 5))] = np.nan
        return answers if model == "cam" else blurred(model, split, point, lesions)

    study = made_study(tmp_path, silent, models=("cam", "gradients"), protocols=("patients",), trials=10)
    found = summarise(study, RESAMPLES)
    entry = entry_of(found, "patients", "cam", "baseline")
    assert entry["lesions"] == len(study.lesions) - 1
    assert entry["not_answered"] == {"lesions": 1, "answers": 3}
    assert entry_of(found, "patients", "fusion", "baseline")["lesions"] == len(study.lesions) - 1
    pair = next(d for d in found["differences"] if (d["first"], d["second"]) == ("cam", "gradients"))
    assert pair["pooled_auc"]["lesions"] == len(study.lesions) - 1
    assert any("gave no answer" in sentence for sentence in found["sentences"]["cautions"])


def test_a_model_that_needs_both_mris_is_not_asked_about_the_first(tmp_path):
    def only_later(model, split, point, lesions):
        return None if (model, point) == ("gradients", "baseline") else blurred(model, split, point, lesions)

    found = summarise(made_study(tmp_path, only_later, models=("cam", "gradients"), protocols=("patients",)), RESAMPLES)
    assert entry_of(found, "patients", "gradients", "baseline") is None
    assert entry_of(found, "patients", "fusion", "baseline") is None
    assert entry_of(found, "patients", "fusion", "second")["trials"] == 5
    assert "on the second MRI" in found["sentences"]["headline"][1]


def test_late_fusion_does_without_members_that_a_protocol_does_not_ask(tmp_path):
    def but_one(model, split, point, lesions):
        return None if (model, split.protocol) == ("dose", "paper") else blurred(model, split, point, lesions)

    study = made_study(tmp_path, but_one, models=("cam", "gradients", "dose"), protocols=("paper", "patients"))
    kept = tuple(record for record in study.records if record.answers)
    cells = {(c.protocol, c.model, c.time_point): c for c in model_results_of(replace(study, records=kept))}
    for protocol, members in (("paper", ("cam", "gradients")), ("patients", ("cam", "gradients", "dose"))):
        parts = [cells[protocol, model, "second"].trials[0].probabilities for model in members]
        np.testing.assert_allclose(cells[protocol, "fusion", "second"].trials[0].probabilities, np.mean(parts, axis=0))


@pytest.mark.parametrize("missing", [3, 9])
def test_an_unfinished_study_says_how_much_is_missing(tmp_path, missing):
    study = made_study(tmp_path, blurred, protocols=("patients",), missing=missing)
    found = summarise(study, RESAMPLES)
    assert found["missing"] == missing
    assert f"{missing} of 9 trainings are missing" in found["sentences"]["state"][0]
    if missing == 9:
        assert found["sentences"]["headline"] == ["No trial is finished yet."]


def test_a_study_without_an_honest_protocol_is_told_so(tmp_path):
    found = summarise(made_study(tmp_path, blurred, protocols=("paper",)), RESAMPLES)
    assert "says nothing yet about lesions of new patients" in found["sentences"]["headline"][0]


def test_the_summary_is_json_without_nan_and_the_same_each_time(two_models, summary):
    text = json.dumps(summary, allow_nan=False)
    assert text == json.dumps(summarise(two_models, RESAMPLES), allow_nan=False)


def test_pairs_of_one_patient_are_counted(tmp_path):
    study = made_study(tmp_path, blurred, lesions=some_lesions(patients=15, each=2), protocols=("patients",))
    assert summarise(study, RESAMPLES)["same_patient"]["pairs"] == 15


def test_intervals_of_a_report_are_of_two_thousand_draws():
    """Other tests are content with fewer."""
    from PulsarCAMLib.outputs.study.writing import write_study_report

    assert summarise.__defaults__ == (2000,)
    assert write_study_report.__kwdefaults__["resamples"] == 2000
