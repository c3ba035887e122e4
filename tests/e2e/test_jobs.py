"""A job's life: cache, cancel, crashes, resumption, the same bytes always."""

import json
import os
import re
import signal
import time

import grpc
import moeprobe
import numpy as np
import pytest
import service
import stubs
from proxy import Proxy
from service import wait_until

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")


def wait_for_state(api, job, *states):
    return wait_until(
        lambda: (state := api.state(job)) in states and state,
        f"{job} in {' or '.join(states)}",
    )


def wait_for_success(api, job):
    assert wait_for_state(api, job, *FINAL) == "SUCCEEDED", api.job(job).error


def wait_for_first_layer(api, job):
    """Returns once a layer's arrays can be fetched."""
    for event in api.watch(job):
        if event.layer:
            return event.layer
    raise AssertionError(f"{job} ended without a layer")


def array_bytes(client, job):
    return (client.fetch(job) / "arrays.npz").read_bytes()


def test_second_identical_request_needs_no_worker(client, server, api, short_request):
    first = client.submit(short_request, "--wait")
    for pid in server.workers():
        os.kill(pid, signal.SIGSTOP)
    second = client.submit(short_request, "--wait")
    assert second != first
    assert not api.job(first).cached
    assert api.job(second).cached
    assert array_bytes(client, first) == array_bytes(client, second)


def test_a_smaller_request_is_answered_from_a_larger_one(client, api, short_request):
    client.submit(short_request, "--wait")
    smaller = short_request | {"layers": [0], "probes": {"routing": {}}}
    assert api.job(client.submit(smaller, "--wait")).cached


def test_a_larger_request_computes_what_is_missing(client, api, short_request):
    client.submit(short_request | {"layers": [0]}, "--wait")
    job = client.submit(short_request, "--wait")
    assert not api.job(job).cached
    with np.load(client.fetch(job) / "arrays.npz") as arrays:
        assert {n.split("/")[0] for n in arrays} >= {"layer0", "layer1", "layer2"}


def test_results_of_finished_layers_are_there_while_it_runs(client, api, long_request):
    job = client.submit(long_request)
    prefix = wait_for_first_layer(api, job)
    get = api.messages("result_service").GetResultRequest(name=stubs.job_name(job))
    result = api.results.GetResult(get)
    assert any(a.name.startswith(prefix) for a in result.arrays)
    assert api.state(job) == "RUNNING"


def test_cancel_ends_a_running_job_soon(client, api, long_request):
    job = client.submit(long_request)
    wait_for_state(api, job, "RUNNING")
    start = time.monotonic()
    client.ok("cancel", job)
    assert wait_for_state(api, job, *FINAL) == "CANCELLED"
    assert time.monotonic() - start < 10
    status, _, _ = client.run("watch", job)
    assert status != 0


def test_cancel_ends_a_queued_job(client, api, long_request, short_request):
    running = client.submit(long_request)
    queued = client.submit(short_request)
    assert api.state(queued) == "QUEUED"
    client.ok("cancel", queued)
    wait_for_state(api, queued, "CANCELLED")
    client.ok("cancel", running)
    wait_for_state(api, running, "CANCELLED")


def test_a_cancelled_job_can_be_asked_for_again(client, api, long_request):
    job = client.submit(long_request)
    wait_for_first_layer(api, job)
    client.ok("cancel", job)
    wait_for_state(api, job, "CANCELLED")
    again = client.submit(long_request, "--wait")
    assert api.state(again) == "SUCCEEDED"


def test_two_identical_jobs_at_once_share_one_computation(
    start_server, make_client, api_stubs, long_request
):
    server = start_server(workers=2)
    client, api = make_client(server), api_stubs(server.address)
    jobs = [client.submit(long_request) for _ in range(2)]
    for job in jobs:
        wait_for_success(api, job)
    assert sorted(api.job(job).cached for job in jobs) == [False, True]
    assert array_bytes(client, jobs[0]) == array_bytes(client, jobs[1])


