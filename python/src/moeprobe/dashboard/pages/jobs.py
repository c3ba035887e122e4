"""All jobs: how each of them is doing, live."""

from __future__ import annotations

import zlib

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import aria, badge, labelled
from moeprobe.dashboard.page import Page, Query, not_meanwhile
from moeprobe.dashboard.parts.actions import buttons
from moeprobe.dashboard.views.job_row import JobRow, chosen_rows, job_row
from moeprobe.dashboard.views.times import now
from moeprobe.events import JobState

_POLL_MS = 1000
_MOST = 200
# With those that are over words, which stand to the left.
_TITLES = (
    ("job", False), ("name", True), ("model", True), ("owner", True), ("state", True),
    ("progress", True), ("submitted", False), ("time", False), ("", False),
)  # fmt: skip


def _row(row: JobRow) -> Component:
    percent = f"{100 * row.fraction:.0f}"
    label = aria(f"Progress of job {row.number}")
    bar = html.Progress(value=percent, max="100", **label)
    return html.Tr(
        [
            html.Th(dcc.Link(str(row.number), href=f"/jobs/{row.number}"), scope="row"),
            html.Td(dcc.Link(row.label, href=f"/jobs/{row.number}"), className="text"),
            html.Td(row.model, className="text"),
            html.Td(row.owner, className="text"),
            html.Td(badge(row), className="text"),
            html.Td(
                [bar, f"{percent} % ", html.Span(row.detail, className="detail")],
                className="text wide",
                title=row.detail,
            ),
            html.Td(row.created),
            html.Td(row.spent),
            html.Td(buttons(row), className="actions"),
        ],
        key=str(row.number),
    )


def _table(rows: list[JobRow]) -> Component:
    if not rows:
        return html.P(["No jobs here. ", dcc.Link("Submit one", href="/submit"), "."])
    head = html.Tr(
        [
            html.Th(title, scope="col", className="text" if is_text else "")
            for title, is_text in _TITLES
        ]
    )
    table = html.Table([html.Thead(head), html.Tbody([_row(row) for row in rows])])
    return html.Div(table, className="scroll jobs")


def layout(context: Context, query: Query) -> Component:
    """Return the page; its list comes with the first poll."""
    del context, query
    states = ["all", *(s.value for s in JobState if s is not JobState.UNKNOWN)]
    return html.Section(
        [
            html.H1("Jobs"),
            html.Div(
                [
                    labelled(
                        "Find ",
                        dcc.Input(
                            id="jobs-words",
                            type="search",
                            value="",
                            placeholder="number, name, model or owner",
                        ),
                    ),
                    dcc.RadioItems(
                        id="jobs-state", options=states, value="all", className="strip"
                    ),
                ],
                className="tools",
            ),
            html.Div(id="jobs-list"),
            html.P(f"Of the {_MOST} newest jobs.", className="caption"),
            dcc.Store(id="jobs-shown"),
            dcc.Interval(id="jobs-poll", interval=_POLL_MS),
        ]
    )


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("jobs-list", "children"),
        Output("jobs-shown", "data"),
        Input("jobs-poll", "n_intervals"),
        Input("jobs-state", "value"),
        Input("jobs-words", "value"),
        State("jobs-shown", "data"),
        running=not_meanwhile("jobs-poll"),
    )
    def show_list(
        _: int | None, state: str, words: str | None, shown: int | None
    ) -> tuple[Component, int]:
        at = now()
        rows = [job_row(status, at) for status in context.client.jobs(limit=_MOST)]
        chosen = chosen_rows(rows, state, words or "")
        digest = zlib.crc32(repr(chosen).encode())
        if digest == shown:
            raise PreventUpdate
        return _table(chosen), digest


PAGE = Page("/", "Jobs", layout, register)
