"""Calls over a channel, one after the other."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from moeprobe.connection import Connection
from moeprobe.errors import DeadlineError, MoeprobeError, UnavailableError
from moeprobe.flows import Call, Flow
from moeprobe.methods import Method, RequestT, ResponseT
from moeprobe.patience import Patience

T = TypeVar("T")
_RequestT_co = TypeVar("_RequestT_co", bound=Message, covariant=True)
_MessageT_contra = TypeVar("_MessageT_contra", bound=Message, contravariant=True)
_TakenT_co = TypeVar("_TakenT_co", covariant=True)


class Stream(Protocol[_RequestT_co, _MessageT_contra, _TakenT_co]):
    """Where a stream stands, and what its messages become."""

    @property
    def request(self) -> _RequestT_co:
        """What asks for the messages that are still to come."""

    @property
    def ended(self) -> bool:
        """Whether no more are to come."""

    def take(self, message: _MessageT_contra) -> _TakenT_co | None:
        """Take a message; None where it gives nothing."""


def ends_at(timeout: float | None) -> float | None:
    """Return the moment, on the monotonic clock, that is `timeout` seconds off."""
    return None if timeout is None else time.monotonic() + timeout


def seconds_until(end: float | None) -> float | None:
    """Return what is left. Raises DeadlineError if nothing is."""
    if end is None:
        return None
    if (left := end - time.monotonic()) <= 0:
        raise DeadlineError("the time given to wait is over")
    return left


class Transport:
    """A channel to a server. Thread-safe."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._channel = connection.channel()

    def close(self) -> None:
        """End all calls."""
        self._channel.close()

    def run(self, flow: Flow[T]) -> T:
        """Make the calls of a flow, and return what it returns."""
        try:
            step = next(flow)
            while True:
                try:
                    response = self._answer(step)
                except MoeprobeError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    def follow(
        self,
        method: Method[RequestT, ResponseT],
        stream: Stream[RequestT, ResponseT, T],
        timeout: float | None = None,
    ) -> Iterator[T]:
        """Yield what a stream gives; one that breaks is taken up again.

        Raises DeadlineError if it has not ended after `timeout` seconds.
        """
        patience = Patience(self.connection.stream_patience)
        end = ends_at(timeout)
        while not stream.ended:
            broken: MoeprobeError = UnavailableError("the stream ended early")
            try:
                for message in self._messages(method, stream.request, end):
                    patience.restart()
                    if (taken := stream.take(message)) is not None:
                        yield taken
            except grpc.RpcError as error:
                broken = self.connection.stream_error_of(error)
            if not stream.ended:
                self._pause(broken, patience)

    def _answer(self, step: Call) -> Any:
        if not isinstance(step.request, Message):
            return self._upload(step.method, step.request)
        send = self._channel.unary_unary(
            step.method.path,
            request_serializer=step.method.request.SerializeToString,
            response_deserializer=step.method.response.FromString,
        )
        patience = Patience(self.connection.patience)
        while True:
            try:
                return send(
                    step.request,
                    timeout=self.connection.deadline,
                    metadata=self.connection.metadata,
                )
            except grpc.RpcError as error:
                self._pause(self.connection.error_of(error), patience)

    def _upload(self, method: Method[Any, Any], messages: Iterator[Message]) -> Any:
        """Send once: what was read cannot be read again."""
        send = self._channel.stream_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            return send(messages, metadata=self.connection.metadata)
        except grpc.RpcError as error:
            raise self.connection.error_of(error) from None

    def _messages(
        self, method: Method[RequestT, ResponseT], request: RequestT, end: float | None
    ) -> Iterator[ResponseT]:
        open_stream = self._channel.unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        call = open_stream(
            request, timeout=seconds_until(end), metadata=self.connection.metadata
        )
        try:
            yield from call
        finally:
            call.cancel()

    def _pause(self, error: MoeprobeError, patience: Patience) -> None:
        """Wait before another try. Raises `error` if there should be none."""
        if not isinstance(error, UnavailableError):
            raise error from None
        pause = patience.next_pause()
        if pause is None:
            raise error from None
        time.sleep(pause)
        ready = grpc.channel_ready_future(self._channel)
        try:
            ready.result(timeout=pause)
        except grpc.FutureTimeoutError:
            ready.cancel()
