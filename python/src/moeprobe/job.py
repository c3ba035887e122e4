"""A job on the server: a future of its result."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from moeprobe import methods
from moeprobe.events import Event, JobState, StateEvent
from moeprobe.flows import call
from moeprobe.job_status import JobStatus, job_name, raise_unless_succeeded, status_of
from moeprobe.progress import ProgressBar
from moeprobe.result.document import result_document
from moeprobe.result.result import Result
from moeprobe.streams import Arrays, Watch
from moeprobe.transport import Transport
from moeprobe.v1 import job_service_pb2, result_service_pb2


class Job:
    """A job that a server has, be it queued, running or done. Thread-safe."""

    def __init__(self, transport: Transport, name: int | str) -> None:
        self._transport = transport
        self.name = job_name(name)

    def __repr__(self) -> str:
        return f"moeprobe.Job({self.name!r})"

    @property
    def id(self) -> int:
        """The number of the job."""
        return int(self.name.removeprefix("jobs/"))

    def status(self) -> JobStatus:
        """Ask the server how the job is doing."""
        request = job_service_pb2.GetJobRequest(name=self.name)
        return status_of(self._transport.run(call(methods.GET_JOB, request)))

    def events(
        self,
        after_sequence: int = 0,
        timeout: float | None = None,
        *,
        passing: bool = False,
    ) -> Iterator[Event]:
        """Yield what happened to the job and what happens, until it ends.

        Each event comes once and in order, also where the server restarts. With
        `passing`, there are others between them, of sequence 0: progress that is
        not kept, and places in the queue. Raises DeadlineError after `timeout`
        seconds.
        """
        watch = Watch(self.name, after_sequence, passing=passing)
        return self._transport.follow(methods.WATCH_JOB, watch, timeout)

    def wait(self, timeout: float | None = None, *, progress: bool = True) -> Job:
        """Wait for the end of the job, showing how far it is, and return it.

        Raises JobFailedError or JobCancelledError with the reason; DeadlineError
        after `timeout` seconds, which leaves the job as it is.
        """
        state, error = JobState.UNKNOWN, ""
        watch = Watch(self.name, passing=True)
        with ProgressBar(self.name, shown=progress) as bar:
            for event in self._transport.follow(methods.WATCH_JOB, watch, timeout):
                bar.observe(event)
                if isinstance(event, StateEvent):
                    state, error = event.state, event.error
        raise_unless_succeeded(self.name, state, error)
        return self

    def cancel(self) -> JobStatus:
        """Ask the job to stop; one that has ended stays as it is."""
        request = job_service_pb2.CancelJobRequest(name=self.name)
        return status_of(self._transport.run(call(methods.CANCEL_JOB, request)))

    def keep(self) -> JobStatus:
        """Keep the results where the server drops old ones."""
        request = job_service_pb2.KeepJobRequest(name=self.name)
        return status_of(self._transport.run(call(methods.KEEP_JOB, request)))

    def unkeep(self) -> JobStatus:
        """Let the server drop the results once they are old."""
        request = job_service_pb2.UnkeepJobRequest(name=self.name)
        return status_of(self._transport.run(call(methods.UNKEEP_JOB, request)))

    def delete(self) -> None:
        """Delete a job that has ended, with its events."""
        request = job_service_pb2.DeleteJobRequest(name=self.name)
        self._transport.run(call(methods.DELETE_JOB, request))

    def result(
        self,
        timeout: float | None = None,
        *,
        wait: bool = True,
        choose: Callable[[str], bool] | None = None,
    ) -> Result:
        """Fetch the result; with `wait`, first wait for the end of the job.

        Without it, the layers that are done come from a job that still runs.
        `choose` tells by their names which arrays to fetch; means come anyway.
        Every array is verified. Raises what `wait` does, and DataLossError.
        """
        if wait and self.status().state is not JobState.SUCCEEDED:
            self.wait(timeout)
        request = result_service_pb2.GetResultRequest(name=self.name)
        message = self._transport.run(call(methods.GET_RESULT, request))
        arrays = Arrays(self.name, message.arrays, choose)
        for _ in self._transport.follow(methods.READ_ARRAYS, arrays):
            pass
        return Result(result_document(message), arrays.found)
