import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from making_studies import made_study, noise
from reading_reports import Page, table_of

from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.outputs.study import write_study_report
from PulsarCAMLib.study.figures.entries import entry_of
from PulsarCAMLib.study.figures.paper import TABLE

FILES = {"index.html", "results.json", "result.json", "table1.csv", "predictions.csv", "differences.csv", "curves.csv"}
QUICK = {"resamples": 50}
FEW = {"trials": 3, "paper_trials": 2, "controls": 2}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    protocols = ("paper", "patients")
    return made_study(tmp_path_factory.mktemp("run"), noise, models=("cam", "gradients"), protocols=protocols, **FEW)


@pytest.fixture(scope="module")
def report(made, tmp_path_factory):
    return write_study_report(made, tmp_path_factory.mktemp("out") / "report", **QUICK).parent


@pytest.fixture(scope="module")
def page(report):
    return Page((report / "index.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def results(report):
    return json.loads((report / "results.json").read_text(encoding="utf-8"))


def test_the_folder_holds_the_page_and_every_figure(report):
    assert {path.name for path in report.iterdir()} == FILES


def test_the_page_needs_nothing_from_outside(report, page):
    text = (report / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"https?:|//\w|@import|<script|<link|file:", re.sub(r"base64,[^\"]*", "", text))
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("data:", "#")), (tag, name)
    assert not re.search(r"url\((?!#)", text)


def test_names_within_the_page_are_there_once(page):
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))
    references = {value[1:] for _, name, value in page.attributes if name == "href" and value.startswith("#")}
    assert references <= set(ids)


def test_the_answer_comes_first_and_generated_lesions_are_named_loudly(page, results):
    text = page.text
    assert text.index("SYNTHETIC") < text.index("The answer") < text.index("Every protocol beside its control")
    assert "Research use only" in text
    first = [results["summary"]["sentences"][kind][0][:40] for kind in ("plain", "headline")]
    assert text.index("The answer") < text.index(first[0]) < text.index(first[1])
    for sentence in results["summary"]["sentences"]["headline"]:
        assert sentence in text
    for sentence in results["summary"]["sentences"]["why_flattering"]:
        assert sentence in text


def test_real_lesions_are_not_called_synthetic(tmp_path):
    study = made_study(tmp_path, noise, protocols=("patients",), **FEW, synthetic=False)
    path = write_study_report(study, tmp_path / "report", **QUICK)
    assert "SYNTHETIC" not in path.read_text(encoding="utf-8")


def test_page_table_and_json_have_the_same_figures(report, page, results):
    rows = table_of(report / "table1.csv")
    for row in rows:
        entry = entry_of(results["summary"], row["protocol"], row["model"], row["time_point"])
        found, control = entry["metrics"][row["metric"]], entry["control"]["metrics"][row["metric"]]
        for column, value in (("mean", found["mean"]), ("sd", found["sd"]), ("control_mean", control["mean"])):
            assert row[column] == ("" if value is None else str(value))
        if row["metric"] == "auc" and not entry["by_trial_means_little"]:
            assert f"{float(row['mean']):.3f} ± {float(row['sd']):.3f}" in page.text
    assert {(row["protocol"], row["model"]) for row in rows} >= {("paper", "cam"), ("patients", "fusion")}


def test_the_papers_table_stands_beside_it_with_its_caveats(page):
    for values in TABLE.values():
        for mean, sd in values:
            assert f"{mean:.3f} ± {sd:.3f}" in page.text
    assert "gives a prevalence of about 0.50 for the CAM column, but 0.20 and 0.18" in page.text


def test_every_answer_is_in_the_predictions(made, report):
    rows = table_of(report / "predictions.csv")
    mine = [r for r in rows if (r["model"], r["protocol"], r["control"], r["trial"]) == ("cam", "patients", "0", "2")]
    record = made.of("cam", "patients")[1]
    expected = [
        (answers.time_point, str(lesion), str(made.lesions.patients[lesion]), str(p))
        for answers in record.answers
        for lesion, p in zip(answers.lesions, answers.probabilities.tolist(), strict=True)
    ]
    assert [(r["time_point"], r["lesion"], r["patient"], r["probability"]) for r in mine] == expected
    assert mine[0]["row"] == str(made.lesions.rows["baseline"][record.answers[0].lesions[0]])
    assert {r["model"] for r in rows} == {"cam", "gradients", "fusion"}


