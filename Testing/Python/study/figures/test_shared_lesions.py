"""What of Table 1's columns compares: the lesions that they are of, and how unequal classes were answered."""

import csv
import io
import re
from dataclasses import replace

import numpy as np
import pytest
from making_studies import made_study
from sklearn.metrics import roc_auc_score

from PulsarCAMLib.features.models.settings import FeatureModelSettings
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.outputs.study.console import summary_lines
from PulsarCAMLib.study.figures.entries import entry_of
from PulsarCAMLib.study.figures.shared_lesions import imbalance_sentence
from PulsarCAMLib.study.figures.summary import summarise
from PulsarCAMLib.study.models.features import feature_options
from PulsarCAMLib.study.settings import StudySettings
from PulsarCAMLib.systems.autoencoder.learning.settings import TrainingSettings

RESAMPLES = 20
SILENT = (5, 6, 17)
KIND = {"models": ("cam", "gradients"), "protocols": ("patients", "paper"), "trials": 5, "controls": 2}


def answers(model, split, point, lesions):
    truth, rng = split.labels[lesions], np.random.default_rng([split.number, len(model)])
    return 0.4 + 0.2 * truth + 0.3 * rng.random(len(lesions))


def with_gaps(model, split, point, lesions):
    """Gradients could not be computed on the first MRI of three lesions."""
    found = answers(model, split, point, lesions)
    if (model, point) == ("gradients", "baseline"):
        found[np.isin(lesions, SILENT)] = np.nan
    return found


@pytest.fixture(scope="module")
def gaps(tmp_path_factory):
    return made_study(tmp_path_factory.mktemp("gaps"), with_gaps, **KIND)


@pytest.fixture(scope="module")
def summary(gaps):
    return summarise(gaps, RESAMPLES)


def group_of(summary, protocol, point):
    return next(g for g in summary["columns"] if (g["protocol"], g["time_point"]) == (protocol, point))


def test_columns_of_the_same_lesions_are_called_so_and_not_shown_twice(tmp_path):
    found = summarise(made_study(tmp_path, answers, **KIND), RESAMPLES)
    assert [group["same"] for group in found["columns"]] == [True, True, True]
    assert found["shared"] == []
    assert found["sentences"]["columns"][0] == "In each of these tables all models are judged on the same lesions."
    assert not any("NOT of the same" in sentence for sentence in found["sentences"]["columns"])


def test_columns_of_other_lesions_are_counted_with_their_rows(summary, gaps):
    group = group_of(summary, "patients", "baseline")
    everybody = len(gaps.lesions)
    assert not group["same"]
    assert group["lesions"] == {"cam": everybody, "gradients": everybody - 3, "fusion": everybody - 3}
    rows = [int(row) for row in gaps.lesions.rows["baseline"][list(SILENT)]]
    assert group["without"] == {"cam": [], "gradients": rows, "fusion": rows}
    assert group["shared"] == everybody - 3
    assert group_of(summary, "patients", "second")["same"]
    told = " ".join(summary["sentences"]["columns"])
    assert "(c) split by patient, first MRI: the columns are NOT of the same lesions." in told
    assert f"cam {everybody}, gradients {everybody - 3}" in told
    assert f"gradients gave none for rows {', '.join(map(str, rows))}" in told
    assert "In (c) split by patient, second MRI; (a) the paper's, second MRI: all models are judged" in told
    assert "In each of these tables" not in told


def test_the_shared_lesions_have_columns_of_their_own(summary, gaps):
    entry = entry_of(summary, "patients", "cam", "baseline", "shared")
    values, own = [], []
    for record in gaps.of("cam", "patients"):
        found = record.answers[0]
        at = ~np.isin(found.lesions, SILENT)
        values.append(roc_auc_score(record.labels[found.lesions[at]], found.probabilities[at]))
        own.append(roc_auc_score(record.labels[found.lesions], found.probabilities))
    assert entry["metrics"]["auc"]["mean"] == pytest.approx(np.mean(values))
    assert np.mean(values) != pytest.approx(np.mean(own)), "else this shows nothing"
    kept = np.setdiff1d(np.arange(len(gaps.lesions)), SILENT)
    assert (entry["lesions"], entry["responses"]) == (len(kept), int(gaps.lesions.labels[kept].sum()))
    gradients = entry_of(summary, "patients", "gradients", "baseline", "shared")
    whole = entry_of(summary, "patients", "gradients", "baseline")
    assert gradients["metrics"] == whole["metrics"], "it answered for no other"
    assert {e["time_point"] for e in summary["shared"]} == {"baseline"}
    control = entry_of(summary, "patients", "cam", "baseline", "shared")["control"]
    assert control["trials"] == 2
    for record, value in zip(gaps.of("cam", "patients", control=True), control["auc_by_trial"], strict=True):
        found = record.answers[0]
        at = ~np.isin(found.lesions, SILENT)
        assert value == pytest.approx(roc_auc_score(record.labels[found.lesions[at]], found.probabilities[at]))


