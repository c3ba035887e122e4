"""What is stored of results: whose it is, how much of it, and until when."""

import contextlib
import json
import random
import shutil
import sqlite3
import time

import pytest
from service import wait_until
from test_train_jobs import Trainer, train_spec


class Keeper:
    """A server that is started again and again with other rules."""

    def __init__(self, server, client, api_stubs):
        self.server = server
        self.client = client
        self.command = list(server.command)
        self.api_stubs = api_stubs

    def restart(self, *options):
        assert self.server.stop() == 0
        self.start(*options)

    def start(self, *options):
        self.server.command = [*self.command, *options]
        self.server.start()

    def job(self, job):
        return self.api_stubs(self.server.address).job(job)

    def is_dropped(self, job):
        return self.job(job).HasField("dropped")

    def wait_until_dropped(self, *jobs):
        wait_until(lambda: all(map(self.is_dropped, jobs)), "results dropped")

    def array_bytes(self, job):
        return (self.client.fetch(job) / "arrays.npz").read_bytes()

    def assert_well(self):
        assert self.server.stop() == 0
        done = self.server.admin("doctor")
        assert "all is well" in done.stdout, done.stdout

    def audit(self):
        lines = (self.server.data_dir / "audit.log").read_text().splitlines()
        return [json.loads(line) for line in lines]


@pytest.fixture
def keeper(server, client, api_stubs):
    return Keeper(server, client, api_stubs)


def test_old_results_are_dropped_and_computed_again_to_the_same_bytes(
    keeper, short_request
):
    job = keeper.client.submit(short_request, "--wait")
    before = keeper.array_bytes(job)
    keeper.restart("--keep-results", "1s")
    keeper.wait_until_dropped(job)
    status, out, errors = keeper.client.run("show", job)
    assert status == 1
    assert "succeeded, results dropped" in out
    assert "they were older than 1s (--keep-results)" in errors
    status, _, errors = keeper.client.run("fetch", job, "--out", "nowhere")
    assert status == 1
    assert "were dropped at" in errors
    assert "results dropped" in keeper.client.ok("list")
    dropped = [e for e in keeper.audit() if e["method"] == "Retention/DropResults"]
    assert [e["resource"] for e in dropped] == ["jobs/1"]
    assert dropped[0]["proof"] == "server"
    keeper.restart()
    again = keeper.client.submit(short_request, "--wait")
    assert not keeper.job(again).cached
    assert keeper.array_bytes(again) == before
    keeper.assert_well()


def test_the_oldest_go_first_but_for_those_that_are_kept(keeper, short_request):
    jobs = [
        keeper.client.submit(short_request | {"seed": seed}, "--wait")
        for seed in range(3)
    ]
    before = keeper.array_bytes(jobs[0])
    assert "kept" in keeper.client.ok("keep", jobs[0])
    assert "results   kept" in keeper.client.ok("show", jobs[0])
    keeper.restart("--max-store", "1B")
    keeper.wait_until_dropped(*jobs[1:])
    assert "--max-store" in keeper.job(jobs[1]).dropped.reason
    assert not keeper.is_dropped(jobs[0])
    assert keeper.array_bytes(jobs[0]) == before
    status, _, errors = keeper.client.run("keep", jobs[1])
    assert status == 1
    assert "were dropped" in errors
    keeper.client.ok("unkeep", jobs[0])
    keeper.wait_until_dropped(jobs[0])
    keeper.assert_well()


def test_results_have_limits(start_server, make_client, short_request):
    server = start_server(options=("--max-stored-bytes-per-user", "1B"))
    client = make_client(server)
    job = client.submit(short_request, "--wait")
    data = short_request["data"] | {"sequence_length": 32}
    another = client.write_request(short_request | {"data": data})
    status, _, errors = client.run("submit", another)
    assert status == 1
    assert "of at most 1 of one user (--max-stored-bytes-per-user)" in errors
    client.submit(short_request)
    assert "cached" in client.ok("show", "2")
    client.ok("delete", job)
    client.ok("delete", "2")
    client.ok("submit", another)


