"""What can be taken away from a job: its report."""

from __future__ import annotations

import flask

from moeprobe.dashboard.context import Context
from moeprobe.errors import MoeprobeError, NotFoundError, UnauthenticatedError
from moeprobe.report.page import make_page


def add_downloads(server: flask.Flask, context: Context) -> None:
    """Serve the report of a job as a file, which a browser opens offline."""

    @server.get("/jobs/<int:number>/report.html")
    def report(number: int) -> flask.Response:
        try:
            result = context.client.job(number).result(wait=False)
        except MoeprobeError as error:
            return flask.Response(f"{error}\n", _status(error), mimetype="text/plain")
        name = f"moeprobe-job-{number}.html"
        return flask.Response(
            make_page([result]),
            mimetype="text/html",
            headers={"Content-Disposition": f"attachment; filename={name}"},
        )


def _status(error: MoeprobeError) -> int:
    if isinstance(error, UnauthenticatedError):
        return 401
    return 404 if isinstance(error, NotFoundError) else 503
