"""Jobs that train models: the same bytes always, failures that cost one model."""

import hashlib
import io
import os
import random
import re
import signal
import time

import numpy as np
import pytest
import torch
import transformers
from google.protobuf import json_format
from service import wait_until

TEXT = b"To be, or not to be, that is the question: whether 'tis nobler. " * 40
STEPS = 20
FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
NO_NULLS = {"random_router": 0, "bootstrap": 0, "random_weights": 0}

DENSE = {"name": "dense", "block": "BLOCK_DENSE"}
TOP_2 = {"name": "top-2", "routing": {"top_k": 2}}


def train_spec(**changes):
    """Two models that take a second, of two seeds each."""
    spec = {
        "model": {
            "layers": 2,
            "width": 16,
            "heads": 2,
            "context": 12,
            "experts": 4,
            "expert_width": 20,
            "expert": "EXPERT_FORM_GATED_MLP",
        },
        "variants": [DENSE, TOP_2],
        "seeds": [0, 1],
        "data": {"text": "text"},
        "optimizer": {"learning_rate": 1e-2, "batch": 4, "steps": STEPS},
        "probe": {
            "every": 10,
            "probes": {"routing": {}, "jacobian": {}},
            "nulls": NO_NULLS,
        },
    }
    return spec | changes


class Trainer:
    """Submits experiments to a server and reads what they found."""

    def __init__(self, api):
        self.api = api

    def upload(self, text=TEXT):
        messages = self.api.messages("dataset_service")
        dataset = messages.Dataset(
            kind=messages.Dataset.KIND_TEXT,
            display_name="text",
            sha256=hashlib.sha256(text).hexdigest(),
            size_bytes=len(text),
        )
        pieces = [messages.UploadDatasetRequest(dataset=dataset)]
        if text:
            pieces.append(messages.UploadDatasetRequest(data=text))
        self.api.datasets.UploadDataset(iter(pieces), timeout=30)

    def submit(self, spec):
        job = self.api.messages("job").Job()
        json_format.ParseDict(spec, job.train)
        request = self.api.messages("job_service").CreateJobRequest(job=job)
        return self.api.jobs.CreateJob(request, timeout=30).name

    def wait(self, job):
        return wait_until(
            lambda: (state := self.api.state(job)) in FINAL and state, f"{job} ends"
        )

    def run(self, spec):
        """Runs a job that has to succeed, and returns its name."""
        job = self.submit(spec)
        assert self.wait(job) == "SUCCEEDED", self.api.job(job).error
        return job

    def result(self, job):
        request = self.api.messages("result_service").GetResultRequest(name=job)
        return self.api.results.GetResult(request, timeout=30)

    def arrays(self, job):
        """.npy bytes by name."""
        request = self.api.messages("result_service").ReadArraysRequest(name=job)
        arrays = {}
        for chunk in self.api.results.ReadArrays(request, timeout=60):
            if chunk.HasField("info"):
                current = arrays[chunk.info.name] = bytearray()
            current.extend(chunk.data)
        return {name: bytes(npy) for name, npy in arrays.items()}


def load(npy):
    return np.load(io.BytesIO(npy))


@pytest.fixture
def make_trainer(start_server, api_stubs):
    """Starts a server of its own that knows the text."""

    def make(name="data", **options):
        server = start_server(name, **options)
        trainer = Trainer(api_stubs(server.address))
        trainer.server = server
        trainer.upload()
        return trainer

    return make


@pytest.fixture
def trainer(make_trainer):
    return make_trainer()


def test_every_model_has_its_curves_and_probes(trainer):
    job = trainer.run(train_spec())
    arrays = trainer.arrays(job)
    for variant in ("dense", "top-2"):
        for seed in (0, 1):
            of_run = {
                step: {
                    name.removeprefix(f"{variant}/seed{seed}/step{step}/"): load(npy)
                    for name, npy in arrays.items()
                    if name.startswith(f"{variant}/seed{seed}/step{step}/")
                }
                for step in (0, 10, 20)
            }
            check_run(of_run, has_experts=variant == "top-2")
    cells = {cell.prefix: cell.settings for cell in trainer.result(job).cells}
    settings = {s.field: s.value for s in cells["top-2/seed1/step10/"]}
    assert settings == {"variant": "top-2", "seed": "1", "step": "10"}


