"""When to try again, where a server knows it: google.rpc.RetryInfo."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from google.protobuf.message import DecodeError

from moeprobe.v1 import error_details_pb2

_DETAILS = "grpc-status-details-bin"
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def _retry_after(details: bytes) -> datetime.timedelta | None:
    for detail in error_details_pb2.ErrorStatus.FromString(details).details:
        if detail.type_url == _RETRY_INFO:
            delay = error_details_pb2.RetryDelay.FromString(detail.value)
            return delay.retry_delay.ToTimedelta()
    return None


def retry_after_of(
    metadata: Iterable[tuple[str, str | bytes]] | None,
) -> datetime.timedelta | None:
    """Return what the metadata behind an error says, or None if it says nothing."""
    for key, value in metadata or ():
        if key == _DETAILS and isinstance(value, bytes):
            try:
                return _retry_after(value)
            except DecodeError:
                return None
    return None
