"""Calls over a channel that are awaited; see `moeprobe.transport`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any, TypeVar

import grpc
import grpc.aio
from google.protobuf.message import Message

from moeprobe.connection import Connection
from moeprobe.errors import MoeprobeError, UnavailableError
from moeprobe.flows import Call, Flow
from moeprobe.methods import Method, RequestT, ResponseT
from moeprobe.patience import Patience
from moeprobe.transport import Stream, ends_at, seconds_until

T = TypeVar("T")


class Transport:
    """A channel to a server, of the event loop it is first used in."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._channel = connection.aio_channel()

    async def close(self) -> None:
        """End all calls."""
        await self._channel.close()

    async def run(self, flow: Flow[T]) -> T:
        """Make the calls of a flow, and return what it returns."""
        try:
            step = next(flow)
            while True:
                try:
                    response = await self._answer(step)
                except MoeprobeError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(response)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]

    async def follow(
        self,
        method: Method[RequestT, ResponseT],
        stream: Stream[RequestT, ResponseT, T],
        timeout: float | None = None,
    ) -> AsyncIterator[T]:
        """Yield what a stream gives; one that breaks is taken up again.

        Raises DeadlineError if it has not ended after `timeout` seconds.
        """
        patience = Patience(self.connection.stream_patience)
        end = ends_at(timeout)
        while not stream.ended:
            broken: MoeprobeError = UnavailableError("the stream ended early")
            try:
                async for message in self._messages(method, stream.request, end):
                    patience.restart()
                    if (taken := stream.take(message)) is not None:
                        yield taken
            except grpc.RpcError as error:
                broken = self.connection.stream_error_of(error)
            if not stream.ended:
                await self._pause(broken, patience)

    async def _answer(self, step: Call) -> Any:
        if not isinstance(step.request, Message):
            return await self._upload(step.method, step.request)
        send = self._channel.unary_unary(
            step.method.path,
            request_serializer=step.method.request.SerializeToString,
            response_deserializer=step.method.response.FromString,
        )
        patience = Patience(self.connection.patience)
        while True:
            try:
                return await send(
                    step.request,
                    timeout=self.connection.deadline,
                    metadata=self.connection.metadata,
                )
            except grpc.RpcError as error:
                await self._pause(self.connection.error_of(error), patience)

    async def _upload(
        self, method: Method[Any, Any], messages: Iterator[Message]
    ) -> Any:
        """Send once: what was read cannot be read again."""
        send = self._channel.stream_unary(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        try:
            return await send(messages, metadata=self.connection.metadata)
        except grpc.RpcError as error:
            raise self.connection.error_of(error) from None

    async def _messages(
        self, method: Method[RequestT, ResponseT], request: RequestT, end: float | None
    ) -> AsyncIterator[ResponseT]:
        open_stream = self._channel.unary_stream(
            method.path,
            request_serializer=method.request.SerializeToString,
            response_deserializer=method.response.FromString,
        )
        call = open_stream(
            request, timeout=seconds_until(end), metadata=self.connection.metadata
        )
        try:
            async for message in call:
                yield message
        finally:
            call.cancel()

    async def _pause(self, error: MoeprobeError, patience: Patience) -> None:
        """Wait before another try. Raises `error` if there should be none."""
        if not isinstance(error, UnavailableError):
            raise error from None
        pause = patience.next_pause()
        if pause is None:
            raise error from None
        await asyncio.sleep(pause)
        try:
            await asyncio.wait_for(self._channel.channel_ready(), pause)
        except asyncio.TimeoutError:
            return
