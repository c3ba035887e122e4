"""What users may bring: how many jobs may wait, and how large data sets may be."""

import json

import grpc
import pytest
from refusals import refused_job, retry_seconds


def test_a_full_queue_refuses_with_the_limit(start_server, make_client, short_request):
    server = start_server(workers=0, options=("--max-queued-per-user", "2"))
    client = make_client(server)
    for seed in range(2):
        client.submit(short_request | {"seed": seed})
    request = client.write_request(short_request | {"seed": 9})
    status, _, errors = client.run("submit", request)
    assert status == 1
    assert "2 queued jobs, of at most 2 of one user" in errors
    assert "--max-queued-per-user" in errors
    client.ok("cancel", "1")
    client.ok("submit", request)


@pytest.fixture
def idle_worker(tmp_path):
    """A program that is started as a worker and never asks for a job."""
    program = tmp_path / "idle-worker"
    program.write_text("#!/bin/sh\nexec sleep infinity\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("limit", ["--max-queued", "--max-queued-per-user"])
def test_a_full_queue_says_when_to_try_again(
    limit, idle_worker, start_server, make_client, api_stubs, short_request
):
    options = (limit, "1", "--worker-binary", idle_worker)
    server = start_server(options=options)
    client, api = make_client(server), api_stubs(server.address)
    refused = refused_job(api, api.job(client.submit(short_request)))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    request = client.write_request(short_request | {"seed": 2})
    status, _, errors = client.run("submit", request)
    assert status == 1
    assert f"({limit}); wait until a worker has taken one" in errors
    # The worker is free: the job that waits is due to start.
    assert errors.endswith("; try again in about 1 s\n")
    assert retry_seconds(refused) == 1


def test_a_full_queue_says_nothing_that_nobody_knows(
    start_server, make_client, api_stubs, short_request
):
    server = start_server(workers=0, options=("--max-queued", "1"))
    client, api = make_client(server), api_stubs(server.address)
    refused = refused_job(api, api.job(client.submit(short_request)))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry_seconds(refused) is None


def test_an_earlier_submission_is_answered_by_a_full_queue(
    start_server, api_stubs, make_client, short_request
):
    server = start_server(workers=0, options=("--max-queued", "1"))
    client, api = make_client(server), api_stubs(server.address)
    job = api.job(client.submit(short_request))
    client.ok("cancel", "1")
    create = api.messages("job_service").CreateJobRequest(
        job=job, request_id="123e4567-e89b-12d3-a456-426614174000"
    )
    first = api.jobs.CreateJob(create)
    assert client.run("submit", client.write_request(short_request))[0] == 1
    assert api.jobs.CreateJob(create).name == first.name


def test_data_sets_have_limits(start_server, make_client, short_request):
    server = start_server(workers=0, options=("--max-dataset-bytes-per-user", "100B"))
    client = make_client(server)
    status, _, errors = client.run("submit", client.write_request(short_request))
    assert status == 1
    assert "of at most 100 (--max-dataset-bytes-per-user)" in errors
    assert json.loads(client.ok("datasets", "--json")) == []


@pytest.mark.parametrize(
    "option",
    [
        "--max-queued",
        "--max-running-per-user",
        "--max-dataset-bytes",
        "--memory-budget",
    ],
)
@pytest.mark.parametrize("value", ["-1", "many", ""])
def test_limits_that_are_none_are_refused(server, option, value):
    refused = server.admin("--listen", "127.0.0.1:0", f"{option}={value}")
    assert refused.returncode != 0
    assert option in refused.stderr