def test_console_page_and_table_show_both(summary, gaps, tmp_path):
    lines = summary_lines(summary)
    text, everybody = "\n".join(lines), len(gaps.lesions)
    assert "(c) split by patient, first MRI: 5 trials, 2 controls, on the lesions that all models answered for" in lines
    assert re.search(rf"lesions of patients +{everybody} of 15 +{everybody - 3} of 15 +{everybody - 3} of 15", text)
    assert re.search(rf"lesions of patients( +{everybody - 3} of 15){{3}}", text)
    share = gaps.lesions.labels.mean()
    assert f"{gaps.lesions.labels.sum()} ({100 * share:.0f} %)" in text
    page = write_study_report(gaps, tmp_path / "report", resamples=RESAMPLES)
    html = page.read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "On the lesions that all models answered for" in html
    assert f"first MRI, {everybody - 3} lesions of 15 patients" in html
    assert "NOT of the same lesions" in html
    assert "all models meet the same lesions" not in html
    rows = list(csv.DictReader(io.StringIO((page.parent / "table1.csv").read_text(encoding="utf-8"))))
    own = {kind: [row for row in rows if row["judged_on"] == kind] for kind in ("own lesions", "shared lesions")}
    assert len(own["own lesions"]) + len(own["shared lesions"]) == len(rows)
    assert {row["lesions"] for row in own["shared lesions"]} == {str(everybody - 3)}


def test_an_answer_that_is_missing_in_one_trial_only_makes_columns_differ(tmp_path):
    def once(model, split, point, lesions):
        found = answers(model, split, point, lesions)
        if model == "gradients" and (split.number, split.control) == (0, False):
            found[:1] = np.nan
        return found

    found = summarise(made_study(tmp_path, once, **(KIND | {"protocols": ("patients",), "trials": 10})), RESAMPLES)
    group = group_of(found, "patients", "baseline")
    assert not group["same"]
    assert len(set(group["lesions"].values())) == 1
    assert "(in single trials)" in " ".join(found["sentences"]["columns"])


def test_an_unfinished_study_compares_the_trials_that_all_have_finished(tmp_path):
    study = made_study(tmp_path, answers, **(KIND | {"protocols": ("patients",)}), missing=7)
    counts = {model: len(study.of(model, "patients")) for model in KIND["models"]}
    assert counts == {"cam": 4, "gradients": 3}
    found = summarise(study, RESAMPLES)
    assert all(group["same"] for group in found["columns"])


def test_lesions_that_were_not_learnt_from_are_told(tmp_path):
    study = made_study(tmp_path, answers, **(KIND | {"protocols": ("patients",)}))
    for record in study.of("gradients", "patients"):
        record.details.update({"lesions": len(record.train) - 2})
    group = group_of(summarise(study, RESAMPLES), "patients", "baseline")
    assert group["learnt_from"]["cam"] - group["learnt_from"]["gradients"] == pytest.approx(2)
    told = " ".join(summarise(study, RESAMPLES)["sentences"]["columns"])
    assert "They do not learn from the same lesions: cam 24.0, gradients 22.0 on average" in told


def settings_of(models, network="none", features="weighted", **more):
    chosen = FeatureModelSettings(imbalance=features)
    others = [name for name in models if name != "cam"]
    training = TrainingSettings(imbalance=network)
    return StudySettings(models=models, training=training, features=feature_options(others, model=chosen), **more)


def test_unlike_answers_to_unequal_classes_are_said_and_like_ones_too():
    both = settings_of(("cam", "gradients"))
    told = imbalance_sentence(both)
    assert "The network is trained with imbalance “none”" in told
    assert "the models on features with “weighted”" in told
    assert "judged at a probability of 0.5: sensitivity, specificity" in told
    assert "do not compare" not in imbalance_sentence(replace(both, threshold="inner"))
    for network, features in (("weighted", "weighted"), ("none", "none"), ("balanced", "resampled")):
        told = imbalance_sentence(settings_of(("cam", "gradients"), network, features))
        assert told.startswith(f"All models are trained with imbalance “{network}”")
        assert "do not compare" not in told
    assert imbalance_sentence(settings_of(("cam",))).startswith("The network is trained with imbalance “none”")
    assert "models on features are trained with imbalance “none”" in imbalance_sentence(
        settings_of(("gradients",), features="none")
    )


def test_the_sentence_is_in_console_and_page(summary, gaps, tmp_path):
    told = imbalance_sentence(gaps.settings)
    assert told in summary_lines(summary)
    page = write_study_report(gaps, tmp_path / "report", resamples=RESAMPLES).read_text(encoding="utf-8")
    assert told in page.replace("\u00a0", " ")


def test_settings_are_shown_as_terms_and_values_and_not_as_code(gaps, tmp_path):
    page = write_study_report(gaps, tmp_path / "report", resamples=RESAMPLES).read_text(encoding="utf-8")
    origin = page[page.index("Settings and origin") :]
    assert not re.search(r"\{|\}|&#x27;|\[|\]|True|False|None", re.sub(r"<[^>]*>", "", origin))
    assert re.search(r"<dt>features: radiomics: images</dt>\s*<dd>original, wavelet, log</dd>", origin)
    assert re.search(r"<dt>models on features: classifier</dt>\s*<dd>logistic</dd>", origin)
    assert re.search(r"<dt>training: settle norm</dt>\s*<dd>no</dd>", origin)
