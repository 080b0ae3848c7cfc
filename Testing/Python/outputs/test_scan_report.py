import base64
import io
import re
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest
from making_models import random_bundle
from PIL import Image

from PulsarCAMLib.core.display import Threshold
from PulsarCAMLib.core.errors import Cancelled, InputError, OutputError
from PulsarCAMLib.core.geometry.volume import VolumeGeometry
from PulsarCAMLib.explanation.explain import explain_scan
from PulsarCAMLib.explanation.tables import unit_table
from PulsarCAMLib.lesions.from_labels import lesions_from_masks
from PulsarCAMLib.outputs.pages.glossary import definitions_of
from PulsarCAMLib.outputs.pages.page import RESEARCH_ONLY, report_html, write_report
from PulsarCAMLib.systems.autoencoder.maps.closed_form import SIGNED
from PulsarCAMLib.systems.autoencoder.samples.preprocessing import Preprocessing
from PulsarCAMLib.systems.autoencoder.system import AUTOENCODER
from PulsarCAMLib.systems.bundles.card import ModelCard

ROOT = Path(__file__).resolve().parents[3]
GEOMETRY = VolumeGeometry((8, 90, 90), (1.0, 1.0, 3.0), (-40, 20, 5), np.diag([1.0, -1, 1]))
VILE = "<script>alert(1)</script> \"'><img src=x onerror=alert(2)> {title} $x$ &amp;"
NOON = datetime(2026, 1, 2, 12, 0)
VOID = {"meta", "img", "br", "link", "input"}