def check_run(of_run, has_experts):
    assert "loss" not in of_run[0]
    last = of_run[20]
    assert last["training/loss"].shape == (20,)
    assert (of_run[10]["training/loss"] == last["training/loss"][:10]).all()
    assert last["loss"] == pytest.approx(last["training/loss"].mean(), rel=1e-15)
    assert last["training/evaluation_step"].tolist() == [0, 10, 20]
    assert last["held_out_loss"] == last["training/held_out_loss"][-1]
    assert last["held_out_loss"] < of_run[0]["held_out_loss"] < 6
    assert "layer1/jacobian_cosine/all" in last
    assert ("training/expert_tokens" in last) == has_experts
    if has_experts:
        tokens = last["training/expert_tokens"]
        assert tokens.shape == (3, 2, 4)
        # Ten steps of 4 windows of 12 tokens, each to 2 experts.
        assert (tokens[1:].sum(-1) == 10 * 4 * 12 * 2).all()


def test_transformers_finds_the_losses_of_a_kept_model(trainer):
    job = trainer.run(train_spec(variants=[TOP_2], seeds=[0]))
    last = trainer.result(job).provenance[-1]
    model = transformers.AutoModelForCausalLM.from_pretrained(
        trainer.server.data_dir / last.model
    )
    held_out = torch.tensor(list(TEXT[-256:]))  # a tenth of it
    windows = held_out.unfold(0, 13, 12)  # with the token that follows
    with torch.no_grad():
        logits = model(windows[:, :-1]).logits
    loss = torch.nn.functional.cross_entropy
    arrays = trainer.arrays(job)
    theirs = loss(logits.flatten(0, 1), windows[:, 1:].flatten()).item()
    ours = load(arrays["top-2/seed0/step20/held_out_loss"])
    assert ours == pytest.approx(theirs, abs=1e-5)
    theirs = loss(logits[:, :-1].flatten(0, 1), windows[:, 1:-1].flatten()).item()
    assert load(arrays["top-2/seed0/step20/nll"]) == pytest.approx(theirs, abs=1e-5)


def test_variants_see_the_same_batches(trainer):
    same = train_spec(variants=[TOP_2, TOP_2 | {"name": "again"}], seeds=[3])
    arrays = trainer.arrays(trainer.run(same))
    for name, npy in arrays.items():
        if name.startswith("top-2/"):
            assert arrays["again/" + name.removeprefix("top-2/")] == npy, name


def test_threads_and_servers_change_no_byte(make_trainer):
    found = []
    for name, threads in (("one", 1), ("two", 2)):
        trainer = make_trainer(name, threads=threads)
        found.append(trainer.arrays(trainer.run(train_spec())))
    assert found[0] == found[1]


def test_a_second_identical_job_is_answered_from_the_cache(trainer):
    first = trainer.run(train_spec())
    for pid in trainer.server.workers():
        os.kill(pid, signal.SIGSTOP)
    second = trainer.run(train_spec())
    assert trainer.api.job(second).cached
    assert trainer.arrays(second) == trainer.arrays(first)


def test_another_probe_of_the_same_models_trains_nothing(trainer):
    first = trainer.result(trainer.run(train_spec()))
    assert "steps_per_second" in first.provenance[-1].environment
    probe = {"every": 10, "probes": {"pca": {}}, "nulls": NO_NULLS}
    again = trainer.run(train_spec(variants=[TOP_2], probe=probe))
    assert not trainer.api.job(again).cached
    for part in trainer.result(again).provenance:
        assert "steps_per_second" not in part.environment
        assert part.environment["threads"] == "1"
    assert "top-2/seed0/step20/layer1/grassmann/routed" in trainer.arrays(again)


def test_two_jobs_at_once_train_a_model_once(make_trainer):
    trainer = make_trainer(workers=2)
    pca = {"every": 10, "probes": {"pca": {}}, "nulls": NO_NULLS}
    jobs = [trainer.submit(train_spec()), trainer.submit(train_spec(probe=pca))]
    assert [trainer.wait(job) for job in jobs] == ["SUCCEEDED", "SUCCEEDED"]
    first, second = (trainer.arrays(job) for job in jobs)
    curves = [name for name in first if "/training/" in name]
    assert curves
    assert all(first[name] == second[name] for name in curves)
    for run in (trainer.server.data_dir / "trained").iterdir():
        assert {path.name for path in run.iterdir()} == {
            "lock",
            *("step-0", "step-10", "step-20"),
        }


