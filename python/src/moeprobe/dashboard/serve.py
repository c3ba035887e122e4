"""Runs a dashboard until it is interrupted."""

from __future__ import annotations

import logging

import waitress.server

from moeprobe.dashboard.app import make_app
from moeprobe.dashboard.settings import Settings

_THREADS = 8


def serve(settings: Settings) -> None:
    """Listen until interrupted; port 0 takes any that is free.

    Says where on stdout once it listens. Raises ValueError where the settings
    let others listen in, OSError where the port is taken.
    """
    settings.check()
    app = make_app(settings)
    # It says how many requests wait for a thread, which is no news to anybody.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    server = waitress.server.create_server(
        app.server,
        host=settings.host,
        port=settings.port,
        threads=_THREADS,
        ident="moeprobe",
    )
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    print(f"dashboard at http://{host}:{server.effective_port}/", flush=True)  # noqa: T201
    try:
        server.run()
    finally:
        server.close()