def test_differences_in_csv_are_those_of_the_json(report, results):
    rows = table_of(report / "differences.csv")
    for pair in results["summary"]["differences"]:
        own = [r for r in rows if all(r[k] == pair[k] for k in ("protocol", "time_point", "first", "second"))]
        auc = next(r for r in own if (r["metric"], r["kind"]) == ("auc", "by trial"))
        mean = pair["metrics"]["auc"]["mean"]
        assert auc["difference"] == ("" if mean is None else str(mean))
        pooled = next(r for r in own if r["kind"] == "pooled")
        assert pooled["difference"] == str(pair["pooled_auc"]["difference"]["value"])
        assert len(own) == 7


def test_curves_in_csv_are_those_of_the_json(report, results):
    rows = table_of(report / "curves.csv")
    for curve in results["curves"]:
        own = [
            (float(r["x"]), float(r["y"]))
            for r in rows
            if r["curve"] == "roc pooled" and all(r[k] == curve[k] for k in ("protocol", "model", "time_point"))
        ]
        assert own == list(zip(curve["roc"]["x"], curve["roc"]["y"], strict=True))
        assert np.trapezoid([y for _, y in own], [x for x, _ in own]) == pytest.approx(curve["roc"]["area"])


def test_the_console_prints_table_1_for_every_protocol(results):
    text = "\n".join(results["summary"]["text"])
    assert "(c) split by patient, first MRI: 3 trials, 2 controls" in text
    assert re.search(r"sensitivity +0\.\d{3} ± 0\.\d{3} +0\.\d{3} ± 0\.\d{3} +0\.\d{3} ± 0\.\d{3}", text)


def test_settings_seeds_and_hashes_are_in_the_json(made, results):
    assert results["study"]["settings"] == made.settings.to_card()
    assert results["study"]["sha256"]["table"] == "1" * 64
    assert len({trial["seed"] for trial in results["trials"] if trial["model"] == "cam"}) == len(made.records) // 2


def test_the_same_study_gives_the_same_files(made, report, tmp_path):
    again = write_study_report(made, tmp_path / "report", **QUICK).parent
    for name in FILES:
        assert (again / name).read_bytes() == (report / name).read_bytes(), name


def test_an_earlier_report_is_replaced_only_if_allowed(made, tmp_path):
    study = made_study(tmp_path, noise, protocols=("patients",), **FEW)
    folder = tmp_path / "report"
    write_study_report(study, folder, **QUICK)
    with pytest.raises(OutputError, match="exists already"):
        write_study_report(study, folder, **QUICK)
    write_study_report(study, folder, overwrite=True, **QUICK)
    (folder / "mine.txt").write_text("kept")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        write_study_report(study, folder, overwrite=True, **QUICK)


def test_a_report_that_fails_leaves_nothing(tmp_path, monkeypatch):
    from PulsarCAMLib.outputs.study import writing

    monkeypatch.setattr(writing, "page_html", lambda *_: 1 / 0)
    study = made_study(tmp_path / "run", noise, protocols=("patients",), **FEW)
    with pytest.raises(ZeroDivisionError):
        write_study_report(study, tmp_path / "out" / "report", **QUICK)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("missing", [2, 5])
def test_an_unfinished_study_is_reported_and_says_so(tmp_path, missing):
    study = made_study(tmp_path, noise, protocols=("patients",), **FEW, missing=missing)
    path = write_study_report(study, tmp_path / "report", **QUICK)
    text = Page(path.read_text(encoding="utf-8")).text
    assert f"{missing} of 5 trainings are missing" in text
    assert "There is no picture of a lesion" in text


def test_features_that_trials_selected_are_counted(tmp_path):
    study = made_study(tmp_path, noise, models=("radiomics",), protocols=("patients",), **FEW)
    for record in study.records:
        always = {"feature": "radiomics_a<b>", "weight": 0.5}
        now_and_then = [{"feature": "radiomics_c", "weight": -1.0}] if record.number == 0 else []
        record.details.update({"selected": [always, *now_and_then], "weights_are": "coefficients"})
    path = write_study_report(study, tmp_path / "report", **QUICK)
    text = Page(path.read_text(encoding="utf-8")).text
    assert "radiomics_a<b> 3 of 3 0.500" in text
    assert "radiomics_c 1 of 3 −1.000" in text
    found = json.loads((tmp_path / "report" / "results.json").read_text())["choices"][0]["features"]
    assert found[0] == {"feature": "radiomics_a<b>", "times": 3, "trials": 3, "mean_weight": 0.5}


