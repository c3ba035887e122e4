"""A job whose end is awaited; see `moeprobe.job`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from moeprobe import methods
from moeprobe.aio.transport import Transport
from moeprobe.events import Event, JobState, StateEvent
from moeprobe.flows import call
from moeprobe.job_status import JobStatus, job_name, raise_unless_succeeded, status_of
from moeprobe.progress import ProgressBar
from moeprobe.result.document import result_document
from moeprobe.result.result import Result
from moeprobe.streams import Arrays, Watch
from moeprobe.v1 import job_service_pb2, result_service_pb2


class Job:
    """A job that a server has, be it queued, running or done."""

    def __init__(self, transport: Transport, name: int | str) -> None:
        self._transport = transport
        self.name = job_name(name)

    def __repr__(self) -> str:
        return f"moeprobe.aio.Job({self.name!r})"

    @property
    def id(self) -> int:
        """The number of the job."""
        return int(self.name.removeprefix("jobs/"))

    async def status(self) -> JobStatus:
        """Ask the server how the job is doing."""
        request = job_service_pb2.GetJobRequest(name=self.name)
        return status_of(await self._transport.run(call(methods.GET_JOB, request)))

    def events(
        self,
        after_sequence: int = 0,
        timeout: float | None = None,
        *,
        passing: bool = False,
    ) -> AsyncIterator[Event]:
        """Yield what happened to the job, and happens; see `moeprobe.Job.events`."""
        watch = Watch(self.name, after_sequence, passing=passing)
        return self._transport.follow(methods.WATCH_JOB, watch, timeout)

    async def wait(
        self,
        timeout: float | None = None,
        *,
        progress: bool = False,
    ) -> Job:
        """Wait for the end of the job and return it; see `moeprobe.Job.wait`."""
        state, error = JobState.UNKNOWN, ""
        watch = Watch(self.name, passing=True)
        following = self._transport.follow(methods.WATCH_JOB, watch, timeout)
        with ProgressBar(self.name, shown=progress) as bar:
            async for event in following:
                bar.observe(event)
                if isinstance(event, StateEvent):
                    state, error = event.state, event.error
        raise_unless_succeeded(self.name, state, error)
        return self

    async def cancel(self) -> JobStatus:
        """Ask the job to stop; one that has ended stays as it is."""
        request = job_service_pb2.CancelJobRequest(name=self.name)
        return status_of(await self._transport.run(call(methods.CANCEL_JOB, request)))

    async def keep(self) -> JobStatus:
        """Keep the results where the server drops old ones."""
        request = job_service_pb2.KeepJobRequest(name=self.name)
        return status_of(await self._transport.run(call(methods.KEEP_JOB, request)))

    async def unkeep(self) -> JobStatus:
        """Let the server drop the results once they are old."""
        request = job_service_pb2.UnkeepJobRequest(name=self.name)
        return status_of(await self._transport.run(call(methods.UNKEEP_JOB, request)))

    async def delete(self) -> None:
        """Delete a job that has ended, with its events."""
        request = job_service_pb2.DeleteJobRequest(name=self.name)
        await self._transport.run(call(methods.DELETE_JOB, request))

    async def result(
        self,
        timeout: float | None = None,
        *,
        wait: bool = True,
        choose: Callable[[str], bool] | None = None,
    ) -> Result:
        """Fetch the result; see `moeprobe.Job.result`."""
        if wait and (await self.status()).state is not JobState.SUCCEEDED:
            await self.wait(timeout)
        request = result_service_pb2.GetResultRequest(name=self.name)
        message = await self._transport.run(call(methods.GET_RESULT, request))
        arrays = Arrays(self.name, message.arrays, choose)
        async for _ in self._transport.follow(methods.READ_ARRAYS, arrays):
            pass
        return Result(result_document(message), arrays.found)
