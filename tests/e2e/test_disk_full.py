"""A data directory on a disk that fills up, and has room again."""

import time

import grpc
import pytest
import small_disk
from refusals import refused_job, retry_seconds
from service import wait_until
from small_disk import fill

DISK_BYTES = 24 << 20


@pytest.fixture
def disk(tmp_path):
    with small_disk.mounted(tmp_path / "disk", DISK_BYTES) as folder:
        yield folder


def test_submissions_are_refused_and_taken_again_once_there_is_room(
    disk, start_server, make_client, api_stubs, short_request
):
    server = start_server(name=disk / "data", workers=0)
    client, api = make_client(server), api_stubs(server.address)
    acknowledged = [client.submit(short_request)]
    filling = fill(disk)
    for seed in range(1, 50):
        request = short_request | {"seed": seed}
        status, out, errors = client.run("submit", client.write_request(request))
        if status != 0:
            break
        acknowledged.append(out.splitlines()[0])
    assert status != 0
    assert "make room where the data directory is" in errors, errors
    assert errors.endswith("; try again in about 30 s\n")
    refused = refused_job(api, api.job(acknowledged[0]), seeds=range(50, 100))
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    # What is there can be looked at meanwhile.
    assert all(api.state(job) == "QUEUED" for job in acknowledged)
    filling.unlink()
    acknowledged.append(client.submit(short_request))
    server.kill()
    server.start()
    assert all(api.state(job) == "QUEUED" for job in acknowledged)
    assert retry_seconds(refused) == 30


def test_a_job_goes_on_by_itself_once_there_is_room(
    disk, start_server, make_client, api_stubs, long_request
):
    server = start_server(name=disk / "data")
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(long_request)
    wait_until(lambda: api.state(job) == "RUNNING", "a running job")
    filling = fill(disk)
    # Long enough for a layer to find no room.
    time.sleep(5)
    assert api.state(job) in ("RUNNING", "QUEUED"), api.job(job).error
    filling.unlink()
    wait_until(lambda: api.state(job) == "SUCCEEDED", "success")
    assert (client.fetch(job) / "arrays.npz").exists()
