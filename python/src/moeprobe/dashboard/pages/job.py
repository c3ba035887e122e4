"""A job: how it is doing, and what it found, layer by layer."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.actions import buttons
from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import (
    badge,
    captioned,
    drawn,
    facts,
    graph,
    labelled,
    picker,
    plain_table,
)
from moeprobe.dashboard.page import Page, Query, in_browser, not_meanwhile
from moeprobe.dashboard.results import Part
from moeprobe.dashboard.views.cells import cell_options, first_cell
from moeprobe.dashboard.views.explorer import (
    ORDERS,
    Choices,
    choices_of,
    first_pair,
    matrix_figure,
    order_of,
    title_of,
)
from moeprobe.dashboard.views.job_row import job_row
from moeprobe.dashboard.views.marked import marked
from moeprobe.dashboard.views.pair import PairDetail, pair_detail
from moeprobe.dashboard.views.times import now
from moeprobe.figures.gallery import sweep_figures_of, training_figures_of
from moeprobe.figures.layers import means
from moeprobe.job_status import JobStatus
from moeprobe.report.tables import QuantityTable, quantity_tables
from moeprobe.report.variants import variant_tables
from moeprobe.request.described import is_experiment
from moeprobe.request.writer import request_yaml
from moeprobe.result.result import Result

_POLL_MS = 500
_SIDES = ("left", "right")
_PICKERS = ("cell", "data", "layer", "left", "right", "order", "first", "second")
_NOBODY = -1
# How often a page asks again.
_EVER, _NEVER = -1, 0


def _live(status: JobStatus) -> Component:
    """Return what changes while a job runs."""
    row = job_row(status, now())
    percent = f"{100 * row.fraction:.0f}"
    crashes = f"{status.crash_count}" if status.crash_count else ""
    # One element: there may be hundreds, and they come with every poll.
    warnings = html.P("\n".join(status.warnings), className="warnings lines")
    return html.Div(
        [
            html.Div(
                [badge(row), html.Progress(value=percent, max="100"), f"{percent} %",
                 *buttons(row),
                 dcc.Link("Edit and submit", href=f"/submit?from={row.number}"),
                 dcc.Link("Compare", href=f"/compare?jobs={row.number}")],
                className="tools",
            ),
            html.P(row.detail, className="detail"),
            facts(
                [
                    ("model", row.model),
                    ("submitted", row.created),
                    ("time", row.spent),
                    ("workers that died on it", crashes),
                ]
            ),
            html.Details([html.Summary(f"{len(status.warnings)} warnings"), warnings])
            if status.warnings
            else None,
        ]
    )  # fmt: skip


def _has(status: JobStatus) -> list[Any]:
    """Return what changes where there are more results."""
    return [status.state.value, status.layers_done_count]


def layout(context: Context, query: Query) -> Component:
    """Return the page with what was found so far."""
    number = query.number("number")
    status = context.client.job(number).status()
    return html.Section(
        [
            html.H1([f"{status.label or 'Job'} ", html.Small(f"job {number}")]),
            html.Div(_live(status), id="job-live"),
            html.Div(_results(context, status, query), id="job-results"),
            html.Details(
                [html.Summary("The request"), html.Pre(request_yaml(status.request))]
            ),
            dcc.Store(id="job-number", data=number),
            dcc.Store(id="job-asked", data=dict(query.search)),
            dcc.Store(id="job-shown", data=_has(status)),
            dcc.Interval(id="job-poll", interval=_POLL_MS),
        ]
    )


def _tables(overview: Result) -> list[QuantityTable]:
    """Return the tables of a result; of an experiment, its variants."""
    if is_experiment(overview.request):
        return variant_tables(overview)
    return quantity_tables(overview)


def _table_place(overview: Result) -> Component:
    """Return a choice of tables and a place for one of them."""
    tables = _tables(overview)
    options = [
        {"value": place, "label": f"{table.label}, {table.part}"}
        for place, table in enumerate(tables)
    ]
    chooser = dcc.Dropdown(
        id="job-table-choice", options=options, value=0, clearable=False
    )
    return html.Section(
        [
            html.H2("Means, intervals and nulls"),
            html.Div(html.Label(["Quantity", chooser]), className="tools"),
            html.Div(id="job-table"),
        ]
    )


def _means_place(context: Context, status: JobStatus) -> Component:
    """Return means over layers, over the cells of a sweep, or over training."""
    if is_experiment(status.request):
        figures = training_figures_of(context.results.curves(context.client, status))
    else:
        overview = context.results.overview(context.client, status)
        figures = sweep_figures_of(overview) or [means(overview)]
    shown = [f for f in figures if f.panels]
    return html.Div([captioned(f, f"job-means-{i}") for i, f in enumerate(shown)])


def _part_pickers(overview: Result, cell: int, key: str) -> list[Component]:
    cells = cell_options(overview)
    data = overview.request.get("data")
    sets = [(i, str(i)) for i in range(len(data))] if isinstance(data, list) else []
    return [
        picker("job-cell", "cell", cells or [(0, "")], cell, key),
        picker("job-data", "data set", sets or [(0, "")], 0, key),
    ]


def _explorer(
    result: Result, overview: Result, choices: Choices, query: Query
) -> Component:
    """Return pickers and places of the figures; they are drawn right after."""
    cell, key = first_cell(overview), overview.job
    layer = query.number("layer", choices.layers[0])
    layer = layer if layer in choices.layers else choices.layers[0]
    left, right = (list(q) or [""] for q in (choices.left, choices.right))
    first, second = first_pair(result, left[0] or right[0], layer)
    pair = (query.number("first", first), query.number("second", second))
    return html.Div(
        [
            html.H2("Layer by layer"),
            html.Div(
                [
                    *_part_pickers(overview, cell, key),
                    picker("job-layer", "layer", [(n, str(n)) for n in choices.layers],
                           layer, key),
                    picker("job-left", "left", [(q, title_of(q)) for q in left],
                           left[0], key),
                    picker("job-right", "right", [(q, title_of(q)) for q in right],
                           right[0], key),
                    picker("job-order", "experts in order", ORDERS, "number", key),
                ],
                className="pickers",
            ),
            html.Div(
                [html.Div(graph(f"job-{side}-heat"), className="side")
                 for side in _SIDES],
                className="pair-of-figures",
            ),
            html.Div(
                [
                    "Click a cell, or name ",
                    *(
                        labelled(
                            f"{text} ",
                            dcc.Input(
                                id=f"job-{name}", type="number", min=0, step=1,
                                value=value, persistence=key,
                                persistence_type="memory",
                            ),
                        )
                        for text, name, value in zip(
                            ("expert e", "and e\N{PRIME}"), ("first", "second"), pair,
                            strict=True,
                        )
                    ),
                ],
                className="tools",
            ),
            html.Div(id="job-pair"),
        ]
    )  # fmt: skip


def _results(context: Context, status: JobStatus, query: Query) -> Component | None:
    """Return what a job has found so far; None if that is nothing."""
    overview = context.results.overview(context.client, status)
    if not overview.document["summary"]:
        return None
    part = Part(cell=first_cell(overview))
    matrices = context.results.matrices(context.client, status, part)
    choices = choices_of(matrices)
    table = _table_place(overview)
    if choices.is_empty:
        return html.Div([_means_place(context, status), table])
    explorer = _explorer(matrices, overview, choices, query)
    # What is seen first is drawn first: means come when the pair is there.
    return html.Div([explorer, html.Div(id="job-means"), table])


def pair_section(detail: PairDetail | None) -> Component:
    """Return what there is of a pair."""
    if detail is None:
        return html.P("Name two experts of this layer.")
    return html.Section(
        [
            html.H3(["Experts ", html.Span(str(detail.first), className="first"),
                     " and ", html.Span(str(detail.second), className="second")]),
            facts(detail.facts),
            plain_table(detail.table),
            graph("job-pair-figure", detail.figure) if detail.figure.panels else None,
            html.P(detail.figure.caption, className="caption"),
        ]
    )  # fmt: skip


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("job-live", "children"),
        Output("job-results", "children"),
        Output("job-shown", "data"),
        Output("job-poll", "max_intervals"),
        Input("job-poll", "n_intervals"),
        State("job-number", "data"),
        State("job-asked", "data"),
        State("job-shown", "data"),
        running=not_meanwhile("job-poll"),
    )
    def poll(
        _: int | None, number: int, asked: dict[str, str], shown: list[Any] | None
    ) -> tuple[Any, Any, Any, int]:
        status = context.client.job(number).status()
        has = _has(status)
        results: Any = dash.no_update
        if has != shown:
            results = _results(context, status, Query({}, asked))
        return _live(status), results, has, _NEVER if status.state.is_final else _EVER

    @app.callback(
        Output("job-table", "children"),
        Input("job-table-choice", "value"),
        State("job-number", "data"),
    )
    def show_table(place: int, number: int) -> Component:
        client = context.client
        overview = context.results.overview(client, client.job(number).status())
        table = _tables(overview)[place]
        return html.Div([html.Code(table.quantity), plain_table(table.table)])

    _register_explorer(app, context)


def _chosen(expert: int | None) -> int:
    return _NOBODY if expert is None else expert


def _register_explorer(app: dash.Dash, context: Context) -> None:
    @app.callback(
        Output("job-left-heat", "figure"),
        Output("job-right-heat", "figure"),
        Output("job-pair", "children"),
        inputs={
            "number": State("job-number", "data"),
            "picked": {name: Input(f"job-{name}", "value") for name in _PICKERS},
        },
    )
    def draw(number: int, picked: dict[str, Any]) -> tuple[Any, Any, Component]:
        status = context.client.job(number).status()
        layer, sides = picked["layer"], (picked["left"], picked["right"])
        part = Part(picked["cell"] or 0, picked["data"] or 0)
        result = context.results.matrices(context.client, status, part)
        experts = order_of(result, layer, *sides, picked["order"])
        pair = _chosen(picked["first"]), _chosen(picked["second"])
        left, right = (
            marked(drawn(matrix_figure([("", result)], q, layer, experts)), pair)
            for q in sides
        )
        whole = context.results.layer(context.client, status, part, layer)
        return left, right, pair_section(pair_detail(whole, layer, *pair))

    @app.callback(
        Output("job-means", "children"),
        Input("job-pair", "children"),
        State("job-means", "children"),
        State("job-number", "data"),
    )
    def show_means(pair: Any, shown: Any, number: int) -> Component:
        if pair is None or shown is not None:
            raise PreventUpdate
        return _means_place(context, context.client.job(number).status())

    @app.callback(
        Output("job-first", "value"),
        Output("job-second", "value"),
        Input("job-left-heat", "clickData"),
        Input("job-right-heat", "clickData"),
        prevent_initial_call=True,
    )
    def choose(left: Any, right: Any) -> tuple[int, int]:
        clicked = left if dash.ctx.triggered_id == "job-left-heat" else right
        if not clicked:
            raise PreventUpdate
        point = clicked["points"][0]
        return int(point["y"]), int(point["x"])

    # The address says what is looked at: assets/dashboard.js.
    in_browser(
        app,
        "keepPlace",
        Output("job-pair", "className"),
        Input("job-layer", "value"),
        Input("job-first", "value"),
        Input("job-second", "value"),
    )


PAGE = Page(r"/jobs/(?P<number>\d{1,15})", "Job", layout, register)
