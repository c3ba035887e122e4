"""A dashboard: jobs as they run, and what they found, in a browser.

    moeprobe dashboard --server unix:/run/moeprobe.sock --port 8050

Talks to the server over gRPC as any client does, and keeps nothing of its own.
Needs the extra `dashboard`: pip install './python[dashboard]'.
"""

from moeprobe.dashboard.app import make_app
from moeprobe.dashboard.serve import serve
from moeprobe.dashboard.settings import Settings

__all__ = ["Settings", "make_app", "serve"]
