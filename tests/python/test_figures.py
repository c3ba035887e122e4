"""Figures: what is in them, that both ways of drawing take them, and orders."""

import itertools
import json

import matplotlib.image
import numpy as np
import pytest
from moeprobe import Result, figures
from moeprobe.figures.cluster_order import cluster_order
from moeprobe.figures.colours import COLOURS
from moeprobe.figures.figure import Axis, Figure, Heat, Histogram, Level, Line, Panel
from moeprobe.figures.plotly_figure import plotly_figure
from moeprobe.figures.specifications import claim_of, outcomes_of


@pytest.fixture(scope="module")
def swept(client, ids):
    request = {
        "model": "mixtral",
        "data": {"ids": ids, "sequence_length": 16},
        "probes": {"jacobian": {"average": ["routed"]}, "pca": {"components": 3}},
        "sweep": {"routing.temperature": [0.25, 1, 4], "routing.top_k": [1, 2]},
        "nulls": {"random_router": 0, "bootstrap": 40},
    }
    return client.submit(request).result()


@pytest.fixture(scope="module")
def drawn(full_result, swept):
    """Every figure there is."""
    return [
        *figures.figures_of(full_result),
        *figures.sweep_figures_of(swept),
        figures.layer_geometry(full_result, layer=1, experts=4),
        figures.sharpness_alignment(swept.select(4), swept.select(5), layer=1),
        figures.sharpness_distance(swept.select(4), swept.select(5), layer=1),
    ]


def marks_of(figure, kind):
    return [m for panel in figure.panels for m in panel.marks if isinstance(m, kind)]


def test_a_full_result_gives_every_figure(full_result):
    names = [figure.name for figure in figures.figures_of(full_result)]
    assert names == [
        "means",
        "jacobian_cosine-routed",
        "jacobian_cosine-routed-distribution",
        "grassmann-routed",
        "grassmann-routed-distribution",
        "variance-routed",
        "effective-rank-routed",
        "jacobian-spectra",
        "routing-load",
        "coactivation",
        "output_similarity",
        "interventions",
        "specification-jacobian_cosine",
        "specification-grassmann",
        "specification-effective_rank",
    ]


def test_a_small_result_gives_fewer(client, short_request):
    result = client.submit(short_request | {"probes": {"routing": {}}}).result()
    names = [figure.name for figure in figures.figures_of(result)]
    assert names == ["routing-load", "coactivation"]


def test_both_ways_of_drawing_take_every_figure(drawn, tmp_path):
    for figure in drawn:
        traces = figure.plotly().to_dict()["data"]  # checked by Plotly itself
        assert len(traces) >= len(figure.panels), figure.name
        assert len(figure.matplotlib().axes) >= len(figure.panels), figure.name
    drawn[0].save(tmp_path / "means.html")
    assert "plotly" in (tmp_path / "means.html").read_text()
    drawn[0].save(tmp_path / "means.png")
    assert matplotlib.image.imread(tmp_path / "means.png").std() > 0


def test_axes_are_labelled_and_names_are_safe_for_files(drawn):
    for figure in drawn:
        assert figure.title
        assert figure.caption.endswith(".")
        assert not set(figure.name) - set("abcdefghijklmnopqrstuvwxyz_0123456789-")
        for panel in figure.panels:
            assert panel.x.label, figure.name
            assert panel.y.label, figure.name
        if marks_of(figure, Heat):
            assert figure.colours.label


