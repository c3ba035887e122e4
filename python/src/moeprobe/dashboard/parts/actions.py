"""What can be done to a job, from any page: buttons, and what they do."""

from __future__ import annotations

from typing import Any

import dash
from dash import ALL, Input, Output, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import aria
from moeprobe.dashboard.views.job_row import JobRow
from moeprobe.request.request import YamlText
from moeprobe.request.writer import request_yaml


def buttons(row: JobRow) -> list[Component]:
    """Return the buttons of a job."""
    if row.can_be_cancelled:
        return [_button("Cancel", "cancel", row, f"Cancel job {row.number}")]
    return [_button("Run again", "resubmit", row, f"Run job {row.number} again")]


def _button(text: str, kind: str, row: JobRow, label: str) -> Component:
    return html.Button(text, id={kind: row.number}, **aria(label))


def _clicked(kind: str) -> int:
    """Return the job whose button was pressed; one that appears was not."""
    source = dash.ctx.triggered_id
    if not isinstance(source, dict) or not dash.ctx.triggered[0]["value"]:
        raise PreventUpdate
    return int(source[kind])


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks."""

    @app.callback(
        Output("notice", "children", allow_duplicate=True),
        Input({"cancel": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def cancel(_: list[int | None]) -> str:
        number = _clicked("cancel")
        state = context.client.job(number).cancel().state
        return f"Job {number} is {state.value}."

    @app.callback(
        Output("notice", "children", allow_duplicate=True),
        Input({"resubmit": ALL}, "n_clicks"),
        prevent_initial_call=True,
    )
    def resubmit(_: list[int | None]) -> Any:
        number = _clicked("resubmit")
        request = context.client.job(number).status().request
        made = context.client.submit(YamlText(request_yaml(request)))
        link = dcc.Link(f"job {made.id}", href=f"/jobs/{made.id}")
        return html.Span([f"Job {number} runs again as ", link, "."])