def test_the_number_of_workers_changes_no_byte(
    start_server, make_client, short_request, root
):
    text = {"text": str(root / "examples/texts/jargon.txt"), "tokens": 1024}
    spec = short_request | {
        "model": "tiny-mixtral",
        "baseline": "tiny-llama",
        "data": text,
    }
    one = make_client(start_server("one", workers=1, threads=None))
    two = make_client(start_server("two", workers=2, threads=None))
    found = [array_bytes(c, c.submit(spec, "--wait")) for c in (one, two)]
    assert found[0] == found[1]


@pytest.fixture(scope="module")
def token_request(long_request):
    """As long, with probes of single tokens, which go back to the weights."""
    probes = {
        "spectra": {"tokens_per_expert": 4, "top": 8},
        "router_term": {"tokens": 16},
    }
    return long_request | {"baseline": "tiny-llama", "probes": probes}


def test_probes_of_single_tokens_give_the_same_bytes_always(
    start_server, make_client, api_stubs, token_request
):
    found = []
    for name, workers, kill in (
        ("one", 1, False),
        ("two", 2, False),
        ("killed", 1, True),
    ):
        server = start_server(name, workers=workers)
        client, api = make_client(server), api_stubs(server.address)
        job = client.submit(token_request)
        if kill:
            wait_for_first_layer(api, job)
            for pid in server.workers():
                os.kill(pid, signal.SIGKILL)
        wait_for_success(api, job)
        assert api.deaths(job) == int(kill)
        found.append(array_bytes(client, job))
    assert found[0] == found[1] == found[2]


def provenance(client, job):
    return json.loads((client.fetch(job) / "result.json").read_text())["provenance"]