def test_models_go_with_the_last_job_that_has_them(keeper):
    trained = keeper.server.data_dir / "trained"
    trainer = Trainer(keeper.api_stubs(keeper.server.address))
    trainer.upload()
    spec = train_spec(variants=[{"name": "dense", "block": "BLOCK_DENSE"}], seeds=[0])
    jobs = [trainer.run(spec), trainer.run(spec)]
    assert len(list(trained.iterdir())) == 1
    keeper.client.ok("delete", jobs[0])
    keeper.restart()
    wait_until(lambda: len(list(trained.iterdir())) == 1, "models are there")
    keeper.client.ok("delete", jobs[1])
    wait_until(lambda: not list(trained.iterdir()), "models are gone")
    keeper.assert_well()


def test_models_that_are_gone_are_trained_again(keeper):
    trained = keeper.server.data_dir / "trained"

    def run():
        trainer = Trainer(keeper.api_stubs(keeper.server.address))
        trainer.upload()
        job = trainer.run(spec)
        assert list(trained.glob("*/step-20/model.safetensors"))
        return job, trainer.arrays(job)

    spec = train_spec(variants=[{"name": "dense", "block": "BLOCK_DENSE"}], seeds=[0])
    job, arrays = run()
    keeper.client.ok("delete", job)
    wait_until(lambda: not list(trained.iterdir()), "models are gone")
    job, again = run()
    assert again == arrays
    assert not keeper.job(job).cached
    # As in what a backup was restored to.
    assert keeper.server.stop() == 0
    shutil.rmtree(trained)
    keeper.start()
    _, again = run()
    assert again == arrays
    job, again = run()
    assert keeper.job(job).cached
    assert again == arrays
    keeper.assert_well()


def test_models_of_short_runs_are_counted(keeper):
    trainer = Trainer(keeper.api_stubs(keeper.server.address))
    trainer.upload()
    dense = [{"name": "dense", "block": "BLOCK_DENSE"}]
    for seed in range(8):  # some end between two looks at what runs
        trainer.run(train_spec(variants=dense, seeds=[seed]))

    def sizes():
        file = f"file:{keeper.server.data_dir}/moeprobe.db?mode=ro"
        with contextlib.closing(sqlite3.connect(file, uri=True)) as database:
            return database.execute("SELECT size_bytes FROM trained_run").fetchall()

    assert len(sizes()) == 8
    wait_until(lambda: (0,) not in sizes(), "all are measured", seconds=10)


def test_what_belongs_to_nothing_is_removed(keeper, short_request):
    job = keeper.client.submit(short_request, "--wait")
    assert keeper.server.stop() == 0
    orphan = keeper.server.data_dir / "blobs" / ("0" * 64)
    orphan.write_bytes(b"left by a server that died")
    run = keeper.server.data_dir / "trained" / "0123456789abcdef"
    run.mkdir(parents=True)
    (run / "model.safetensors").write_bytes(b"of no job")
    found = keeper.server.admin("doctor").stdout
    assert str(orphan) in found
    assert str(run) in found
    keeper.start()
    wait_until(lambda: not orphan.exists() and not run.exists(), "garbage is gone")
    keeper.array_bytes(job)
    keeper.assert_well()


def test_a_server_that_is_killed_between_two_steps_goes_on_with_the_next(
    keeper, short_request
):
    jobs = [
        keeper.client.submit(short_request | {"seed": seed}, "--wait")
        for seed in range(6)
    ]
    keeper.client.ok("keep", jobs[3])
    before = keeper.array_bytes(jobs[3])
    generator = random.Random(0)
    assert keeper.server.stop() == 0
    for _ in range(6):
        keeper.start("--max-store", "1B")
        time.sleep(generator.uniform(0, 0.1))
        keeper.server.kill()
    keeper.start("--max-store", "1B")
    keeper.wait_until_dropped(*(job for job in jobs if job != jobs[3]))
    assert keeper.array_bytes(jobs[3]) == before
    keeper.assert_well()


@pytest.mark.parametrize(
    ("option", "value"),
    [("--keep-results", "30"), ("--keep-results", "-1d"), ("--max-store", "-1")],
)
def test_rules_that_are_none_are_refused(server, option, value):
    refused = server.admin("--listen", "127.0.0.1:0", f"{option}={value}")
    assert refused.returncode != 0
    assert option in refused.stderr
