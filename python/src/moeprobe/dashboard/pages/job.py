"""A job: how it is doing, and what it found, layer by layer."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import badge, facts
from moeprobe.dashboard.page import Page, Query, not_meanwhile
from moeprobe.dashboard.parts import job_explorer, job_means
from moeprobe.dashboard.parts.actions import buttons
from moeprobe.dashboard.results import Part
from moeprobe.dashboard.views.cells import first_cell
from moeprobe.dashboard.views.explorer import choices_of
from moeprobe.dashboard.views.job_row import job_row
from moeprobe.dashboard.views.times import now
from moeprobe.job_status import JobStatus
from moeprobe.request.described import counted
from moeprobe.request.writer import request_yaml

_POLL_MS = 500
# Between two looks at the results of a job that runs: who reads wants rest.
_RESULTS_SECONDS = 5.0
# How often a page asks again.
_EVER, _NEVER = -1, 0


def live_section(status: JobStatus) -> Component:
    """Return what changes while a job runs."""
    row = job_row(status, now())
    percent = f"{100 * row.fraction:.0f}"
    crashes = f"{status.crash_count}" if status.crash_count else ""
    count = counted(len(status.warnings), "warning")
    # One element: there may be hundreds, and they come with every poll.
    warnings = html.P("\n".join(status.warnings), className="warnings lines")
    return html.Div(
        [
            html.Div(
                [badge(row), html.Progress(value=percent, max="100"), f"{percent} %",
                 *buttons(row),
                 dcc.Link("Edit and submit", href=f"/submit?from={row.number}"),
                 dcc.Link("Compare", href=f"/compare?jobs={row.number}"),
                 html.A("Report", href=f"/jobs/{row.number}/report.html",
                        download=f"moeprobe-job-{row.number}.html")],
                className="tools",
            ),
            html.P(row.detail, className="detail"),
            facts(
                [
                    ("model", row.model),
                    ("owner", row.owner),
                    ("submitted", row.created),
                    ("time", row.spent),
                    ("workers that died since its last layer", crashes),
                ]
            ),
            html.Details([html.Summary(count), warnings])
            if status.warnings
            else None,
        ]
    )  # fmt: skip


def _has(status: JobStatus) -> list[Any]:
    """Return what changes where there are more results, and this moment."""
    return [status.state.value, status.layers_done_count, now().timestamp()]


def _is_due(has: list[Any], shown: list[Any], *, is_final: bool) -> bool:
    """Tell whether to show results anew: at the end, and now and then before."""
    state_or_count_changed = has[:2] != shown[:2]
    is_late = has[2] - shown[2] >= _RESULTS_SECONDS or not shown[1]
    return state_or_count_changed and (is_final or is_late)


def layout(context: Context, query: Query) -> Component:
    """Return the page with what was found so far."""
    number = query.number("number")
    status = context.client.job(number).status()
    return html.Section(
        [
            html.H1([f"{status.label or 'Job'} ", html.Small(f"job {number}")]),
            html.Div(live_section(status), id="job-live"),
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


def _results(context: Context, status: JobStatus, query: Query) -> Component | None:
    """Return what a job has found so far; None if that is nothing."""
    overview = context.results.overview(context.client, status)
    if not overview.document["summary"]:
        return None
    part = Part(cell=first_cell(overview))
    matrices = context.results.matrices(context.client, status, part)
    choices = choices_of(matrices)
    table = job_means.table_place(overview)
    if choices.is_empty:
        return html.Div([job_means.means_place(context, status), table])
    explorer = job_explorer.explorer(matrices, overview, choices, query)
    # What is seen first is drawn first: means come when the pair is there.
    return html.Div([explorer, html.Div(id="job-means"), table])


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
        _: int | None, number: int, asked: dict[str, str], shown: list[Any]
    ) -> tuple[Any, Any, Any, int]:
        status = context.client.job(number).status()
        has, is_final = _has(status), status.state.is_final
        often = _NEVER if is_final else _EVER
        if not _is_due(has, shown, is_final=is_final):
            return live_section(status), dash.no_update, dash.no_update, often
        return (
            live_section(status),
            _results(context, status, Query({}, asked)),
            has,
            often,
        )

    job_explorer.register(app, context)
    job_means.register(app, context)


PAGE = Page(r"/jobs/(?P<number>\d{1,15})", "Job", layout, register)
