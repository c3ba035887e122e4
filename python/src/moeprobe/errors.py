"""What can go wrong, by who can mend it. A server's refusals are in its words."""

import dataclasses
import datetime
from collections.abc import Sequence

import grpc


class MoeprobeError(Exception):
    """Any failure of this package or of the server it talks to.

    `retry_after` is how long to wait before the same may work, where the server
    knows it, as with a full queue; else None.
    """

    retry_after: datetime.timedelta | None = None


@dataclasses.dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a request; places are of its text, from 1."""

    what: str
    line: int | None = None
    column: int | None = None


class RequestError(MoeprobeError, ValueError):
    """A request is wrong: every line names a place and what was expected.

    `problems` has the lines apart, where a request was read here.
    """

    def __init__(self, text: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(text)
        self.problems = tuple(problems)


class NotFoundError(MoeprobeError, LookupError):
    """There is no such job, model, data set or array."""


class AlreadyExistsError(MoeprobeError):
    """The request id was used for another request."""


class PreconditionError(MoeprobeError):
    """The job, model or server is not in a state to do this."""


class AccessError(MoeprobeError, PermissionError):
    """The token is missing, wrong, or does not allow this."""


class UnauthenticatedError(AccessError):
    """The server asks for a token, or for another one."""


class ResourceError(MoeprobeError):
    """The server has no room for it."""


class DataLossError(MoeprobeError):
    """Bytes arrived damaged."""


class UnavailableError(MoeprobeError, ConnectionError):
    """No server answers, or it cannot now: it stops, or its disk fails."""


class DeadlineError(MoeprobeError, TimeoutError):
    """No answer came in time."""


class InterruptedCallError(MoeprobeError):
    """The call was cancelled."""


class ServerError(MoeprobeError):
    """The server failed: most likely a bug in it."""


class JobFailedError(MoeprobeError):
    """A job ended with an error."""


class JobCancelledError(MoeprobeError):
    """A job was cancelled before it was done."""


_BY_CODE: dict[grpc.StatusCode, type[MoeprobeError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: RequestError,
    grpc.StatusCode.OUT_OF_RANGE: RequestError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: PreconditionError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: AccessError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceError,
    grpc.StatusCode.DATA_LOSS: DataLossError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.CANCELLED: InterruptedCallError,
}


def error_of(
    code: grpc.StatusCode,
    details: str,
    address: str,
    retry_after: datetime.timedelta | None = None,
) -> MoeprobeError:
    """Return the error that a call to `address` ended with."""
    kind = _BY_CODE.get(code, ServerError)
    text = details or code.name
    # A server that says when to try again has answered.
    if kind is UnavailableError and retry_after is None:
        text = (
            f"no moeprobe-server answers at {address} ({details}); start one, or "
            "name another as the address or in MOEPROBE_SERVER"
        )
    error = kind(text)
    error.retry_after = retry_after
    return error