def test_provenance_names_the_run_that_computed_the_numbers(
    start_server, make_client, api_stubs, short_request
):
    server = start_server(threads=2)
    client, api = make_client(server), api_stubs(server.address)
    first = provenance(client, client.submit(short_request, "--wait"))
    environment = first[0]["environment"]
    info = api.server.GetServerInfo(
        api.messages("server_service").GetServerInfoRequest()
    )
    assert environment["threads"] == "2"
    assert environment["moeprobe"] == info.version
    assert {"device", "libtorch", "precision"} <= environment.keys()
    assert re.fullmatch(r"\d+\.\d+\.\d+ \w+", environment["libtorch"])

    server.stop()
    again = make_client(start_server(threads=1))
    job = again.submit(short_request, "--wait")
    assert json.loads(again.ok("show", job, "--json"))["job"]["cached"]
    assert provenance(again, job) == first


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, model_roots, long_request):
    """The bytes of the long job's arrays when nothing goes wrong."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with service.Server(folder / "data", model_roots) as server:
        client = service.Client(server.address, folder)
        return array_bytes(client, client.submit(long_request, "--wait"))


def test_a_killed_worker_costs_an_attempt_and_no_byte(
    server, client, api, long_request, undisturbed
):
    job = client.submit(long_request)
    wait_for_first_layer(api, job)
    for pid in server.workers():
        os.kill(pid, signal.SIGKILL)
    wait_for_success(api, job)
    assert api.deaths(job) == 1
    assert array_bytes(client, job) == undisturbed


def test_a_killed_server_loses_no_acknowledged_job(
    server, client, api, long_request, short_request, undisturbed
):
    running = client.submit(long_request)
    queued = client.submit(short_request)
    wait_for_first_layer(api, running)
    workers = server.workers()
    server.kill()
    wait_until(
        lambda: not any(map(service.is_alive, workers)), "orphaned workers end", 20
    )
    server.start()
    for job in (running, queued):
        wait_for_success(api, job)
    assert array_bytes(client, running) == undisturbed


def test_an_acknowledged_submit_survives_an_immediate_kill(
    server, client, api, short_request
):
    for _ in range(5):
        job = client.submit(short_request)
        server.kill()
        server.start()
        wait_for_success(api, job)


def test_three_crashes_fail_the_job_with_the_reason(
    server, client, api, long_request, short_request
):
    job = client.submit(long_request)
    dead = set()

    def kill_until_final():
        if api.state(job) in FINAL:
            return True
        if api.state(job) == "RUNNING":
            for pid in set(server.workers()) - dead:
                dead.add(pid)
                os.kill(pid, signal.SIGKILL)
        return False

    wait_until(kill_until_final, "the job's end")
    failed = api.job(job)
    assert api.state(job) == "FAILED"
    assert failed.crash_count == 3
    assert "signal 9" in failed.error.message.lower() or (
        "sigkill" in failed.error.message.lower()
    ), failed.error.message
    # And the server goes on.
    assert api.state(client.submit(short_request, "--wait")) == "SUCCEEDED"


def test_a_drained_server_exits_with_0_and_goes_on_later(
    server, client, api, long_request, undisturbed
):
    job = client.submit(long_request)
    wait_for_first_layer(api, job)
    assert server.stop() == 0
    server.start()
    wait_for_success(api, job)
    assert array_bytes(client, job) == undisturbed


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_a_fetch_goes_on_where_a_restart_broke_it_off(
    server, client, make_client, short_request, end
):
    job = client.submit(short_request | {"model": "tiny-mixtral"}, "--wait")
    undisturbed = array_bytes(client, job)

    def restart():
        getattr(server, end)()
        server.start()

    with Proxy(server.address, len(undisturbed) // 2, restart) as proxy:
        assert array_bytes(make_client(proxy), job) == undisturbed
        assert proxy.broken


def test_a_server_is_reached_from_far_away(server, make_client):
    """Over TLS, say, or where it asks a name service who connects."""
    with Proxy(server.address, seconds=1.5) as proxy:
        begin = time.monotonic()
        make_client(proxy).ok("list")
        with moeprobe.Client(proxy.address) as client:
            assert client.server_info().version
        assert time.monotonic() - begin > 2 * proxy.seconds


def test_only_one_server_opens_a_data_directory(server):
    with pytest.raises(AssertionError, match="nothing|''"):
        service.Server(server.data_dir, [])


def test_a_watch_goes_on_where_it_broke_off(client, api, short_request):
    job = client.submit(short_request, "--wait")
    events = list(api.watch(job))
    assert [e.sequence for e in events] == list(range(1, len(events) + 1))
    rest = list(api.watch(job, after=3))
    assert rest == events[3:]


def test_the_same_request_id_gives_the_same_job(client, api, short_request):
    job = api.job(client.submit(short_request, "--wait"))
    create = api.messages("job_service").CreateJobRequest
    same = "3b241101-e2bb-4255-8caf-4136c566a962"
    body = api.messages("job").Job(analyze=job.analyze)
    first = api.jobs.CreateJob(create(job=body, request_id=same))
    second = api.jobs.CreateJob(create(job=body, request_id=same))
    assert first.name == second.name
    body.analyze.name = "another"
    with pytest.raises(grpc.RpcError) as error:
        api.jobs.CreateJob(create(job=body, request_id=same))
    assert error.value.code() == grpc.StatusCode.ALREADY_EXISTS


def test_a_worker_that_hangs_loses_its_job(
    start_server, make_client, api_stubs, long_request
):
    # So long that a busy machine lets no other worker lose it.
    server = start_server(options=("--lease-seconds", "10"))
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(long_request)
    wait_for_first_layer(api, job)
    hung = server.workers()
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    wait_for_success(api, job)
    assert api.deaths(job) == 1
    assert not any(service.is_alive(pid) for pid in hung)


def test_an_idle_worker_that_hangs_is_replaced(
    start_server, make_client, api_stubs, short_request
):
    server = start_server(options=("--lease-seconds", "4"))
    client, api = make_client(server), api_stubs(server.address)
    client.submit(short_request, "--wait")
    (hung,) = server.workers()
    os.kill(hung, signal.SIGSTOP)
    wait_until(lambda: not service.is_alive(hung), "the end of the worker")
    wait_for_success(api, client.submit(short_request | {"seed": 1}))
    assert server.workers() != [hung]
