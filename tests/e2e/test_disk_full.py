"""A data directory on a disk that fills up, and has room again."""

import contextlib
import subprocess
import time

import grpc
import pytest
from refusals import refused_job, retry_seconds
from service import wait_until

DISK_BYTES = 24 << 20


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, in memory; needs the right to mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = f"size={DISK_BYTES},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """Takes all the room there is, and returns the file that has it."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return path


def test_submissions_are_refused_and_taken_again_once_there_is_room(
    small_disk, start_server, make_client, api_stubs, short_request
):
    server = start_server(name=small_disk / "data", workers=0)
    client, api = make_client(server), api_stubs(server.address)
    acknowledged = [client.submit(short_request)]
    filling = fill(small_disk)
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
    small_disk, start_server, make_client, api_stubs, long_request
):
    server = start_server(name=small_disk / "data")
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(long_request)
    wait_until(lambda: api.state(job) == "RUNNING", "a running job")
    filling = fill(small_disk)
    # Long enough for a layer to find no room.
    time.sleep(5)
    assert api.state(job) in ("RUNNING", "QUEUED"), api.job(job).error
    filling.unlink()
    wait_until(lambda: api.state(job) == "SUCCEEDED", "success")
    assert (client.fetch(job) / "arrays.npz").exists()
