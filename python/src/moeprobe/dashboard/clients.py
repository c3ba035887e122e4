"""Clients of the one server, by token."""

from __future__ import annotations

import dataclasses
import functools

from moeprobe.client import Client
from moeprobe.connection import Connection

# A page asks again by itself: better to say soon that nobody answers.
_PATIENCE = 0.2
_DEADLINE = 20.0
_STREAM_PATIENCE = 2.0
_MOST = 64


class Clients:
    """Clients of a server, one for each token. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._of = functools.lru_cache(_MOST)(self._make)

    def of(self, token: str | None) -> Client:
        """Return the client that calls with `token`."""
        return self._of(token)

    def _make(self, token: str | None) -> Client:
        return Client(
            connection=dataclasses.replace(
                self._connection,
                token=token,
                deadline=_DEADLINE,
                patience=_PATIENCE,
                stream_patience=_STREAM_PATIENCE,
            )
        )
