"""The application: a shell with the state of the server, and pages inside."""

from __future__ import annotations

import importlib.resources
import logging
from typing import Any

import dash
import flask
from dash import Input, Output, State, dcc, html
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate

from moeprobe.dashboard import actions
from moeprobe.dashboard.access import LOGIN, LOGOUT, Access
from moeprobe.dashboard.clients import Clients
from moeprobe.dashboard.context import Context
from moeprobe.dashboard.elements import aria
from moeprobe.dashboard.page import Page, in_browser, not_meanwhile
from moeprobe.dashboard.pages import compare, job, jobs, models, submit, training
from moeprobe.dashboard.results import Results
from moeprobe.dashboard.settings import Settings
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
# Files that a report has, too.
_SHARED = {
    "look.css": "text/css",
    "plotly-cartesian.min.js": "text/javascript",
}
_FILE_SECONDS = 3600
_log = logging.getLogger(__name__)


def _links() -> Component:
    return html.Nav(
        [dcc.Link(name, href=path, id={"nav": path}) for path, name in _LINKS],
        **aria("Pages"),
    )


def _shell() -> Component:
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


def _register_shell(app: dash.Dash, context: Context) -> None:
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


def _tell(error: Exception) -> None:
    """Tell whoever looks what went wrong in a callback, which changes nothing."""
    if isinstance(error, UnauthenticatedError):
        dash.set_props("url", {"href": LOGIN, "refresh": True})
    elif isinstance(error, MoeprobeError):
        # That nobody answers, the shell says.
        if not isinstance(error, UnavailableError):
            dash.set_props("notice", {"children": str(error)})
    else:
        _log.error("a callback failed", exc_info=error)
        text = f"The dashboard failed here: {type(error).__name__}; see its log."
        dash.set_props("notice", {"children": text})


def _add_shared_files(server: flask.Flask) -> None:
    """Serve files of the report from here."""

    @server.get("/shared/<name>")
    def shared_file(name: str) -> flask.Response:
        if name not in _SHARED:
            flask.abort(404)
        data = (importlib.resources.files("moeprobe.report") / name).read_bytes()
        response = flask.Response(data, mimetype=_SHARED[name])
        response.cache_control.max_age = _FILE_SECONDS
        return response


def make_app(settings: Settings) -> dash.Dash:
    """Return the application; its `server` speaks WSGI."""
    clients = Clients(settings.server)
    access = Access(settings, clients)
    context = Context(access, clients, Results())
    assets = importlib.resources.files("moeprobe.dashboard") / "assets"
    app = dash.Dash(
        "moeprobe.dashboard",
        assets_folder=str(assets),
        # Deferred: it is read while the first answers are on their way. Where it is
        # late, Dash loads its own, three times the size.
        external_scripts=[{"src": "/shared/plotly-cartesian.min.js", "defer": "defer"}],
        external_stylesheets=["/shared/look.css"],
        title="moeprobe",
        update_title="",
        on_error=_tell,
        suppress_callback_exceptions=True,
        add_log_handler=False,
        enable_mcp=False,
        meta_tags=[
            {"name": "viewport", "content": "width=device-width, initial-scale=1"}
        ],
    )
    app.layout = _shell()
    _add_shared_files(app.server)
    _register_shell(app, context)
    actions.register(app, context)
    for page in PAGES:
        page.register(app, context)
    access.guard(app.server, lambda: list(app.csp_hashes()))
    return app