def test_the_same_figure_gives_the_same_file(full_result, tmp_path):
    for name in ("a.svg", "b.svg"):
        figures.alignment(full_result).save(tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_heat_is_the_matrix_in_the_order_of_its_labels(full_result):
    figure = figures.alignment(full_result)
    matrix = full_result["jacobian_cosine/routed"].value.sel(layer=1).values
    heat = figure.panels[1].marks[0]
    order = [int(name) for name in heat.rows]
    assert sorted(order) == list(range(6))
    expected = matrix[np.ix_(order, order)]
    np.fill_diagonal(expected, np.nan)
    np.testing.assert_array_equal(heat.matrix, expected)


def test_panels_share_limits_that_hold_everything(full_result):
    for figure in (figures.alignment(full_result), figures.distance(full_result)):
        low, high = figure.colours.limits
        for heat in marks_of(figure, Heat):
            assert np.nanmin(heat.matrix) >= low
            assert np.nanmax(heat.matrix) <= high
    figure = figures.distance_distribution(full_result)
    assert len({panel.x.limits for panel in figure.panels}) == 1
    for histogram in marks_of(figure, Histogram):
        assert histogram.counts.sum() == 15  # all pairs of 6 experts


def test_a_distribution_shows_mean_interval_and_null(full_result):
    figure = figures.alignment_distribution(full_result)
    quantity = full_result["jacobian_cosine/routed"].sel(layer=0)
    levels = {m.name: m for m in figure.panels[0].marks if isinstance(m, Level)}
    mean = levels["mean, 95 % interval"]
    assert mean.band == tuple(quantity.interval.values)
    null = levels["random router, ± 2 std"]
    assert null.at == quantity.null_mean.item()
    pairs = quantity.value.values[np.triu_indices(6, 1)]
    assert mean.at == pytest.approx(pairs.mean())


def test_a_claim_is_held_against_every_null_in_every_reading(full_result):
    outcomes = outcomes_of(full_result, "jacobian_cosine")
    assert [o.z for o in outcomes] == sorted(o.z for o in outcomes)
    assert {o.null for o in outcomes} == {
        "random router",
        "shuffled gates",
        "random weights",
    }
    assert {o.reading for o in outcomes} >= {"routed", "gate"}
    quantity = full_result["jacobian_cosine/gate"].sel(layer=1)
    pairs = quantity.value.values[np.triu_indices(6, 1)]
    expected = (pairs.mean() - quantity.null_mean) / quantity.null_std
    place = (1, "gate", "random router")
    found = [o.z for o in outcomes if (o.layer, o.reading, o.null) == place]
    assert found == [pytest.approx(expected.item())]
    assert claim_of("pca/routed/effective_rank") == ("effective_rank", "routed")


def test_shares_of_variance_end_at_1(full_result):
    figure = figures.variance_spectra(full_result, layers=[1])
    explained, cumulative = figure.panels
    assert [m.name for m in explained.marks] == [
        "experts, routed",
        "all tokens",
        "dense baseline",
    ]
    for line in cumulative.marks:
        assert line.y[-1] == pytest.approx(1)


def test_curves_run_over_the_sweep(swept):
    figure = figures.sweep_curves(swept, "jacobian_cosine/routed")
    assert [panel.title for panel in figure.panels] == [
        "routing.top_k 1",
        "routing.top_k 2",
    ]
    assert figure.panels[0].y.limits == figure.panels[1].y.limits
    line = figure.panels[1].marks[1]
    assert isinstance(line, Line)
    assert line.x.tolist() == [0.25, 1, 4]
    table = swept.table()
    for x, y in zip(line.x, line.y, strict=True):
        row = table[
            (table.quantity == "jacobian_cosine/routed")
            & (table.layer == 1)
            & (table["routing.temperature"] == x)
            & (table["routing.top_k"] == 2)
        ]
        assert y == row["mean"].item()


def test_nothing_finite_is_still_drawn():
    document = {"job": {"name": "jobs/1"}, "summary": [], "provenance": []}
    nan = np.full((3, 3), np.nan)
    half = np.array([[1, 0.5, np.nan], [0.5, 1, np.nan], [np.nan] * 3])
    arrays = {"layer0/jacobian_cosine/routed": nan,
              "layer1/jacobian_cosine/routed": half}  # fmt: skip
    figure = figures.alignment(Result(document, arrays))
    assert [panel.title for panel in figure.panels] == ["layer 1"]
    json.dumps(plotly_figure(figure), allow_nan=False)
    figure.matplotlib()


def test_neighbours_in_the_order_are_alike():
    rng = np.random.default_rng(0)
    group = rng.permutation([0] * 5 + [1] * 5)
    distances = np.where(group[:, None] == group, 0.1, 1.0)
    np.fill_diagonal(distances, 0)
    order = cluster_order(distances)
    assert sorted(order) == list(range(10))
    assert len(list(itertools.groupby(group[order]))) == 2


def test_experts_without_numbers_come_last():
    distances = np.ones((4, 4))
    distances[1] = distances[:, 1] = np.nan
    assert cluster_order(distances).tolist()[-1] == 1


def test_colours_differ_for_every_kind_of_eye():
    # Vienot's matrices of dichromats, on linear light; rows: red, green, blue.
    kinds = (
        [[0.112, 0.888, 0], [0.112, 0.888, 0], [0.004, -0.004, 1]],
        [[0.293, 0.707, 0], [0.293, 0.707, 0], [-0.022, 0.022, 1]],
    )
    rgb = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in COLOURS]) / 255
    for matrix in kinds:
        seen = (rgb**2.2) @ np.array(matrix).T
        seen = np.clip(seen, 0, 1) ** (1 / 2.2)
        gaps = np.linalg.norm(seen[:, None] - seen[None], axis=-1)
        assert gaps[np.triu_indices(len(COLOURS), 1)].min() > 0.1


def test_words_are_never_markup():
    hostile = "<b>x</b> & $a_b$"
    panel = Panel(hostile, Axis(hostile), Axis(hostile), [Level(1, hostile, "#000")])
    figure = Figure("name", hostile, hostile, [panel])
    text = json.dumps(plotly_figure(figure))
    assert "<b>" not in text
    figure.matplotlib().savefig("/dev/null", format="svg")
