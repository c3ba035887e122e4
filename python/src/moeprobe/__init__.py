"""moeprobe: the geometry of Mixture-of-Experts models, from Python.

    import moeprobe

    client = moeprobe.Client()
    job = client.submit("analyze.yaml")
    result = job.result()
    result.table()
    result["jacobian_cosine/routed"].value.sel(layer=3)

`moeprobe.aio` is the same for asyncio, `moeprobe.figures` draws,
`moeprobe.tracking` logs to MLflow and TensorBoard.
"""

from moeprobe.client import Client
from moeprobe.connection import Connection, Tls
from moeprobe.errors import (
    AccessError,
    AlreadyExistsError,
    DataLossError,
    DeadlineError,
    InterruptedCallError,
    JobCancelledError,
    JobFailedError,
    MoeprobeError,
    NotFoundError,
    PreconditionError,
    RequestError,
    ResourceError,
    ServerError,
    UnauthenticatedError,
    UnavailableError,
)
from moeprobe.events import (
    Event,
    JobState,
    LayerEvent,
    PlaceEvent,
    ProgressEvent,
    StateEvent,
    WarningEvent,
)
from moeprobe.job import Job
from moeprobe.job_status import JobStatus
from moeprobe.local_data import Text
from moeprobe.request.request import YamlText
from moeprobe.result.result import Result, load
from moeprobe.settings import ConnectionFiles

__all__ = [
    "AccessError",
    "AlreadyExistsError",
    "Client",
    "Connection",
    "ConnectionFiles",
    "DataLossError",
    "DeadlineError",
    "Event",
    "InterruptedCallError",
    "Job",
    "JobCancelledError",
    "JobFailedError",
    "JobState",
    "JobStatus",
    "LayerEvent",
    "MoeprobeError",
    "NotFoundError",
    "PlaceEvent",
    "PreconditionError",
    "ProgressEvent",
    "RequestError",
    "ResourceError",
    "Result",
    "ServerError",
    "StateEvent",
    "Text",
    "Tls",
    "UnauthenticatedError",
    "UnavailableError",
    "WarningEvent",
    "YamlText",
    "load",
]
