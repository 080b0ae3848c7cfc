"""A cohort's agreement as tables and plots of the scene: what was written, all or nothing."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

pytest.importorskip("slicer", reason="the slicer-core package is not installed")

import slicer
from host.making import state_of_scene

from PulsarCAMLib.agreement.folder import read_agreement
from PulsarCAMLib.core.errors import InputError
from PulsarCAMLib.outputs.tables import write_agreement
from PulsarCAMLib.scene.writing import cohort_agreement
from PulsarCAMLib.scene.writing.cohort_agreement import FOLDER, write_cohort_agreement
from PulsarCAMLib.scene.writing.provenance import read_provenance

pytestmark = pytest.mark.usefixtures("a_scene")


@pytest.fixture
def tables(tmp_path):
    from PulsarCAMScenarios.compare import write_cohort_agreement as write

    write(tmp_path)
    return read_agreement(tmp_path)


def series_of(chart):
    return [chart.GetNthPlotSeriesNode(n) for n in range(chart.GetNumberOfPlotSeriesNodes())]


def test_tables_hold_what_was_written_and_plots_show_them(tables):
    made = write_cohort_agreement(tables, "ours")
    for node, rows in (
        (made.summary_table, tables.summary), (made.depth_table, tables.depths), (made.feature_table, tables.features),
    ):  # fmt: skip
        table = node.GetTable()
        assert table.GetNumberOfRows() == len(rows)
        for n, row in enumerate(rows):
            for name, value in row.items():
                cell = table.GetValueByName(n, name)
                if isinstance(value, str):
                    assert cell.ToString() == value
                elif value is None:
                    assert math.isnan(cell.ToDouble()) or cell.ToString() == ""
                else:
                    assert cell.ToDouble() == pytest.approx(value)
    for chart, table, drawn in (
        (made.summary_chart, made.summary_table, ["mean_partial"]),
        (made.profile_chart, made.profile_table, [f"Grad-CAM, response{end}" for end in ("", " low", " high")]),
        (made.feature_chart, made.feature_table, ["partial"]),
    ):
        series = series_of(chart)
        assert [node.GetYColumnName() for node in series] == drawn
        for node in series:
            assert node.GetTableNode() is table
            names = {table.GetTable().GetColumnName(c) for c in range(table.GetTable().GetNumberOfColumns())}
            assert {node.GetXColumnName(), node.GetYColumnName(), node.GetLabelColumnName()} - {"", None} <= names
    for chart in (made.summary_chart, made.feature_chart):
        assert not chart.GetYAxisRangeAuto()
        assert tuple(chart.GetYAxisRange()) == (-1.0, 1.0), "a weak correlation must not look strong"
    assert series_of(made.summary_chart)[0].GetPlotType() == slicer.vtkMRMLPlotSeriesNode.PlotTypeScatterBar
    profile = made.profile_table.GetTable()
    assert [profile.GetValueByName(n, "depth_mm").ToDouble() for n in range(2)] == [0.5, 1.5]


def test_the_axis_says_which_number_is_which_quantity(tables):
    made = write_cohort_agreement(tables, "ours")
    assert made.summary_chart.GetXAxisTitle() == "1 intensity, 2 distance to the border"
    assert not made.summary_chart.GetLegendVisibility()
    rows = made.summary_table.GetTable()
    numbers = [rows.GetValueByName(n, "quantity_number").ToInt() for n in range(rows.GetNumberOfRows())]
    assert numbers == list(range(1, len(tables.summary) + 1))


def test_several_maps_are_points_of_their_own_over_the_same_quantities(tables):
    other = [row | {"map_class": "non-response", "mean_partial": -0.5} for row in tables.summary]
    made = write_cohort_agreement(replace(tables, summary=[*tables.summary, *other]), "ours")
    first, second = series_of(made.summary_chart)
    assert (first.GetYColumnName(), second.GetYColumnName()) == ("Grad-CAM, response", "Grad-CAM, non-response")
    assert made.summary_chart.GetLegendVisibility()
    rows, count = made.summary_table.GetTable(), len(tables.summary)
    for n in range(2 * count):
        assert rows.GetValueByName(n, "quantity_number").ToInt() == n % count + 1
        drawn = rows.GetValueByName(n, second.GetYColumnName()).ToDouble()
        assert drawn == -0.5 if n >= count else math.isnan(drawn)


def test_nodes_say_where_they_come_from_and_stand_in_one_folder(tables):
    made = [*write_cohort_agreement(tables, "ours"), *write_cohort_agreement(tables, "theirs")]
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    parents = {hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node)) for node in made}
    assert [hierarchy.GetItemName(parent) for parent in parents] == [FOLDER]
    for node in made:
        facts = read_provenance(node)
        assert (facts["modelName"], facts["method"], facts["synthetic"]) == ("m", "gradcam", "true")
        assert facts["researchUseOnly"] == "true"


def test_without_features_there_is_neither_table_nor_plot_of_them(tmp_path, tables):
    marker = tmp_path / "result.json"
    facts = json.loads(marker.read_text())
    facts["files"].remove("features.csv")
    marker.write_text(json.dumps(facts))
    made = write_cohort_agreement(read_agreement(tmp_path), "ours")
    assert made.feature_table is made.feature_chart is None
    assert len(list(made)) == 5


@pytest.mark.parametrize("step", ["fill_table", "_quantities", "_lines", "_points", "place_in_folder"])
def test_an_error_leaves_the_scene_as_it_was(tables, step, monkeypatch):
    state, calls, original = state_of_scene(), [], getattr(cohort_agreement, step)

    def fails(*arguments):
        original(*arguments)
        calls.append(step)
        raise RuntimeError(step)

    monkeypatch.setattr(cohort_agreement, step, fails)
    with pytest.raises(RuntimeError):
        write_cohort_agreement(tables, "ours")
    assert calls == [step]
    assert state_of_scene() == state


@pytest.mark.parametrize("damage", ["summary.csv", "features.csv"])
def test_a_damaged_folder_is_one_sentence(tmp_path, tables, damage):
    path = tmp_path / damage
    path.write_text(path.read_text() + "half a line\n")
    with pytest.raises(InputError, match="or it is damaged"):
        read_agreement(tmp_path)


@pytest.mark.parametrize(("name", "lost"), [("summary", "quantity"), ("depths", "low"), ("features", "partial")])
def test_a_table_that_lacks_a_column_is_one_sentence(tmp_path, tables, name, lost):
    rows = [{key: value for key, value in row.items() if key != lost} for row in getattr(tables, name)]
    write_agreement(tmp_path, replace(tables, **{name: rows}))
    with pytest.raises(InputError, match="or it is damaged"):
        read_agreement(tmp_path)


@pytest.mark.parametrize("lost", ["model", "options", "lesions", "files"])
def test_a_description_that_lacks_a_part_is_one_sentence(tmp_path, tables, lost):
    facts = {key: value for key, value in tables.facts.items() if key != lost}
    (tmp_path / "result.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match="or it is damaged"):
        read_agreement(tmp_path)
