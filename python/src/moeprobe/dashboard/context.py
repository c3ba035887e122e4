"""What pages work with."""

from __future__ import annotations

import dataclasses

from moeprobe.client import Client
from moeprobe.dashboard.access import Access
from moeprobe.dashboard.clients import Clients
from moeprobe.dashboard.results import Results


@dataclasses.dataclass(frozen=True)
class Context:
    """The server as whoever asks sees it, and what was fetched from it."""

    access: Access
    clients: Clients
    results: Results

    @property
    def client(self) -> Client:
        """A client with the token of whoever asks; only while a request is served."""
        return self.clients.of(self.access.token)
