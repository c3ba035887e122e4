"""Whether the server answers, and what it is."""

from __future__ import annotations

import dataclasses

from moeprobe.catalog import ServerInfo


@dataclasses.dataclass(frozen=True)
class ServerState:
    """What stands above every page: a line, and trouble if there is any."""

    line: str
    trouble: str = ""


def server_state(info: ServerInfo | None, address: str) -> ServerState:
    """Return what to say of a server; `info` is None where it does not answer."""
    if info is None:
        return ServerState(
            "no answer",
            f"No moeprobe-server answers at {address}. This page goes on by itself "
            "once one does.",
        )
    workers = "worker" if info.worker_count == 1 else "workers"
    return ServerState(
        f"server {info.version}, {info.worker_count} {workers}, "
        f"{info.idle_worker_count} idle"
    )
