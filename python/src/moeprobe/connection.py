"""How a client reaches a server, whether it waits or awaits."""

from __future__ import annotations

import dataclasses
import os

import grpc
import grpc.aio

from moeprobe.address import default_address, is_loopback
from moeprobe.errors import (
    AccessError,
    InterruptedCallError,
    MoeprobeError,
    UnavailableError,
)
from moeprobe.errors import error_of as _error_of
from moeprobe.retry_info import retry_after_of
from moeprobe.settings import (
    ConnectionFiles,
    Settings,
    files_of_environment,
    read_private,
    read_settings,
    read_token,
    settings_file,
)

# A result lists its arrays, some 200 bytes each, in one message.
_LARGEST_MESSAGE = 64 << 20
# How long a connection may take, which gRPC calls the least backoff: there may be TLS
# far away, and a server that looks up who connects.
_CONNECTING_MS = 5000


@dataclasses.dataclass(frozen=True)
class Tls:
    """What encrypts, PEM: the CA of the server, and the caller's certificate."""

    ca: bytes
    cert: bytes | None = None
    key: bytes | None = dataclasses.field(default=None, repr=False)


@dataclasses.dataclass(frozen=True)
class Connection:
    """Where the server is, who asks, and how long to wait. Seconds throughout."""

    address: str = dataclasses.field(default_factory=default_address)
    token: str | None = dataclasses.field(default=None, repr=False)
    # None: nothing is encrypted.
    tls: Tls | None = dataclasses.field(default=None, kw_only=True)
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
            ("grpc.max_reconnect_backoff_ms", 1000),
            ("grpc.min_reconnect_backoff_ms", _CONNECTING_MS),
            # An http_proxy of the environment is not meant for a server at hand.
            ("grpc.enable_http_proxy", 0),
        ]

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """What encrypts a channel; None where nothing does."""
        tls = self.tls
        return grpc.ssl_channel_credentials(tls.ca, tls.key, tls.cert) if tls else None

    def channel(self) -> grpc.Channel:
        """Return a new channel."""
        if credentials := self.credentials:
            return grpc.secure_channel(self.address, credentials, self.options)
        return grpc.insecure_channel(self.address, self.options)

    def aio_channel(self) -> grpc.aio.Channel:
        """Return a new channel whose calls are awaited."""
        if credentials := self.credentials:
            return grpc.aio.secure_channel(self.address, credentials, self.options)
        return grpc.aio.insecure_channel(self.address, self.options)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What every call carries."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    def error_of(self, error: grpc.RpcError) -> MoeprobeError:
        """Return what a call ended with, in terms of this package."""
        if not isinstance(error, (grpc.Call, grpc.aio.AioRpcError)):
            return MoeprobeError(str(error))
        retry_after = retry_after_of(error.trailing_metadata())
        return _error_of(error.code(), error.details() or "", self.address, retry_after)

    def stream_error_of(self, error: grpc.RpcError) -> MoeprobeError:
        """Return the same of a stream that nobody here has cancelled."""
        found = self.error_of(error)
        if isinstance(found, InterruptedCallError):
            # A server that stops cancels the calls it has no time for.
            return UnavailableError(f"{self.address}: the server ended the call")
        return found


def stays_here(address: str) -> bool:
    """Tell whether nobody but this machine can read what is sent."""
    host = address.rpartition(":")[0].removeprefix("[").removesuffix("]")
    return address.startswith("unix:") or is_loopback(host)


def _tls_of(files: ConnectionFiles) -> Tls | None:
    if bool(files.cert) != bool(files.key) or (files.key and not files.ca):
        raise AccessError(
            "a certificate, its key and the server's CA go together: ca, cert and key"
        )
    if not files.ca:
        return None
    if not files.cert or not files.key:
        return Tls(files.ca.read_bytes())
    return Tls(files.ca.read_bytes(), files.cert.read_bytes(), read_private(files.key))


def _address_and_files(
    address: str | None, files: ConnectionFiles, settings: Settings
) -> tuple[str, ConnectionFiles]:
    """Return what is meant: settings are for their own server alone."""
    named = address or os.environ.get("MOEPROBE_SERVER")
    found = named or settings.server or default_address()
    files = files.or_else(files_of_environment())
    if not named or named == settings.server:
        files = files.or_else(settings.files)
    return found, files


def connection_of(
    address: str | None = None,
    token: str | None = None,
    files: ConnectionFiles | None = None,
) -> Connection:
    """Return a connection to `address`, or to the default server.

    What is not said is taken from the environment, then from the settings of the
    server. Raises AccessError for a token that others on the network could read,
    and for a token or key in a file that others can read.
    """
    settings = read_settings(settings_file())
    found, files = _address_and_files(address, files or ConnectionFiles(), settings)
    has_token = bool(token or files.token)
    in_the_clear = not files.ca and not stays_here(found)
    if has_token and in_the_clear and not files.allow_unencrypted_network:
        raise AccessError(
            f"{found} is on the network, and nothing is encrypted: give the server's "
            "CA, or allow_unencrypted_network if everybody there may read your token"
        )
    if not token and files.token:
        token = read_token(files.token)
    return Connection(found, token, tls=_tls_of(files))
