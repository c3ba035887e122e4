"""Controlled experiments over their steps, as far as they are."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import badge, captioned, plain_table
from moeprobe.dashboard.page import Page, Query, in_browser, not_meanwhile
from moeprobe.dashboard.views.comparison import MOST_JOBS, asked_jobs
from moeprobe.dashboard.views.job_row import job_row, number_of
from moeprobe.dashboard.views.times import now
from moeprobe.figures.gallery import training_figures_of
from moeprobe.job_status import JobStatus
from moeprobe.report.variants import seeds_text, variant_tables
from moeprobe.request.described import is_experiment
from moeprobe.result.result import Result

_POLL_MS = 2000
_MOST_LISTED = 200


def layout(context: Context, query: Query) -> Component:
    """Return the page: which experiments, and a place for their curves."""
    jobs = context.client.jobs(limit=_MOST_LISTED)
    found = [job for job in jobs if is_experiment(job.request)]
    options = [
        {"value": number_of(job.name), "label": f"{number_of(job.name)}: {_label(job)}"}
        for job in found
    ]
    asked = asked_jobs(query.search.get("jobs", ""))
    chooser = dcc.Dropdown(
        id="training-jobs",
        options=options,
        value=asked or [number_of(job.name) for job in found[:1]],
        multi=True,
        placeholder="jobs that train models",
    )
    return html.Section(
        [
            html.H1("Training"),
            html.Label([f"Experiments, at most {MOST_JOBS}", chooser]),
            html.Div(id="training-result"),
            dcc.Store(id="training-shown"),
            dcc.Interval(id="training-poll", interval=_POLL_MS),
        ]
    )


def _label(job: JobStatus) -> str:
    return job.label or job.subject


def variants_section(result: Result) -> list[Component]:
    """Return the variants of an experiment side by side."""
    tables = [
        html.Div([html.H4([f"{t.label} ", html.Code(t.quantity)]),
                  plain_table(t.table)])
        for t in variant_tables(result)
    ]  # fmt: skip
    return [html.P(seeds_text(result)), html.Div(tables, className="tables")]


def _experiment(status: JobStatus, result: Result) -> Component:
    number = number_of(status.name)
    figures = [figure for figure in training_figures_of(result) if figure.panels]
    drawn = [
        captioned(figure, f"training-{number}-{figure.name}") for figure in figures
    ]
    link = dcc.Link(f"{number}: {_label(status)}", href=f"/jobs/{number}")
    head = html.H2([link, " ", badge(job_row(status, now()))])
    return html.Section([head, *drawn, *variants_section(result)])


def _section(context: Context, status: JobStatus) -> Component:
    if not is_experiment(status.request):
        return html.P(f"Job {number_of(status.name)} trains nothing.")
    return _experiment(status, context.results.curves(context.client, status))


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("training-result", "children"),
        Output("training-shown", "data"),
        Input("training-jobs", "value"),
        Input("training-poll", "n_intervals"),
        State("training-shown", "data"),
        running=not_meanwhile("training-poll"),
    )
    def show(numbers: list[int] | None, _: int | None, shown: Any) -> Any:
        client = context.client
        asked = (numbers or [])[:MOST_JOBS]
        statuses = [client.job(number).status() for number in asked]
        has = [[s.name, s.state.value, s.layers_done_count] for s in statuses]
        if has == shown:
            raise PreventUpdate
        if not statuses:
            return html.P("No experiment is chosen, or there is none yet."), has
        return [_section(context, status) for status in statuses], has

    # The address says which jobs: assets/dashboard.js.
    in_browser(
        app,
        "keepJobs",
        Output("training-result", "className"),
        Input("training-jobs", "value"),
    )


PAGE = Page("/training", "Training", layout, register)
