"""A client of a moeprobe server."""

from __future__ import annotations

import types

from moeprobe import flows, methods
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
from moeprobe.job import Job
from moeprobe.job_status import JobStatus, status_of
from moeprobe.settings import ConnectionFiles
from moeprobe.transport import Transport
from moeprobe.v1 import server_service_pb2, user_service_pb2


class Client:
    """A server's methods. Connects on first use; thread-safe.

    `address` is "unix:PATH" or "HOST:PORT"; by default MOEPROBE_SERVER, else the
    server of the settings, else the socket that a server uses by default. `token`
    goes with every call; `files` are those of a token and of certificates, by
    default those that MOEPROBE_TOKEN_FILE, MOEPROBE_CA, MOEPROBE_CERT and
    MOEPROBE_KEY or the settings name. A call that finds no server is tried again
    for `connection.patience` seconds, and raises an error of `moeprobe.errors`
    where it fails.

    A context manager: leaving it ends all calls.
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

    def submit(self, request: RequestLike, *, request_id: str | None = None) -> Job:
        """Create a job from a request and return it at once.

        `request` is a dictionary, the path of a YAML file or `moeprobe.YamlText`,
        with the keys of docs/request.md. Texts and ids that are files here are
        uploaded, once; a dictionary may have `moeprobe.Text` and numpy arrays in
        their place. The same `request_id`, a UUID, creates one job only.

        Raises RequestError naming every place that is wrong, NotFoundError for
        a model or data set that the server lacks.
        """
        job = self._transport.run(flows.submit(request, request_id))
        return Job(self._transport, job.name)

    def validate(self, request: RequestLike) -> Validation:
        """Check a request as `submit` would, and say what it would take."""
        return self._transport.run(flows.validate(request))

    def job(self, job: int | str) -> Job:
        """Return the job 17, "17" or "jobs/17"; nothing is asked yet."""
        return Job(self._transport, job)

    def jobs(self, limit: int | None = None) -> list[JobStatus]:
        """List all jobs, or the `limit` newest of them, newest first."""
        listed = flows.list_all(methods.LIST_JOBS, lambda page: page.jobs, limit)
        return [status_of(job) for job in self._transport.run(listed)]

    def models(self) -> list[Model]:
        """List the models that requests can name."""
        listed = flows.list_all(methods.LIST_MODELS, lambda page: page.models)
        return [model_of(model) for model in self._transport.run(listed)]

    def load_model(self, name: str) -> Model:
        """Read a model into the server's memory; return while it reads."""
        request = server_service_pb2.LoadModelRequest(name=name)
        flow = flows.call(methods.LOAD_MODEL, request)
        return model_of(self._transport.run(flow))

    def unload_model(self, name: str) -> Model:
        """Let go of a model that no job uses and nobody pinned."""
        request = server_service_pb2.UnloadModelRequest(name=name)
        flow = flows.call(methods.UNLOAD_MODEL, request)
        return model_of(self._transport.run(flow))

    def pin_model(self, name: str) -> Model:
        """Keep a model in memory until it is unpinned; for admins."""
        request = server_service_pb2.PinModelRequest(name=name)
        flow = flows.call(methods.PIN_MODEL, request)
        return model_of(self._transport.run(flow))

    def unpin_model(self, name: str) -> Model:
        """End a pin; for admins."""
        request = server_service_pb2.UnpinModelRequest(name=name)
        flow = flows.call(methods.UNPIN_MODEL, request)
        return model_of(self._transport.run(flow))

    def datasets(self) -> list[Dataset]:
        """List the texts and token ids that the server has, newest first."""
        listed = flows.list_all(methods.LIST_DATASETS, lambda page: page.datasets)
        return [dataset_of(dataset) for dataset in self._transport.run(listed)]

    def whoami(self) -> Caller:
        """Say who this client is to the server."""
        request = user_service_pb2.GetCallerRequest()
        return caller_of(self._transport.run(flows.call(methods.GET_CALLER, request)))

    def server_info(self) -> ServerInfo:
        """Say what the server is."""
        request = server_service_pb2.GetServerInfoRequest()
        asked = flows.call(methods.GET_SERVER_INFO, request)
        return server_info_of(self._transport.run(asked))

    def close(self) -> None:
        """End all calls."""
        self._transport.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: types.TracebackType | None,
    ) -> None:
        self.close()