class Page(HTMLParser):
    """Tags, attributes and text of a page; the tags must close in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def values(self, tag, name):
        return [value for t, n, value in self.attributes if (t, n) == (tag, name)]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return random_bundle(tmp_path_factory.mktemp("models") / "random", count=3)


@pytest.fixture(scope="module")
def volume():
    rng = np.random.default_rng(5)
    return (rng.normal(300, 60, GEOMETRY.shape) + 4 * np.arange(90)).astype(np.float32)


@pytest.fixture(scope="module")
def result(bundle, volume):
    k, j, i = np.indices(GEOMETRY.shape)
    masks = {
        VILE: (k - 4) ** 2 * 9 + (j - 30) ** 2 + (i - 30) ** 2 < 144,
        "GTV 2": (k - 4) ** 2 * 9 + (j - 65) ** 2 + (i - 60) ** 2 < 64,
        "spot": (k == 5) & (j == 70) & (i > 20) & (i < 24),
    }
    found = explain_scan(
        volume,
        GEOMETRY,
        lesions_from_masks(masks)[0],
        bundle,
        warnings=[
            "The segmentation Jane Doe 1950.seg.nrrd has another grid than the MRI.",
            "The volume “Doe^Jane T1” is under a transform.",
            "Read from /home/jane/t1c.nrrd and C:\\patients\\doe.nii.gz, 3.5 mm <apart>.",
        ],
    )
    p = [0.8, 0.3, 0.55]
    lesions = [
        replace(x, class_probabilities=np.stack([np.full_like(x.probabilities, q) for q in (1 - v, v)]))
        for x, v in zip(found.units, p, strict=True)
    ]
    return replace(found, units=tuple(lesions))


@pytest.fixture(scope="module")
def html(result, volume):
    return report_html(result, volume, made_at=NOON, private=["Doe^Jane T1"])


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_nothing_in_the_page_can_run_or_fetch(page, html):
    assert not {"script", "iframe", "link", "object", "form", "base"} & set(page.tags)
    assert all(source.startswith("data:image/png;base64,") for source in page.values("img", "src"))
    assert not [a for a in page.attributes if a[1].startswith("on")]
    assert not re.search(r"https?:|@import|url\(", html)
    assert any("default-src 'none'" in content for content in page.values("meta", "content"))


def test_names_are_shown_as_they_are_and_never_as_markup(page, html):
    assert "<script" not in html
    assert " ".join(VILE.split()) in page.text
    assert len(page.tags) == len(Page(html.replace("alert(1)", "")).tags)
    assert page.tags.count("img") == 3


def test_title_warnings_and_card_are_escaped_too(result, volume):
    fields = dict(result.card.fields)
    fields |= {"title": VILE, "intended_use": VILE, "licence": VILE, "training": {"data": VILE, VILE: 3.0}}
    fields |= {"performance": {VILE: {"text": VILE}}, "response": {**fields["response"], "definition": VILE}}
    card = ModelCard(MappingProxyType(fields))
    made = report_html(replace(result, card=card, warnings=(VILE,)), volume, title=VILE + "\x00\ud800")
    assert "<script" not in made
    assert Page(made).tags.count("img") == 3
    made.encode("utf-8")


def test_lesions_come_by_risk_and_lead_to_their_pictures(page):
    assert page.values("a", "href") == ["#lesion-1", "#lesion-2", "#lesion-3"]
    assert page.values("figure", "id") == ["lesion-1", "lesion-2", "lesion-3"]
    table = page.text[page.text.index("Lesions by risk") : page.text.index("Pictures")]
    assert table.index("GTV 2") < table.index("spot") < table.index("alert")
    assert table.index("0.30") < table.index("0.55") < table.index("0.80")


def test_the_table_shows_the_numbers_of_the_lesion_table(result, volume):
    threshold = Threshold("fraction", 0.3)
    text = Page(report_html(result, volume, method="gradcam", target="predicted", threshold=threshold)).text
    for row in unit_table(result, "gradcam", "predicted", threshold):
        for value in ("volume_cm3", "activated_volume_cm3", "logit", "logit_map_sum", "logit_rest"):
            assert f"{row[value]:.2f}".replace("-", "−") in text
        assert f"{100 * row['activated_share']:.0f} %" in text
    assert "above 30% of the lesion's joint maximum" in text


def test_every_lesion_has_a_picture_inside_the_page(page):
    for source in page.values("img", "src"):
        with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as image:
            assert image.format == "PNG"
            assert image.size[0] > 1000
            assert len(set(image.convert("L").resize((64, 64)).tobytes())) > 30
    assert [alt.split(":")[0] for alt in page.values("img", "alt")][:2] == ["GTV 2", "spot"]


def test_it_says_which_section_answers(bundle):
    told = {}
    for rule in ("largest-area", "middle"):
        fields = dict(bundle.card.fields) | {"preprocessing": Preprocessing(answering_slice=rule).to_card()}
        words = dict(definitions_of(ModelCard.from_fields(fields), "pixelwise", Threshold(), 2.0))
        told[rule] = words["Probability of response"]
    assert "the lesion's largest section" in told["largest-area"]
    assert "the lesion's middle section" in told["middle"]


def test_it_says_what_it_is_where_the_model_comes_from_and_what_words_mean(page, result):
    for part in (
        "Research use only",
        "SYNTHETIC",
        result.card.sha256,
        "tests",
        "untested",
        "2026-01-02 12:00",
        "numpy",
        "Pixel-wise CAM",
        "Standard deviation of the probability over the 3 members",
        "R, A, S millimetres",
        "64 x 64 pixels of 1 mm",
    ):
        assert part in page.text, part


def test_the_head_of_the_page_says_that_it_is_for_research_only_and_whose_answer_it_is(html, result):
    """Whoever sees only the first screen must have seen it; the foot alone is not enough."""
    head = html[html.index("<header>") : html.index("</header>")]
    assert f'<p class="origin"><strong>{RESEARCH_ONLY}</strong><br>Model: {result.card.origin}</p>' in head
    assert head.index(f"<strong>{result.verdict.sentence}</strong>") < head.index("origin"), "the verdict comes first"
    assert RESEARCH_ONLY == "Research use only: not a medical device, not for diagnosis or treatment decisions."
    foot = html[html.index("<footer>") : html.index("</footer>")]
    assert RESEARCH_ONLY in foot
    assert result.card.origin in foot


def test_no_name_of_a_file_folder_or_input_gets_in(html):
    for private in ("Jane", "jane", "Doe", "doe.nii", "1950", "nrrd", "nii", "/home", str(ROOT)):
        assert private not in re.sub(r"base64,[A-Za-z0-9+/=]+", "", html), private
    assert "has another grid than the MRI" in html
    assert "3.5 mm &lt;apart&gt;" in html


def test_what_the_card_tells_of_training_and_performance_is_shown_in_sentences(result, volume):
    fields = dict(result.card.fields)
    fields["training"] = {"data": "made-up lesions", "lesions": 120, "command": "python -m secret", "cohort": {"a": 1}}
    fields["performance"] = {"about": "unseen patients", "prediction": {"standard": {"auc": 0.9, "text": "AUC 0.90."}}}
    card = ModelCard(MappingProxyType(fields))
    text = Page(report_html(replace(result, card=card), volume)).text
    assert "Made-up lesions. Lesions 120." in text
    assert "Unseen patients. Prediction, standard: AUC 0.90." in text
    assert "secret" not in text
    assert "untested" not in text


@pytest.mark.parametrize("method", [*AUTOENCODER.usual_maps, SIGNED])
@pytest.mark.parametrize("target", ["response", "predicted"])
def test_every_method_and_class_can_be_reported(result, volume, method, target):
    one = replace(result, units=result.lesions[2:])
    assert Page(report_html(one, volume, method=method, target=target, normalisation="lesion")).tags.count("img") == 1


def test_the_same_result_gives_the_same_page(result, volume):
    one = replace(result, units=result.lesions[:1])
    assert report_html(one, volume, made_at=NOON) == report_html(one, volume, made_at=NOON)


def test_a_lone_model_has_no_spread(tmp_path, volume, result):
    alone = random_bundle(tmp_path / "alone", count=1)
    found = explain_scan(volume, GEOMETRY, [result.lesions[2].lesion], alone)
    text = Page(report_html(found, volume)).text
    assert "±" not in text[text.index("Lesions by risk") : text.index("Pictures")]


def test_the_file_is_the_page_and_is_not_replaced_unasked(tmp_path, result, volume):
    one = replace(result, units=result.lesions[2:])
    path = tmp_path / "report.html"
    assert write_report(one, volume, path, made_at=NOON) == path
    assert path.read_text(encoding="utf-8") == report_html(one, volume, made_at=NOON)
    before = path.read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_report(one, volume, path, title="another")
    assert path.read_bytes() == before
    write_report(one, volume, path, title="another", overwrite=True)
    assert b"<h1>another</h1>" in path.read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_bad_place_is_refused_before_any_work(tmp_path, result, volume):
    seen = []
    for place in (tmp_path, tmp_path / "missing" / "report.html"):
        with pytest.raises(OutputError):
            write_report(result, volume, place, progress=lambda f, text: seen.append(f))
    assert seen == []


def test_cancel_and_faults_leave_nothing(tmp_path, result, volume, monkeypatch):
    asked = iter([False, True])
    with pytest.raises(Cancelled):
        write_report(result, volume, tmp_path / "a.html", cancelled=lambda: next(asked))
    for wrong in ({"method": "gradcam++-sigmoid"}, {"target": "other"}, {"normalisation": "half"}):
        with pytest.raises(InputError):
            write_report(result, volume, tmp_path / "a.html", **wrong)

    def broken(*_, **__):
        raise MemoryError

    monkeypatch.setattr("PulsarCAMLib.outputs.pictures.overlay.draw", broken)
    with pytest.raises(MemoryError):
        write_report(result, volume, tmp_path / "a.html")
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_one(result, volume):
    seen = []
    report_html(replace(result, units=result.lesions[1:]), volume, progress=lambda f, text: seen.append(f))
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, 1)


def test_importing_it_loads_nothing_heavy():
    heavy = {"torch", "matplotlib", "SimpleITK", "slicer"}
    code = f"import sys, PulsarCAMLib.outputs.pages; print(*({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == []


def test_a_real_mri_can_be_reported(shared_data, bundle, tmp_path):
    import SimpleITK as sitk

    from PulsarCAMLib.lesions.from_labels import lesions_from_labels

    folder = shared_data / "t1c_brain1"
    image = sitk.ReadImage(str(folder / "brain1_image.nrrd"))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "brain1_label.nrrd")))
    volume = sitk.GetArrayFromImage(image)
    lesions, warnings = lesions_from_labels(labels)
    found = explain_scan(volume, VolumeGeometry.from_sitk(image), lesions, bundle, warnings=warnings)
    path = write_report(found, volume, tmp_path / "r.html", title="brain1")
    assert Page(path.read_text(encoding="utf-8")).tags.count("figure") == len(lesions)
    assert path.stat().st_size < 2e6 * len(lesions)