def test_a_model_that_diverges_costs_no_other(trainer):
    diverging = train_spec(
        optimizer={"learning_rate": 1e30, "batch": 4, "steps": STEPS}, seeds=[0]
    )
    job = trainer.submit(diverging)
    assert trainer.wait(job) == "FAILED"
    error = trainer.api.job(job).error.message
    assert error.startswith("dense, seed 0: the ")
    assert " at step " in error
    assert error.endswith("; 2 of 2 runs failed")
    assert "top-2/seed0/step0/layer0/jacobian_cosine/all" in trainer.arrays(job)
    assert trainer.api.job(trainer.run(train_spec())).error.message == ""


def test_cancel_ends_training_soon(trainer):
    long = {"learning_rate": 1e-2, "batch": 4, "steps": 1_000_000}
    job = trainer.submit(
        train_spec(
            optimizer=long, checkpoint={"every": 500_000}, probe={"nulls": NO_NULLS}
        )
    )
    wait_until(
        lambda: " of 1000000, loss " in trainer.api.job(job).progress.phase,
        "a step is reported",
    )
    start = time.monotonic()
    request = trainer.api.messages("job_service").CancelJobRequest(name=job)
    trainer.api.jobs.CancelJob(request)
    assert trainer.wait(job) == "CANCELLED"
    assert time.monotonic() - start < 10


def long_spec():
    """Some seconds, with something to lose at any moment."""
    return train_spec(
        optimizer={"learning_rate": 3e-3, "batch": 4, "steps": 1000},
        probe={
            "every": 100,
            "probes": {"routing": {}, "jacobian": {}},
            "nulls": NO_NULLS,
        },
    )


def test_a_worker_killed_ten_times_ends_with_the_same_bytes(make_trainer):
    undisturbed = make_trainer("undisturbed")
    expected = undisturbed.arrays(undisturbed.run(long_spec()))
    trainer = make_trainer("killed")
    generator = random.Random(5)
    job = trainer.submit(long_spec())
    for attempt in range(1, 11):
        # Three in a row that get nowhere would end the job.
        wait_for_attempt(trainer, job, attempt, with_layer=attempt % 2 == 0)
        time.sleep(generator.uniform(0, 0.3))
        for pid in trainer.server.workers():
            os.kill(pid, signal.SIGKILL)
    assert trainer.wait(job) == "SUCCEEDED", trainer.api.job(job).error
    assert trainer.api.deaths(job) == 10
    assert trainer.arrays(job) == expected


def wait_for_attempt(trainer, job, attempt, with_layer):
    """Waits until a worker has begun with the job, or has got a layer of it."""
    states = trainer.api.messages("job").Job
    begun = 0
    for event in trainer.api.watch(job):
        begun += event.state == states.STATE_RUNNING
        if begun == attempt and (event.layer or not with_layer):
            return
    raise AssertionError(f"{job} ended {trainer.api.state(job)} before {attempt}")


def test_a_server_that_is_stopped_keeps_the_step_it_is_at(make_trainer):
    undisturbed = make_trainer("undisturbed")
    # The request itself keeps nothing between the first step and the last.
    spec = long_spec() | {"variants": [TOP_2], "seeds": [0]}
    spec["optimizer"] = spec["optimizer"] | {"steps": 5_000}
    spec["checkpoint"] = {"every": 10_000}
    spec["probe"] = spec["probe"] | {"every": 0}
    expected = undisturbed.arrays(undisturbed.run(spec))
    trainer = make_trainer("stopped")
    job = trainer.submit(spec)
    wait_until(
        lambda: re.search("step [1-9][0-9]* of", trainer.api.job(job).progress.phase),
        "a step",
    )
    assert trainer.server.stop() == 0
    kept = {
        int(path.name.removeprefix("step-"))
        for path in trainer.server.data_dir.glob("trained/*/step-*")
    }
    assert kept - {0, spec["optimizer"]["steps"]}
    trainer.server.start()
    assert trainer.wait(job) == "SUCCEEDED", trainer.api.job(job).error
    assert trainer.arrays(job) == expected
