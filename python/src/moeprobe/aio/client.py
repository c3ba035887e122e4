"""A client whose calls are awaited; see `moeprobe.client`."""

from __future__ import annotations

import types

from moeprobe import flows, methods
from moeprobe.aio.job import Job
from moeprobe.aio.transport import Transport
from moeprobe.catalog import (
    Caller,
    Dataset,
    Model,
    ServerInfo,
    caller_of,
    dataset_of,
    model_of,
    server_info_of,
)
from moeprobe.connection import Connection, connection_of
from moeprobe.estimate import Validation
from moeprobe.flows import RequestLike
from moeprobe.job_status import JobStatus, status_of
from moeprobe.settings import ConnectionFiles
from moeprobe.v1 import server_service_pb2, user_service_pb2


class Client:
    """A server's methods, awaited; an asynchronous context manager.

    Belongs to the event loop it is made in.
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | None = None,
        *,
        files: ConnectionFiles | None = None,
        connection: Connection | None = None,
    ) -> None:
        self._transport = Transport(connection or connection_of(address, token, files))

    @property
    def address(self) -> str:
        """Where the server is."""
        return self._transport.connection.address

    async def submit(
        self, request: RequestLike, *, request_id: str | None = None
    ) -> Job:
        """Create a job from a request; see `moeprobe.Client.submit`."""
        job = await self._transport.run(flows.submit(request, request_id))
        return Job(self._transport, job.name)

    async def validate(self, request: RequestLike) -> Validation:
        """Check a request as `submit` would, and say what it would take."""
        return await self._transport.run(flows.validate(request))

    def job(self, job: int | str) -> Job:
        """Return the job 17, "17" or "jobs/17"; nothing is asked yet."""
        return Job(self._transport, job)

    async def jobs(self, limit: int | None = None) -> list[JobStatus]:
        """List all jobs, or the `limit` newest of them, newest first."""
        listed = flows.list_all(methods.LIST_JOBS, lambda page: page.jobs, limit)
        return [status_of(job) for job in await self._transport.run(listed)]

    async def models(self) -> list[Model]:
        """List the models that requests can name."""
        listed = flows.list_all(methods.LIST_MODELS, lambda page: page.models)
        return [model_of(model) for model in await self._transport.run(listed)]

    async def load_model(self, name: str) -> Model:
        """Read a model into the server's memory; return while it reads."""
        request = server_service_pb2.LoadModelRequest(name=name)
        flow = flows.call(methods.LOAD_MODEL, request)
        return model_of(await self._transport.run(flow))

    async def unload_model(self, name: str) -> Model:
        """Let go of a model that no job uses and nobody pinned."""
        request = server_service_pb2.UnloadModelRequest(name=name)
        flow = flows.call(methods.UNLOAD_MODEL, request)
        return model_of(await self._transport.run(flow))

    async def pin_model(self, name: str) -> Model:
        """Keep a model in memory until it is unpinned; for admins."""
        request = server_service_pb2.PinModelRequest(name=name)
        flow = flows.call(methods.PIN_MODEL, request)
        return model_of(await self._transport.run(flow))

    async def unpin_model(self, name: str) -> Model:
        """End a pin; for admins."""
        request = server_service_pb2.UnpinModelRequest(name=name)
        flow = flows.call(methods.UNPIN_MODEL, request)
        return model_of(await self._transport.run(flow))

    async def datasets(self) -> list[Dataset]:
        """List the texts and token ids that the server has, newest first."""
        listed = flows.list_all(methods.LIST_DATASETS, lambda page: page.datasets)
        return [dataset_of(dataset) for dataset in await self._transport.run(listed)]

    async def whoami(self) -> Caller:
        """Say who this client is to the server."""
        request = user_service_pb2.GetCallerRequest()
        return caller_of(
            await self._transport.run(flows.call(methods.GET_CALLER, request))
        )

    async def server_info(self) -> ServerInfo:
        """Say what the server is."""
        request = server_service_pb2.GetServerInfoRequest()
        asked = flows.call(methods.GET_SERVER_INFO, request)
        return server_info_of(await self._transport.run(asked))

    async def close(self) -> None:
        """End all calls."""
        await self._transport.close()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        await self.close()
