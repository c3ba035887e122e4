"""What an error says, and beside its words, as Google's own library reads it."""

import grpc
import pytest


def retry_seconds(error):
    """When to try again after a grpc.RpcError, or None where it does not say."""
    # An environment may be older than requirements-dev.txt.
    library = pytest.importorskip("grpc_status.rpc_status")
    details = pytest.importorskip("google.rpc.error_details_pb2")
    if (status := library.from_call(error)) is None:
        return None
    (detail,) = status.details
    info = details.RetryInfo()
    assert detail.Unpack(info)
    return info.retry_delay.ToTimedelta().total_seconds()


def refused_job(api, job, seeds=(1,)):
    """The error that the first creation of a job with another seed ends with."""
    for seed in seeds:
        job.analyze.seed = seed
        create = api.messages("job_service").CreateJobRequest(job=job)
        try:
            api.jobs.CreateJob(create, timeout=60)
        except grpc.RpcError as error:
            return error
    raise AssertionError("none was refused")


def tells_of_the_disk(said):
    reasons = ("disk", "room", "No space", "I/O", "Input/output error")
    return any(reason in said for reason in reasons)
