"""Jobs side by side: the same layer and quantity, with the same limits."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import captioned, picker, plain_table
from moeprobe.dashboard.page import Page, Query, in_browser
from moeprobe.dashboard.results import Part
from moeprobe.dashboard.views.cells import first_cell
from moeprobe.dashboard.views.comparison import (
    MOST_JOBS,
    asked_jobs,
    common_choices,
    distributions,
    means_over_layers,
    title_of_job,
)
from moeprobe.dashboard.views.explorer import matrix_figure, title_of
from moeprobe.report.tables import side_by_side
from moeprobe.result.result import Result

_MOST_LISTED = 200


def layout(context: Context, query: Query) -> Component:
    """Return the page: which jobs, and a place for what they found."""
    jobs = context.client.jobs(limit=_MOST_LISTED)
    options = [
        {
            "value": int(job.name.removeprefix("jobs/")),
            "label": f"{job.name.removeprefix('jobs/')}: {job.label} "
            f"({job.state.value})",
        }
        for job in jobs
        if job.layers_done_count or job.state.value == "succeeded"
    ]
    chooser = dcc.Dropdown(
        id="compare-jobs",
        options=options,
        value=asked_jobs(query.search.get("jobs", "")),
        multi=True,
        placeholder="jobs that have found something",
    )
    return html.Section(
        [
            html.H1("Compare"),
            html.Label([f"Jobs, at most {MOST_JOBS}", chooser], htmlFor="compare-jobs"),
            html.Div(id="compare-pickers"),
            html.Div(id="compare-result"),
        ]
    )


def _results(context: Context, numbers: list[int]) -> list[Result]:
    client = context.client
    found = []
    for number in numbers[:MOST_JOBS]:
        status = client.job(number).status()
        cell = first_cell(context.results.overview(client, status))
        found.append(context.results.matrices(client, status, Part(cell)))
    return found


def _pickers(results: list[Result]) -> list[Component]:
    common = common_choices(results)
    layers = [(layer, str(layer)) for layer in common.layers] or [(0, "")]
    names = [(q, title_of(q)) for q in common.quantities] or [("", "")]
    return [
        picker("compare-layer", "layer", layers, layers[0][0], "compare"),
        picker("compare-quantity", "pairs by", names, names[0][0], "compare"),
    ]


def _comparison(results: list[Result], quantity: str, layer: int) -> Component:
    titled = [(title_of_job(result), result) for result in results]
    matrices = matrix_figure(titled, quantity, layer)
    figures = [matrices, distributions(results, quantity, layer)]
    figures.append(means_over_layers(results))
    tables = [
        html.Div([html.H4([f"{t.label} ", html.Code(t.quantity)]),
                  plain_table(t.table)])
        for t in side_by_side(results)
    ]  # fmt: skip
    shown = [captioned(f, f"compare-{f.name}") for f in figures if f.panels]
    return html.Div([*shown, html.Div(tables, className="tables")])


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(Output("compare-pickers", "children"), Input("compare-jobs", "value"))
    def show_pickers(numbers: list[int] | None) -> list[Component]:
        return _pickers(_results(context, numbers or []))

    @app.callback(
        Output("compare-result", "children"),
        Input("compare-layer", "value"),
        Input("compare-quantity", "value"),
        State("compare-jobs", "value"),
    )
    def compare(layer: int, quantity: str, numbers: list[int] | None) -> Any:
        results = _results(context, numbers or [])
        if not results:
            return html.P("Choose jobs to see them beside each other.")
        return _comparison(results, quantity, layer)

    # The address says which jobs: assets/dashboard.js.
    in_browser(
        app,
        "keepJobs",
        Output("compare-pickers", "className"),
        Input("compare-jobs", "value"),
    )


PAGE = Page("/compare", "Compare", layout, register)