def test_leave_one_patient_out_is_told_by_its_pool(tmp_path):
    study = made_study(tmp_path, noise, protocols=("leave-one-patient-out",), controls=6)
    path = write_study_report(study, tmp_path / "report", **QUICK)
    found = json.loads((path.parent / "results.json").read_text())["summary"]
    entry = entry_of(found, "leave-one-patient-out", "cam", "baseline")
    own, control = (part["pooled"]["values"]["sensitivity"]["value"] for part in (entry, entry["control"]))
    text = Page(path.read_text(encoding="utf-8")).text
    assert f"{own:.3f} {control:.3f}" in text
    assert "falls BELOW 0.5" in text


def test_a_figure_that_is_not_defined_everywhere_says_in_how_many_trials_or_why_not(tmp_path):
    def careful(model, split, point, lesions):
        """Calls nobody responding, but in the first trial."""
        return np.full(len(lesions), 0.6 if split.number == 0 and not split.control else 0.4)

    study = made_study(tmp_path, careful, protocols=("patients",), trials=3, controls=2)
    path = write_study_report(study, tmp_path / "report", **QUICK)
    results = json.loads((path.parent / "results.json").read_text())
    metrics = entry_of(results["summary"], "patients", "cam", "baseline")["metrics"]
    assert (metrics["precision"]["defined"], metrics["precision"]["trials"]) == (1, 3)
    page = Page(path.read_text(encoding="utf-8"))
    mean = f"{metrics['precision']['mean']:.3f}"
    assert f"{mean} in 1 of 3 – 1 " in page.text, "the control, which is defined nowhere, stands beneath"
    reason = "no lesion is predicted response"
    assert "“in n of m”: mean over the n trials of m in which the metric is defined." in page.text
    assert f"– not defined: (1) {reason}." in page.text
    assert reason in [value for tag, name, value in page.attributes if (tag, name) == ("span", "title")]
    assert "(1 of 3)" in "\n".join(results["summary"]["text"])


def test_a_table_without_gaps_has_no_notes(made, report, results):
    shown = [entry["metrics"][name] for entry in results["summary"]["table"] for name in entry["metrics"]]
    assert any(value["defined"] == value["trials"] for value in shown)
    assert "in 5 of 5" not in Page((report / "index.html").read_text(encoding="utf-8")).text


def printed(page, folder):
    """Sheets of paper: of each the text, and where its last words stand (0 top, 1 bottom)."""
    (folder / "page.html").write_text(page, encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    options += ["--no-pdf-header-footer", f"--print-to-pdf={folder / 'page.pdf'}"]
    subprocess.run(["chromium", *options, str(folder / "page.html")], check=True, capture_output=True, timeout=120)
    read = ["pdftotext", "-bbox", str(folder / "page.pdf"), "-"]
    told = html.unescape(subprocess.run(read, check=True, capture_output=True, text=True).stdout)
    sheets = []
    for height, body in re.findall(r'<page width="[\d.]+" height="([\d.]+)">(.*?)</page>', told, re.DOTALL):
        words = re.findall(r'yMax="([\d.]+)">(.*?)</word>', body)
        sheets.append((" ".join(word for _, word in words), float(words[-1][0]) / float(height) if words else 0.0))
    return sheets


def left_behind(page, folder):
    """Headings, and words about plots that follow, that end a sheet without room for what they are about."""
    plain = html.unescape(page)
    begins = re.findall(r"<h[23]>(.*?)</h", plain) + re.findall(r'</h2>\s*<p class="sub">(.*?)</p>', plain)
    assert len(begins) > 10
    sheets = printed(page, folder)
    return [b for text, last in sheets for b in begins if last > 0.8 and text.endswith(" ".join(b.split()))]


@pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("pdftotext")), reason="no browser that prints")
def test_on_paper_folded_tables_are_open_and_no_heading_ends_a_page(report, tmp_path):
    page = (report / "index.html").read_text(encoding="utf-8")
    whole = " ".join(text for text, _ in printed(page, tmp_path))
    for name in ("Brier score", "balanced", "average precision", "Further metrics", "Under the other protocols"):
        assert name in whole, name
    together = re.search(r"\n[^\n]*break-after: avoid; \}", page[page.index("details::") :])[0]
    moved = [page.replace("<header>", f'<header style="margin-top: {mm}mm">') for mm in (40, 100, 160)]
    assert [left for each in moved for left in left_behind(each, tmp_path)] == []
    without = [left for each in moved for left in left_behind(each.replace(together, ""), tmp_path)]
    assert without, "the rule is what keeps them together"
