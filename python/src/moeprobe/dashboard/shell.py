"""What is around every page: links, the state of the server, and trouble."""

from __future__ import annotations

from typing import Any

import dash
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard.access import LOGOUT
from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import aria
from moeprobe.dashboard.page import Page, in_browser, not_meanwhile
from moeprobe.dashboard.pages import compare, job, jobs, models, submit, training
from moeprobe.dashboard.parts import actions
from moeprobe.dashboard.views.server_state import server_state
from moeprobe.errors import (
    MoeprobeError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

PAGES: tuple[Page, ...] = (
    jobs.PAGE,
    submit.PAGE,
    compare.PAGE,
    training.PAGE,
    models.PAGE,
    job.PAGE,
)
_LINKS = (
    ("/", "Jobs"),
    ("/submit", "Submit"),
    ("/compare", "Compare"),
    ("/training", "Training"),
    ("/models", "Models"),
)
_HEARTBEAT_MS = 2000


def _links() -> Component:
    return html.Nav(
        [dcc.Link(name, href=path, id={"nav": path}) for path, name in _LINKS],
        **aria("Pages"),
    )


def shell() -> Component:
    """Return the shell, with a place for a page."""
    return html.Div(
        [
            dcc.Location(id="url", refresh="callback-nav"),
            dcc.Interval(id="heartbeat", interval=_HEARTBEAT_MS),
            html.A("Skip to content", href="#page", className="skip"),
            html.Header(
                [
                    html.Strong("moeprobe"),
                    _links(),
                    html.Span(id="server-state", role="status"),
                    html.Form(
                        html.Button("Log out"),
                        action=LOGOUT,
                        method="post",
                        id="logout",
                        hidden=True,
                    ),
                ]
            ),
            html.Div(id="trouble", role="alert"),
            html.Div(id="notice", role="alert"),
            html.Main(id="page", tabIndex=-1),
        ]
    )


def _troubled(error: MoeprobeError) -> Component:
    """Return what stands in place of a page that could not be made."""
    again = None
    if isinstance(error, UnavailableError):
        again = dcc.Interval(id={"retry": "page"}, interval=_HEARTBEAT_MS)
    title = "Not found" if isinstance(error, NotFoundError) else "This did not work"
    return html.Section([html.H1(title), html.P(str(error)), again])


def _find_page(context: Context, pathname: str, search: str) -> tuple[Component, str]:
    """Return a page and its title."""
    for page in PAGES:
        query = page.query(pathname, search)
        if query is not None:
            try:
                return page.layout(context, query), page.title
            except UnauthenticatedError:
                raise
            except MoeprobeError as error:
                return _troubled(error), page.title
    return _troubled(NotFoundError(f"There is no page {pathname}.")), "Not found"


def register(app: dash.Dash, context: Context) -> None:
    """Add the callbacks of the shell and of all pages."""

    @app.callback(
        Output("page", "children"),
        Output("page", "title"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input({"retry": dash.ALL}, "n_intervals"),
    )
    def show_page(pathname: str, search: str, retries: list[int]) -> tuple[Any, str]:
        if dash.ctx.triggered_id == {"retry": "page"} and not any(retries):
            raise PreventUpdate
        return _find_page(context, pathname or "/", search or "")

    @app.callback(
        Output("server-state", "children"),
        Output("trouble", "children"),
        Output("logout", "hidden"),
        Input("heartbeat", "n_intervals"),
        running=not_meanwhile("heartbeat"),
    )
    def show_server(_: int | None) -> tuple[str, str, bool]:
        client = context.client
        try:
            state = server_state(client.server_info(), client.address)
        except UnavailableError:
            state = server_state(None, client.address)
        return state.line, state.trouble, not context.access.is_logged_in

    # The browser's part: assets/dashboard.js.
    in_browser(
        app,
        "showPlace",
        Output("page", "className"),
        Input("page", "children"),
        State("page", "title"),
        State("url", "pathname"),
    )
    in_browser(
        app,
        "beat",
        Output("trouble", "className"),
        Input("trouble", "children"),
        Input("server-state", "children"),
    )
    actions.register(app, context)
    for page in PAGES:
        page.register(app, context)
