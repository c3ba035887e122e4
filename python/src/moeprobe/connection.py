"""How a client reaches a server, whether it waits or awaits."""

from __future__ import annotations

import dataclasses

import grpc
import grpc.aio

from moeprobe.address import default_address
from moeprobe.errors import InterruptedCallError, MoeprobeError, UnavailableError
from moeprobe.errors import error_of as _error_of

# A result lists its arrays, some 200 bytes each, in one message.
_LARGEST_MESSAGE = 64 << 20


@dataclasses.dataclass(frozen=True)
class Connection:
    """Where the server is, who asks, and how long to wait. Seconds throughout."""

    address: str = dataclasses.field(default_factory=default_address)
    token: str | None = None
    # A call that answers once.
    deadline: float = 30.0
    # How long a server that is not there is tried again, in all...
    patience: float = 3.0
    # ...and while a job is watched or arrays are read, each time anew: long
    # enough for a server to restart.
    stream_patience: float = 60.0

    @property
    def options(self) -> list[tuple[str, int]]:
        """What gRPC is told about the channel."""
        return [
            ("grpc.max_receive_message_length", _LARGEST_MESSAGE),
            # A server that restarts is back in a moment.
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 1000),
            # An http_proxy of the environment is not meant for a server at hand.
            ("grpc.enable_http_proxy", 0),
        ]

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def error_of(self, error: grpc.RpcError) -> MoeprobeError:
        """Return what a call ended with, in terms of this package."""
        if not isinstance(error, (grpc.Call, grpc.aio.AioRpcError)):
            return MoeprobeError(str(error))
        return _error_of(error.code(), error.details() or "", self.address)

    def stream_error_of(self, error: grpc.RpcError) -> MoeprobeError:
        """Return the same of a stream that nobody here has cancelled."""
        found = self.error_of(error)
        if isinstance(found, InterruptedCallError):
            # A server that stops cancels the calls it has no time for.
            return UnavailableError(f"{self.address}: the server ended the call")
        return found


def connection_of(address: str | None, token: str | None) -> Connection:
    """Return a connection to `address`, or to the default one."""
    return Connection(address or default_address(), token)
