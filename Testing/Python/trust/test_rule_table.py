"""The table of all rules: when a map is believed, and what its first sentence says."""

import pytest

from PulsarCAMLib.cohort.synthetic.rules import RULES
from PulsarCAMLib.trust.known_tissue import rule_table
from PulsarCAMLib.trust.known_tissue.rule_table import (
    HEADINGS,
    csv_rows,
    first_sentence,
    markdown,
    recommended,
    rule_result,
    why_not,
)
from PulsarCAMLib.trust.known_tissue.synthetic_scores import LesionScore


def interval(mean, reach=0.05):
    return {"mean": mean, "low": mean - reach, "high": mean + reach}


def a_result(rule, auc=0.9, scores=(0.8, 0.6), trivial=0.7, verdicts=(True, True), control=0.5, **more):
    """Two maps, Grad-CAM and the pixel-wise one, and darkness beside them; ``scores`` are their AUROC."""
    names = ("gradcam", "pixelwise")
    maps = {name: dict.fromkeys(("auroc", "dice", "pointing"), interval(score))
            for name, score in zip(names, scores, strict=True)}  # fmt: skip
    maps["intensity reversed"] = dict.fromkeys(("auroc", "dice", "pointing"), interval(trivial))
    gains = {
        name: {"auroc": interval(score - trivial) | {"trivial": "intensity reversed", "better": score - trivial > 0.05}}
        for name, score in zip(names, scores, strict=True)
    }
    scored = RULES[rule].place == "inside"
    result = {
        "rule": rule,
        "decides": RULES[rule].title,
        "place": RULES[rule].place,
        "patients": 10,
        "lesions": 20,
        "auc": interval(auc),
        "control_auc": interval(control),
        "maps": maps if scored else {},
        "against_trivial": gains if scored else {},
        "lesions_scored": 9 if scored else 0,
        "verdicts": {n: {"changes with the model": v} for n, v in zip(names, verdicts, strict=True)},
    } | more
    result["believe"] = {name: why_not(result, name) for name in names}
    return result


def test_a_map_is_believed_where_it_beats_every_trivial_one_and_the_network_has_learnt():
    assert a_result("missing-rim")["believe"] == {
        "gradcam": "",
        "pixelwise": "not better than image intensity, reversed",
    }


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"auc": 0.54}, rule_table.NOT_LEARNT),
        ({"control": 0.95}, rule_table.NOT_LEARNT),
        ({"scores": (0.3, 0.3), "trivial": 0.2}, rule_table.WRONG_SIDE),
        ({"verdicts": (False, True)}, rule_table.UNCHANGED),
        ({"maps": {}}, rule_table.NOT_SCORED),
    ],
)
def test_a_map_is_not_believed_and_the_reason_is_said(changed, why):
    assert a_result("missing-rim", **changed)["believe"]["gradcam"] == why


@pytest.mark.parametrize("rule", ["size", "outside", "uniform-intensity"])
def test_no_map_is_believed_where_no_part_of_the_lesion_says_it(rule):
    assert all("the truth is" in why for why in a_result(rule)["believe"].values())


def test_the_first_sentence_says_where_a_map_can_be_believed_and_where_none_can():
    results = [
        a_result("added-texture"),
        a_result("dark-niche", scores=(0.9, 0.6)),
        a_result("missing-rim", scores=(0.6, 0.9)),
        a_result("blurred-margin", scores=(0.6, 0.6)),
        a_result("size"),
        a_result("nothing", auc=0.5),
    ]
    assert recommended(results) == "gradcam"
    assert first_sentence(results) == (
        "Grad-CAM can be believed where a fine texture in a part of the lesion or a dark niche in the lesion decides; "
        "where a missing part of the enhancing rim decides, only Pixel-wise CAM can; "
        "where a margin that is blurred on one side decides, no map is better than looking at the image; "
        "where the size of the lesion decides, no part of the lesion says it, and every map misleads; "
        "where nothing that the image shows decides, the network cannot be told from guessing, and its maps mean "
        "nothing."
    )


def test_where_no_map_is_believed_none_is_recommended():
    results = [a_result("dark-niche", scores=(0.6, 0.6))]
    assert recommended(results) is None
    assert first_sentence(results).startswith("Under none of these rules can any map be believed")
    assert first_sentence([]) == "No rule has been tried yet."


def test_the_table_has_one_row_per_rule_and_map_with_every_heading():
    rows = csv_rows([a_result("missing-rim"), a_result("size")])
    assert [(row["rule"], row["map"]) for row in rows] == [
        ("missing-rim", "gradcam"),
        ("missing-rim", "pixelwise"),
        ("missing-rim", "intensity reversed"),
        ("size", "gradcam"),
        ("size", "pixelwise"),
    ]
    assert all(tuple(row) == HEADINGS for row in rows)
    assert (rows[0]["believe"], rows[1]["believe"], rows[0]["auroc"], rows[0]["gain_auroc"]) == ("yes", "no", 0.8, 0.1)
    assert rows[2]["believe"] == ""


def test_the_page_begins_with_its_sentence_and_shows_every_rule():
    results = [a_result("missing-rim"), a_result("outside")]
    page = markdown(results, "how it was made")
    assert page.splitlines()[0] == first_sentence(results)
    assert "| a missing part of the enhancing rim | 0.80 (0.75 to 0.85): **yes** |" in page
    assert "image intensity, reversed 0.70" in page


def test_lesions_without_planted_tissue_leave_the_maps_out_and_say_so():
    rows = [LesionScore(f"p{n // 2}", "L", n % 2, 0.2 + 0.6 * (n % 2), 0.0) for n in range(8)]
    sanity = {
        "auc": {},
        "image": {"looked_at": True},
        "maps": {"gradcam": {"verdicts": {}}, "uniform": {"verdicts": {}}},
    }
    found = rule_result("missing-rim", rows, sanity, resamples=50)
    assert found["auc"]["mean"] == 1.0
    assert found["believe"] == {"gradcam": rule_table.NOT_SCORED}
