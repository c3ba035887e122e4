"""Who may come in: names, origins, logins, and what pages may do in a browser."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import flask
import jinja2

from moeprobe.dashboard.clients import Clients
from moeprobe.dashboard.sessions import Sessions
from moeprobe.dashboard.settings import Settings
from moeprobe.errors import MoeprobeError, UnauthenticatedError

LOGIN, LOGOUT = "/login", "/logout"
# Files that are the same for all, so that everybody may have them.
_FILES = ("/assets/", "/shared/", "/_dash-component-suites/")
# What gRPC sends as metadata, and no token is longer.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
_UNKNOWN = "The server does not know this token."
# A request file is 1 MiB at most, and JSON has twice that of it at worst.
_LARGEST_REQUEST = 8 << 20
_SAFE_METHODS = ("GET", "HEAD")


def content_security_policy(script_hashes: Sequence[str]) -> str:
    """Return a policy: scripts of the dashboard alone, and no other address.

    Plotly and Dash set styles of elements; nothing else may be inline.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def local_path(path: str | None) -> str:
    """Return a path on this dashboard, be `path` one or not."""
    is_local = re.fullmatch(r"/(?![/\\])[\x21-\x7e]*", path or "")
    return path if path and is_local and not path.startswith(LOGIN) else "/"


class Access:
    """Guards a Flask application; see `guard`."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self._settings = settings
        self._clients = clients
        self._sessions = Sessions()
        self._headers: dict[str, str] = {}
        source = importlib.resources.files("moeprobe.dashboard") / "login.html"
        environment = jinja2.Environment(autoescape=True, trim_blocks=True)
        self._page = environment.from_string(source.read_text("utf-8"))

    def guard(self, app: flask.Flask, script_hashes: Callable[[], list[str]]) -> None:
        """Let only those in who may come, and tell browsers what pages may do.

        `script_hashes` is asked once, at the first request.
        """
        self._script_hashes = script_hashes
        app.config["MAX_CONTENT_LENGTH"] = _LARGEST_REQUEST
        app.before_request(self._check)
        app.after_request(self._add_headers)
        app.add_url_rule(LOGIN, "login", self._login, methods=["GET", "POST"])
        app.add_url_rule(LOGOUT, "logout", self._logout, methods=["POST"])

    @property
    def token(self) -> str | None:
        """The token of whoever asks."""
        own = None if self._settings.require_token else self._settings.connection.token
        return self._sessions.token(self._session) or own

    @property
    def is_logged_in(self) -> bool:
        """Whether whoever asks has given a token."""
        return self._sessions.token(self._session) is not None

    @property
    def _session(self) -> str | None:
        return flask.request.cookies.get(self._sessions.cookie)

    def _check(self) -> Any:
        request = flask.request
        host = urlsplit(f"//{request.host}").hostname or ""
        name = f"[{host}]" if ":" in host else host
        if name not in self._settings.hosts:
            return _refusal(421, f"this dashboard is not called {name!r}; see --name")
        if request.method not in _SAFE_METHODS and not self._is_own_origin():
            return _refusal(403, "another site has sent this")
        if not self._must_log_in():
            return None
        if request.method in _SAFE_METHODS and not request.path.startswith("/_dash"):
            path = request.full_path.rstrip("?")
            return flask.redirect(flask.url_for("login", next=local_path(path)))
        return _refusal(401, "log in first")

    def _must_log_in(self) -> bool:
        if not self._settings.require_token:
            return False
        path = flask.request.path
        return path != LOGIN and not path.startswith(_FILES) and not self.is_logged_in

    @staticmethod
    def _is_own_origin() -> bool:
        origin = urlsplit(flask.request.headers.get("Origin", ""))
        return bool(origin.netloc) and origin.netloc == flask.request.host

    def _login(self) -> Any:
        request = flask.request
        target = local_path(request.args.get("next"))
        if request.method == "GET":
            return self._page.render(target=target, problem="")
        token = request.form.get("token", "").strip()
        if problem := self._problem_with(token):
            return self._page.render(target=target, problem=problem), 401
        self._sessions.end(self._session)
        response = flask.redirect(target, 303)
        response.set_cookie(
            self._sessions.cookie,
            self._sessions.begin(token),
            httponly=True,
            samesite="Strict",
            secure=request.is_secure,
        )
        return response

    def _problem_with(self, token: str) -> str:
        """Return why the server takes no calls with a token; "" where it does."""
        if not _TOKEN.fullmatch(token):
            return _UNKNOWN
        try:
            self._clients.of(token).whoami()
        except UnauthenticatedError:
            return _UNKNOWN
        except MoeprobeError as error:
            return str(error)
        return ""

    def _logout(self) -> Any:
        self._sessions.end(self._session)
        response = flask.redirect(LOGIN, 303)
        response.delete_cookie(self._sessions.cookie, samesite="Strict", httponly=True)
        return response

    def _add_headers(self, response: flask.Response) -> flask.Response:
        if not self._headers:
            self._headers = {
                "Content-Security-Policy": content_security_policy(
                    self._script_hashes()
                ),
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Referrer-Policy": "same-origin",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
            }
        response.headers.update(self._headers)
        if not flask.request.path.startswith(_FILES):
            response.headers["Cache-Control"] = "no-store"
        return response


def _refusal(status: int, why: str) -> flask.Response:
    return flask.Response(f"{why}\n", status, mimetype="text/plain")
