"""The means of a job: figures over layers, cells or steps, and tables."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import captioned, plain_table
from moeprobe.figures.gallery import sweep_figures_of, training_figures_of
from moeprobe.figures.layers import means
from moeprobe.job_status import JobStatus
from moeprobe.report.tables import QuantityTable, quantity_tables
from moeprobe.report.variants import variant_tables
from moeprobe.request.described import is_experiment
from moeprobe.result.result import Result


def _tables(overview: Result) -> list[QuantityTable]:
    """Return the tables of a result; of an experiment, its variants."""
    if is_experiment(overview.request):
        return variant_tables(overview)
    return quantity_tables(overview)


def table_place(overview: Result) -> Component:
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


def means_place(context: Context, status: JobStatus) -> Component:
    """Return means over layers, over the cells of a sweep, or over training."""
    if is_experiment(status.request):
        figures = training_figures_of(context.results.curves(context.client, status))
    else:
        overview = context.results.overview(context.client, status)
        figures = sweep_figures_of(overview) or [means(overview)]
    shown = [f for f in figures if f.panels]
    return html.Div([captioned(f, f"job-means-{i}") for i, f in enumerate(shown)])


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("job-means", "children"),
        Input("job-pair", "children"),
        State("job-means", "children"),
        State("job-number", "data"),
    )
    def show_means(pair: Any, shown: Any, number: int) -> Component:
        if pair is None or shown is not None:
            raise PreventUpdate
        return means_place(context, context.client.job(number).status())

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
