"""The models and data sets of the server, and who works with them."""

from __future__ import annotations

import dash
from dash import Input, Output, dcc, html
from dash.development.base_component import Component

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import facts
from moeprobe.dashboard.page import Page, Query, not_meanwhile
from moeprobe.dashboard.views.catalogue import (
    DatasetRow,
    ModelRow,
    dataset_rows,
    model_rows,
)

_POLL_MS = 3000
_MODEL_TITLES = ("model", "family", "layers", "experts", "width", "weights", "in use")
_DATASET_TITLES = ("data set", "kind", "size", "uploaded", "SHA-256")
# Over words, which stand to the left.
_WORDS = ("model", "family", "in use", "data set", "kind", "SHA-256")


def _head(titles: tuple[str, ...]) -> Component:
    cells = [
        html.Th(title, scope="col", className="text" if title in _WORDS else "")
        for title in titles
    ]
    return html.Thead(html.Tr(cells))


def _model(row: ModelRow) -> Component:
    link = dcc.Link(row.name, href=row.submit_link) if not row.problem else row.name
    users = [
        part for n in row.jobs for part in (" ", dcc.Link(str(n), href=f"/jobs/{n}"))
    ]
    cells: list[Component] = [
        html.Td(row.family, className="text"),
        html.Td(row.layers),
        html.Td(row.experts),
        html.Td(row.width),
        html.Td(row.size),
        html.Td(["job", *users] if users else "", className="text"),
    ]
    if row.problem:
        cells = [html.Td(row.problem, colSpan=6, className="text problem")]
    return html.Tr([html.Th(link, scope="row", className="text"), *cells])


def _dataset(row: DatasetRow) -> Component:
    return html.Tr(
        [
            html.Th(row.name, scope="row", className="text"),
            html.Td(row.kind, className="text"),
            html.Td(row.size),
            html.Td(row.uploaded),
            html.Td(html.Code(row.digest), className="text"),
        ]
    )


def layout(context: Context, query: Query) -> Component:
    """Return the page; who works with what comes with the first poll."""
    del query
    info = context.client.server_info()
    return html.Section(
        [
            html.H1("Models"),
            facts(
                [
                    ("server", context.client.address),
                    ("version", info.version),
                    ("workers", str(info.worker_count)),
                    ("threads of each", str(info.threads_per_worker)),
                    ("families", ", ".join(info.families)),
                ]
            ),
            html.Div(id="models-list"),
            dcc.Interval(id="models-poll", interval=_POLL_MS),
        ]
    )


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("models-list", "children"),
        Input("models-poll", "n_intervals"),
        running=not_meanwhile("models-poll"),
    )
    def show_lists(_: int | None) -> list[Component]:
        client = context.client
        models = model_rows(client.models())
        datasets = dataset_rows(client.datasets())
        return [
            html.Div(
                html.Table(
                    [_head(_MODEL_TITLES), html.Tbody([_model(m) for m in models])]
                ),
                className="scroll",
            ),
            html.H2("Data sets"),
            html.Div(
                html.Table(
                    [
                        _head(_DATASET_TITLES),
                        html.Tbody([_dataset(d) for d in datasets]),
                    ]
                ),
                className="scroll",
            ),
        ]


PAGE = Page("/models", "Models", layout, register)
