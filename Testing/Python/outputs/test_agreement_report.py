"""The page of a cohort's agreement: what it says follows from the numbers, and nothing of it is believed unseen."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from PulsarCAMLib.agreement.folder import AgreementTables
from PulsarCAMLib.core.errors import OutputError
from PulsarCAMLib.outputs.pages.agreement import agreement_html, write_agreement_report
from PulsarCAMLib.outputs.pages.agreement_narrative import sentences

ABOUT = {"map_method": "gradcam", "map_class": "response"}
VILE = "radiomics_<script>alert(1)</script>"


def quantity(name, partial, p, low, high):
    numbers = {"mean_partial": partial, "low": low, "high": high, "p_value": p, "p_adjusted": p}
    why = "" if p is not None else "no p-value from 2 patient(s); 6 are needed"
    return ABOUT | {"quantity": name, "lesions": 12, "patients": 9, "positive_patients": 8, "undefined": why} | numbers


def feature(name, plain, p, partial, partial_p):
    return {
        "feature": name, "outcome": "margin_share", "lesions": 12, "patients": 9, "spearman": plain, "low": plain - 0.1,
        "high": plain + 0.1, "p_value": p, "p_adjusted": p, "beyond": "volume_cm3", "partial": partial,
        "partial_low": None if partial is None else partial - 0.1,
        "partial_high": None if partial is None else partial + 0.1, "partial_p_value": partial_p,
        "partial_p_adjusted": partial_p, "undefined": "" if partial is not None else "orders lesions as volume",
    }  # fmt: skip


def place(region, begin, end, concentration):
    shares = {"volume_share": 0.4, "activation_share": 0.4 * concentration, "concentration": concentration}
    counts = {"lesions": 12, "patients": 9, "low": concentration - 0.2, "high": concentration + 0.2}
    return ABOUT | {"region": region, "from_mm": begin, "to_mm": end} | counts | shares


@pytest.fixture
def tables():
    options = {
        "method": "gradcam", "target": "response", "outcome": "margin_share", "time_point": "baseline",
        "margin_mm": 2.0, "sigma_mm": 1.0, "shell_mm": 1.0,
    }  # fmt: skip
    model = {"name": "m", "sha256": "0" * 64, "synthetic": True, "origin": "A <b>model</b>"}
    facts = {"pulsarcam": "0", "model": model, "options": options, "lesions": 12, "patients": 9, "left_out": 1}
    summary = [
        quantity("gradient_magnitude", 0.1, 0.2, -0.1, 0.3),
        quantity("intensity", 0.25, 0.01, 0.1, 0.4),
        quantity("border_distance", -0.5, 0.001, -0.6, -0.3),
    ]
    depths = [place("core", 2.0, None, 0.8), place("margin", 0.0, 2.0, 1.5), place("shell 1", 0.0, 1.0, 1.2)]
    features = [feature(VILE, 0.3, 0.2, 0.6, 0.01), feature("radiomics_size", 0.9, 0.001, None, None)]
    agreement = [ABOUT | {"row": n, "quantity": "intensity", "partial": n / 10} for n in range(4)]
    return AgreementTables(facts, summary, depths, agreement=agreement, features=features)


def test_the_sentences_say_what_the_numbers_do(tables):
    assert sentences(tables) == [
        "12 lesions of 9 patients; 1 lesion could not be used.",
        "Grad-CAM, evidence for response: goes against distance to the border (−0.50, −0.60 to −0.30); goes with "
        "intensity (0.25, 0.10 to 0.40); no relation could be shown with gradient magnitude.",
        "The margin, the outer 2 mm, holds 60 % of the activation and 40 % of the volume; the activation is 1.50 times "
        "as concentrated there as in the whole lesion (1.30 to 1.70).",
        "Of 2 features, 1 goes with the share of the activation in the margin (adjusted p below 0.05); 1 does so "
        f"beyond what the lesion's volume explains, first of all {VILE} (0.60).",
    ]


def test_without_p_values_nothing_is_claimed(tables):
    few = replace(
        tables,
        summary=[quantity("intensity", 0.9, None, None, None)],
        features=[feature("radiomics_x", 0.9, None, 0.9, None)],
    )
    said = " ".join(sentences(few))
    assert "6 are needed, so nothing can be said" in said
    assert "none has a p-value" in said
    assert "goes with" not in said.replace("what it goes with", "")
    assert "<strong>0.90" not in agreement_html(few)


def test_the_page_holds_all_of_it_and_runs_nothing(tables):
    page = agreement_html(tables)
    assert page.count('<img src="data:image/png;base64,') == 2
    assert "<script" not in page
    assert "A &lt;b&gt;model&lt;/b&gt;" in page
    assert "Research use only" in page
    text = re.sub(r"<[^>]+>", " ", page)
    for said in ("margin: 0 to 2 mm", "core: deeper than 2 mm", "8 of 9", "60 %", "orders lesions as volume"):
        assert said in text
    assert re.findall(r"<strong>(−?0\.\d\d)</strong>", page) == ["0.25", "−0.50", "0.60", "0.90"]
    assert agreement_html(replace(tables, features=None)).count("<img") == 1


def test_a_map_that_is_empty_everywhere_has_a_page_too(tables):
    nothing = dict.fromkeys(("volume_share", "activation_share", "concentration", "low", "high"))
    empty = replace(
        tables,
        summary=[quantity("intensity", None, None, None, None)],
        depths=[row | nothing for row in tables.depths],
        agreement=[row | {"partial": None} for row in tables.agreement],
    )
    assert "–" in agreement_html(empty)


def test_an_existing_page_stays(tables, tmp_path):
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(OutputError):
        write_agreement_report(tables, path)
    assert path.read_text() == "mine"
