"""What a dashboard is told when it starts."""

from __future__ import annotations

import dataclasses

from moeprobe.address import is_loopback
from moeprobe.connection import Connection, connection_of

LOOPBACK = "127.0.0.1"
# What a browser on this machine may call it.
_LOOPBACK_NAMES = ("localhost", LOOPBACK, "[::1]")


@dataclasses.dataclass(frozen=True)
class Settings:
    """Which server to show, to whom, and where to listen.

    The token of `connection` goes with every call, unless each user gives one:
    `require_token`, or a server that asks. `names` are the names and addresses that
    browsers may call the dashboard by, beside those of this machine itself.
    """

    connection: Connection = dataclasses.field(default_factory=connection_of)
    require_token: bool = False
    host: str = LOOPBACK
    port: int = 8050
    open_to_network: bool = False
    names: tuple[str, ...] = ()

    def check(self) -> None:
        """Raise ValueError where others could listen in and nobody said so."""
        if is_loopback(self.host) or self.open_to_network:
            return
        raise ValueError(
            f"{self.host} can be reached from other machines, and what is said there "
            "is not encrypted: say --open-to-network if that is meant"
        )

    @property
    def hosts(self) -> frozenset[str]:
        """Every name that a browser may call the dashboard by, in lower case."""
        own = f"[{self.host}]" if ":" in self.host else self.host
        return frozenset(n.lower() for n in (*_LOOPBACK_NAMES, own, *self.names))
