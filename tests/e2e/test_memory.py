"""A budget of memory that running jobs share."""

import json

import pytest
import service


def explained(client, request):
    """What a server says of a job, once its workers have told how fast they are."""
    path = client.write_request(request)
    client.run("submit", path)  # what it names is uploaded, whatever becomes of it

    def text():
        _, _, errors = client.run("explain", path)
        return errors if "estimate: " in errors else None

    return service.wait_until(text, "an estimate")


def shown(client, job):
    return json.loads(client.ok("show", job, "--json"))["job"]


def endless(request, seed):
    """A job that ends when it is cancelled, one of each seed."""
    nulls = {"random_router": 1000, "bootstrap": 1000}
    return request | {"nulls": nulls, "seed": seed}


def wait_for_state(client, job, state):
    service.wait_until(lambda: shown(client, job)["state"] == state, f"{job} {state}")


@pytest.fixture
def memory_of_endless(start_server, make_client, long_request):
    """Bytes that an endless job is expected to take."""
    server = start_server()
    client = make_client(server)
    job = client.submit(endless(long_request, 0))
    wait_for_state(client, job, "running")
    needed = shown(client, job)["estimated_memory_bytes"]
    client.ok("cancel", job)
    server.kill()
    return needed


def test_a_job_beyond_the_budget_is_refused_with_the_figures(
    start_server, make_client, short_request
):
    client = make_client(start_server(options=("--memory-budget", "1MB")))
    assert "would be refused: the job is expected to take" in explained(
        client, short_request
    )
    status, _, errors = client.run("submit", client.write_request(short_request))
    assert status == 1
    assert "more than the 1000000 (0.0 GB) that all jobs may take" in errors
    assert "--memory-budget" in errors


def test_a_job_waits_for_memory_that_another_holds(
    start_server, make_client, long_request, memory_of_endless
):
    budget = memory_of_endless * 3 // 2
    server = start_server(
        "shared", workers=2, options=("--memory-budget", f"{budget}B")
    )
    client = make_client(server)
    first = client.submit(endless(long_request, 1))
    wait_for_state(client, first, "running")
    second = client.submit(endless(long_request, 2))
    wait = service.wait_until(
        lambda: shown(client, second).get("memory_wait"), "a job that waits"
    )
    assert shown(client, second)["state"] == "queued"
    assert wait["holders"] == [f"jobs/{first}"]
    assert wait["held_bytes"] + wait["needed_bytes"] > wait["budget_bytes"] == budget
    assert "waits for" in client.ok("show", second)
    info = json.loads(client.ok("info", "--json"))
    assert 0 < info["memory_held_bytes"] <= info["memory_budget_bytes"] == budget
    client.ok("cancel", first)
    wait_for_state(client, second, "running")
    assert "memory_wait" not in shown(client, second)
    client.ok("cancel", second)
    wait_for_state(client, second, "cancelled")


def test_a_job_that_waited_for_a_larger_budget_fails_with_the_figures(
    start_server, make_client, short_request
):
    server = start_server(workers=0)
    job = make_client(server).submit(short_request)
    server.stop()
    client = make_client(start_server(options=("--memory-budget", "1MB")))
    wait_for_state(client, job, "failed")
    assert "more than the 1000000 (0.0 GB)" in client.ok("show", job)


def test_without_a_number_the_budget_is_a_share_of_the_machine(server, client):
    info = json.loads(client.ok("info", "--json"))
    assert info["memory_budget_bytes"] > 0
    assert info["memory_budget_origin"].startswith("80 % of what ")
    assert f"{info['memory_budget_bytes']} bytes together, 80 % of" in server.log()


def test_a_budget_of_nothing_is_none(start_server, make_client, short_request):
    client = make_client(start_server(options=("--memory-budget", "0")))
    assert json.loads(client.ok("info", "--json"))["memory_budget_bytes"] == 0
    client.submit(short_request, "--wait")
