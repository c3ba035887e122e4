"""A server and its workers that are killed, again and again, under load.

What was acknowledged is there afterwards, a request id stands for one job however
often it was sent, whoever watched has seen what stays, and every result is what
it is where nobody dies. MOEPROBE_KILLS says how many kills, 100 by default, and
MOEPROBE_SEED from which seed everything is drawn that is.
"""

import os
import random
import signal
import time

import kill_load
import pytest
from crash_scenarios import Life, analysis_spec
from google.protobuf import json_format
from service import wait_until
from supervised import check_data_directory, insist

KILLS = int(os.environ.get("MOEPROBE_KILLS", "100"))
SEED = int(os.environ.get("MOEPROBE_SEED", "0"))
CLIENTS = 4
WORKERS = 2
# Requests with other results. Each is computed once, whatever is killed.
SEEDS = range(6)
# Most lives are too short for a worker to begin, in some a job ends.
SHORT_LIFE, LONG_LIFE = (0.05, 0.5), (1.0, 3.0)
LONG_LIVES = 0.3
LAST_LIFE = (0.0, 0.05)
SECONDS_TO_FINISH = 300
# Of workers that had it, without a layer in between.
DEATHS_OF_A_JOB = 3


def spec_of(life, seed):
    data = {"text": "text", "sequenceLength": 64, "tokens": 64 * (seed + 1)}
    spec = analysis_spec("text") | {"data": [data], "probes": {"routing": {}}}
    return json_format.ParseDict(spec, life.api.messages("analysis").AnalyzeSpec())


def digests(life, job):
    """SHA-256 of every array, by name."""
    request = life.api.messages("result_service").GetResultRequest(name=job)
    result = insist(lambda: life.api.results.GetResult(request, timeout=30))
    return {array.name: array.sha256 for array in result.arrays}


@pytest.fixture
def make_life(root, tmp_path, api_stubs):
    lives = []

    def make(name):
        folder = tmp_path / name
        folder.mkdir()
        lives.append(Life(root, folder, api_stubs, {}))
        return lives[-1]

    yield make
    for life in lives:
        life.end()


@pytest.fixture
def expected(make_life):
    """Results by seed where nobody dies."""
    life = make_life("undisturbed")
    life.serve()
    life.upload_text()
    results = {}
    for seed in SEEDS:
        job = life.create(json_format.MessageToDict(spec_of(life, seed)))
        life.wait(job)
        results[seed] = digests(life, job)
    life.end()
    assert len({str(result) for result in results.values()}) == len(SEEDS)
    return results


def kill_one(server, chance):
    """Kills the server, which is started again, or a worker, as it may be.

    Returns whether it was a worker.
    """
    deaths = server.deaths
    workers = server.workers() if chance.random() < 0.5 else []
    if workers:
        os.kill(chance.choice(workers), signal.SIGKILL)
        return True
    # Again while nobody has died: until a process is made, there is only the dead one
    # before it.
    wait_until(
        lambda: server.deaths > deaths or server.process.kill(),
        "a server that is started again",
    )
    return False


def gave_up(job):
    """Whether workers were killed with it so often that nobody tries any more."""
    message = job.error.message
    return (
        job.crash_count == DEATHS_OF_A_JOB
        and "was killed by signal 9 " in message
        and message.endswith(f" ({DEATHS_OF_A_JOB} times)")
    )


def all_jobs(life):
    """By name."""
    messages = life.api.messages("job_service")

    def list_all():
        jobs, token = {}, ""
        while True:
            page = life.api.jobs.ListJobs(
                messages.ListJobsRequest(page_size=1000, page_token=token), timeout=30
            )
            jobs |= {job.name: job for job in page.jobs}
            if not (token := page.next_page_token):
                return jobs

    return insist(list_all)


def settle(life):
    """Waits until all jobs have ended, and returns them by name."""

    def ended():
        jobs = all_jobs(life)
        states = {
            life.api.messages("job").Job.State.Name(j.state) for j in jobs.values()
        }
        return jobs if states <= {f"STATE_{s}" for s in kill_load.FINAL} else None

    return wait_until(ended, "the end of all jobs", SECONDS_TO_FINISH)


def check_client(client, jobs, life):
    """What a client was told is what is there."""
    assert not client.failures
    assert not client.contradictions
    for name in client.submitted:
        assert name in jobs or name in client.perhaps_deleted, f"{name} is lost"
    assert not client.deleted & set(jobs)
    for name, state in client.cancelled.items():
        if name in jobs and state in kill_load.FINAL:
            assert client.state_of(jobs[name]) == state, name
    for name, heard in client.events.items():
        if name in jobs:
            there = insist(lambda: list(life.api.watch(name)))  # noqa: B023
            assert heard == there[: len(heard)], name


def check_results(client, jobs, expected, life):
    """Every job that was not cancelled has its result, or was given up.

    Returns how many have one, and how many were given up.
    """
    count = given_up = 0
    for name, seed in client.submitted.items():
        if name not in jobs:
            continue
        state = client.state_of(jobs[name])
        if state == "SUCCEEDED":
            assert digests(life, name) == expected[seed], name
            count += 1
        elif state == "FAILED":
            assert gave_up(jobs[name]), jobs[name].error
            given_up += 1
        else:
            assert name in client.cancelled, f"{name} is {state}"
    return count, given_up


def test_what_was_acknowledged_survives_and_nothing_happens_twice(
    make_life, expected, api_stubs
):
    print(f"MOEPROBE_SEED={SEED} MOEPROBE_KILLS={KILLS}")
    life = make_life("killed")
    life.serve(workers=WORKERS)
    life.upload_text()
    specs = {seed: spec_of(life, seed) for seed in SEEDS}
    clients = [
        kill_load.Client(life.server.address, api_stubs, specs, f"{SEED}/{number}")
        for number in range(CLIENTS)
    ]
    for client in clients:
        client.start()
    chance = random.Random(SEED)
    worker_deaths = 0
    try:
        for _ in range(KILLS):
            is_long = chance.random() < LONG_LIVES
            time.sleep(chance.uniform(*(LONG_LIFE if is_long else SHORT_LIFE)))
            worker_deaths += kill_one(life.server, chance)
    finally:
        for client in clients:
            client.stopping.set()
        # Once more while each of them submits.
        time.sleep(chance.uniform(*LAST_LIFE))
        life.server.process.kill()
        for client in clients:
            client.join()
    stored = all_jobs(life)
    unanswered = [client for client in clients if client.unanswered is not None]
    asked_for = [client.ask_for_answer(life.api) for client in unanswered]
    jobs = settle(life)
    for client in clients:
        check_client(client, jobs, life)
    # One job for each request id, and no other.
    acknowledged = {name for client in clients for name in client.submitted}
    assert len(acknowledged) == sum(len(client.requests) for client in clients)
    assert not set(jobs) - acknowledged
    counts = [check_results(client, jobs, expected, life) for client in clients]
    results, given_up = map(sum, zip(*counts, strict=True))
    print(
        f"{life.server.deaths} deaths of the server, {worker_deaths} of workers, "
        f"{len(acknowledged)} jobs, {len(asked_for)} of them not acknowledged at once "
        f"in the end, of which {len(stored.keys() & set(asked_for))} were there; "
        f"{results} results, {given_up} given up"
    )
    assert DEATHS_OF_A_JOB * given_up <= worker_deaths
    assert results > 0
    life.end()
    check_data_directory(life.data)
