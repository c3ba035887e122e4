"""The application, and what it does where a callback fails."""

from __future__ import annotations

import importlib.resources
import logging

import dash
import flask

from moeprobe.dashboard.access import LOGIN, Access
from moeprobe.dashboard.clients import Clients
from moeprobe.dashboard.context import Context
from moeprobe.dashboard.downloads import add_downloads
from moeprobe.dashboard.results import Results
from moeprobe.dashboard.settings import Settings
from moeprobe.dashboard.shell import register, shell
from moeprobe.errors import MoeprobeError, UnauthenticatedError, UnavailableError

# Files that a report has, too.
_SHARED = {
    "look.css": "text/css",
    "plotly-cartesian.min.js": "text/javascript",
}
_FILE_SECONDS = 3600
_log = logging.getLogger(__name__)


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
    clients = Clients(settings.connection)
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
    app.layout = shell()
    _add_shared_files(app.server)
    add_downloads(app.server, context)
    register(app, context)
    access.guard(app.server, lambda: list(app.csp_hashes()))
    return app
