"""The end of a training: a sentence and a small table, the same in console and panel."""

from PulsarCAMLib.outputs.training_end import as_html, as_lines, end_rows
from PulsarCAMLib.systems.bundles.bundle import find_card

CARD = find_card("synthetic-demo")


def test_the_sentence_comes_first_and_then_a_small_table():
    rows = end_rows(CARD)
    names = [name for name, _ in rows]
    assert names == [
        "Model",
        "Trained on",
        "Validation patients",
        "Their figures",
        "New patients",
        "Sets of classes",
        "Maps",
    ]
    assert all(value.endswith(".") for _, value in rows)
    text = as_lines(CARD.verdict.sentence, rows)
    first, *others = text.splitlines()
    assert CARD.verdict.sentence.startswith(first)
    assert max(map(len, others)) <= 100
    assert "•" not in text
    values = dict(rows)
    assert values["Validation patients"] == f"{CARD.fields['performance']['validation']['text'].rstrip('.')}."


def test_names_cannot_become_markup():
    page = as_html("A <b>", [("Model", "“<img>”")], ["A & B"])
    assert "<img>" not in page
    assert "A &lt;b&gt;" in page
    assert "A &amp; B" in page
