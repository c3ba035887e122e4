"""The methods of the API that a client calls, with the types they carry."""

from __future__ import annotations

import dataclasses
from typing import Generic, TypeVar

from google.protobuf import empty_pb2
from google.protobuf.message import Message

from moeprobe.v1 import (
    dataset_service_pb2,
    job_pb2,
    job_service_pb2,
    result_pb2,
    result_service_pb2,
    server_service_pb2,
    user_service_pb2,
)

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)


@dataclasses.dataclass(frozen=True)
class Method(Generic[RequestT, ResponseT]):
    """A method of a service: "/moeprobe.v1.JobService/GetJob" and its messages."""

    path: str
    request: type[RequestT]
    response: type[ResponseT]


def _method(
    name: str, request: type[RequestT], response: type[ResponseT]
) -> Method[RequestT, ResponseT]:
    return Method(f"/moeprobe.v1.{name}", request, response)


GET_SERVER_INFO = _method(
    "ServerService/GetServerInfo",
    server_service_pb2.GetServerInfoRequest,
    server_service_pb2.ServerInfo,
)
LIST_MODELS = _method(
    "ServerService/ListModels",
    server_service_pb2.ListModelsRequest,
    server_service_pb2.ListModelsResponse,
)
LOAD_MODEL = _method(
    "ServerService/LoadModel",
    server_service_pb2.LoadModelRequest,
    server_service_pb2.Model,
)
UNLOAD_MODEL = _method(
    "ServerService/UnloadModel",
    server_service_pb2.UnloadModelRequest,
    server_service_pb2.Model,
)
PIN_MODEL = _method(
    "ServerService/PinModel",
    server_service_pb2.PinModelRequest,
    server_service_pb2.Model,
)
UNPIN_MODEL = _method(
    "ServerService/UnpinModel",
    server_service_pb2.UnpinModelRequest,
    server_service_pb2.Model,
)
UPLOAD_DATASET = _method(
    "DatasetService/UploadDataset",
    dataset_service_pb2.UploadDatasetRequest,
    dataset_service_pb2.Dataset,
)
GET_DATASET = _method(
    "DatasetService/GetDataset",
    dataset_service_pb2.GetDatasetRequest,
    dataset_service_pb2.Dataset,
)
LIST_DATASETS = _method(
    "DatasetService/ListDatasets",
    dataset_service_pb2.ListDatasetsRequest,
    dataset_service_pb2.ListDatasetsResponse,
)
CREATE_JOB = _method(
    "JobService/CreateJob", job_service_pb2.CreateJobRequest, job_pb2.Job
)
VALIDATE_JOB = _method(
    "JobService/ValidateJob",
    job_service_pb2.ValidateJobRequest,
    job_service_pb2.ValidateJobResponse,
)
GET_JOB = _method("JobService/GetJob", job_service_pb2.GetJobRequest, job_pb2.Job)
LIST_JOBS = _method(
    "JobService/ListJobs",
    job_service_pb2.ListJobsRequest,
    job_service_pb2.ListJobsResponse,
)
CANCEL_JOB = _method(
    "JobService/CancelJob", job_service_pb2.CancelJobRequest, job_pb2.Job
)
KEEP_JOB = _method("JobService/KeepJob", job_service_pb2.KeepJobRequest, job_pb2.Job)
UNKEEP_JOB = _method(
    "JobService/UnkeepJob", job_service_pb2.UnkeepJobRequest, job_pb2.Job
)
DELETE_JOB = _method(
    "JobService/DeleteJob", job_service_pb2.DeleteJobRequest, empty_pb2.Empty
)
WATCH_JOB = _method(
    "JobService/WatchJob", job_service_pb2.WatchJobRequest, job_pb2.JobEvent
)
GET_RESULT = _method(
    "ResultService/GetResult", result_service_pb2.GetResultRequest,
    result_service_pb2.Result,
)  # fmt: skip
READ_ARRAYS = _method(
    "ResultService/ReadArrays",
    result_service_pb2.ReadArraysRequest,
    result_pb2.ArrayChunk,
)
GET_CALLER = _method(
    "UserService/GetCaller",
    user_service_pb2.GetCallerRequest,
    user_service_pb2.Caller,
)
