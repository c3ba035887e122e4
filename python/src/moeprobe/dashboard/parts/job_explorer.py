"""A job's layers: two matrices over pairs of experts, and one pair in detail."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import (
    drawn,
    facts,
    graph,
    labelled,
    picker,
    plain_table,
)
from moeprobe.dashboard.page import Query, in_browser
from moeprobe.dashboard.results import Part
from moeprobe.dashboard.views.cells import cell_options, first_cell
from moeprobe.dashboard.views.explorer import (
    ORDERS,
    Choices,
    first_pair,
    matrix_figure,
    order_of,
    title_of,
)
from moeprobe.dashboard.views.marked import marked
from moeprobe.dashboard.views.pair import PairDetail, pair_detail
from moeprobe.result.result import Result

_SIDES = ("left", "right")
_PICKERS = ("cell", "data", "layer", "left", "right", "order", "first", "second")
_NOBODY = -1


def _part_pickers(overview: Result, cell: int, key: str) -> list[Component]:
    cells = cell_options(overview)
    data = overview.request.get("data")
    sets = [(i, str(i)) for i in range(len(data))] if isinstance(data, list) else []
    return [
        picker("job-cell", "cell", cells or [(0, "")], cell, key),
        picker("job-data", "data set", sets or [(0, "")], 0, key),
    ]


def explorer(
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


def _chosen(expert: int | None) -> int:
    return _NOBODY if expert is None else expert


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

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
