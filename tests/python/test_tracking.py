"""What MLflow and TensorBoard read of results that were logged to them."""

import json
import math

import moeprobe
import numpy as np
import pytest
from mlflow import MlflowClient
from moeprobe.tracking import points_of, to_mlflow, to_tensorboard
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

NO_NULLS = {"random_router": 0, "bootstrap": 0}
LOSSES = [4.0, 3.0, 2.5, 2.25]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Where MLflow keeps runs; made once, which takes it seconds."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = MlflowClient(uri)
    artifacts = f"file://{folder}/artifacts"
    client.create_experiment("moeprobe", artifact_location=artifacts)
    return uri


@pytest.fixture(scope="module")
def trained():
    """A controlled experiment as a server would tell of it, on its way."""
    document = {
        "job": {"name": "jobs/9", "state": "succeeded"},
        "request": {"kind": "train", "seeds": [0], "variants": {"top-2": {}}},
        "warnings": [],
        "times": {},
        "complete": True,
        "cells": [],
        "summary": [],
        "provenance": [],
    }
    arrays = {}
    for step in (0, 2, 4):
        prefix = f"top-2/seed0/step{step}/"
        settings = {"variant": "top-2", "seed": 0, "step": step}
        document["cells"].append({"prefix": prefix, "settings": settings})
        quantities = {"grassmann/routed": {"mean": 2.0 + step, "std": 0.1, "count": 3}}
        part = f"{prefix}model"
        document["summary"].append({"part": part, "layer": 1, "quantities": quantities})
        evaluations = np.arange(0, step + 1, 2)
        curves = {
            "loss": np.array(LOSSES[:step]),
            "evaluation_step": evaluations,
            "held_out_loss": 5.0 - evaluations,
            "expert_tokens": np.tile([6, 2], (len(evaluations), 1, 1)),
        }
        arrays |= {f"{prefix}training/{n}": a for n, a in curves.items()}
    return moeprobe.Result(document, arrays)


def scalars(folder):
    """What TensorBoard reads: values by step, by name."""
    read = EventAccumulator(str(folder), size_guidance={"tensors": 0})
    read.Reload()
    return {
        tag: {e.step: e.tensor_proto.float_val[0] for e in read.Tensors(tag)}
        for tag in read.Tags()["tensors"]
    }


def history(client, run, name):
    return {m.step: m.value for m in client.get_metric_history(run, name)}


def test_means_are_logged_over_layers(full_result):
    points = {(p.name, p.step): p.value for p in points_of(full_result)}
    assert {p.run for p in points_of(full_result)} == {""}
    table = full_result.table()
    chosen = (table.part == "model") & (table.quantity == "grassmann/routed")
    for row in table[chosen].itertuples():
        name = "grassmann/routed"
        assert points[name, row.layer] == row.mean
        assert points[f"{name}.std", row.layer] == row.std
        assert points[f"{name}.low", row.layer] == row.interval_low
        assert points[f"{name}.random_router.p", row.layer] == row.p
        assert points[f"{name}.permutations.mean", row.layer] == (
            row.permutation_null_mean
        )
    assert any(name.startswith("baseline/") for name, _ in points)
    assert all(map(math.isfinite, points.values()))


def test_what_is_no_number_is_left_out(full_result):
    document = json.loads(json.dumps(full_result.document))
    quantities = document["summary"][0]["quantities"]
    name = next(iter(quantities))
    quantities[name] = {"mean": None, "std": math.nan, "count": 0}
    layer = document["summary"][0]["layer"]
    logged = points_of(moeprobe.Result(document, {}))
    assert not [p for p in logged if (p.name, p.step) == (name, layer)]


def test_training_is_logged_over_steps(trained):
    points = {(p.name, p.step): p.value for p in points_of(trained)}
    assert {p.run for p in points_of(trained)} == {"variant top-2, seed 0"}
    assert points["layer1/grassmann/routed", 4] == 6.0
    assert [points["training/loss", s] for s in (1, 2, 3, 4)] == LOSSES
    assert points["training/held_out_loss", 2] == 3.0
    assert points["layer0/training/largest_load", 4] == 1.5
    assert points["layer0/training/smallest_load", 0] == 0.5


def test_tensorboard_reads_what_was_logged(trained, tmp_path):
    to_tensorboard(trained, tmp_path)
    found = scalars(tmp_path / "job9/variant top-2, seed 0")
    assert found["training/loss"] == dict(zip((1, 2, 3, 4), LOSSES, strict=True))
    assert found["layer1/grassmann/routed"] == {0: 2.0, 2: 4.0, 4: 6.0}


def test_names_of_runs_stay_below_their_folder(full_result, tmp_path):
    document = full_result.document | {
        "cells": [{"prefix": "", "settings": {"../../x": "/etc"}}]
    }
    to_tensorboard(moeprobe.Result(document, {}), tmp_path / "runs")
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_mlflow_reads_what_was_logged(full_result, store):
    run = to_mlflow(full_result, tracking_uri=store)
    client = MlflowClient(store)
    logged = client.get_run(run)
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name == "everything"
    assert logged.data.params["data.sequence_length"] == "16"
    assert logged.data.params["probes.pca.components"] == "3"
    assert logged.data.tags["moeprobe.job"] == full_result.job
    means = full_result["pca/routed/effective_rank"].value.mean("expert")
    assert history(client, run, "pca/routed/effective_rank") == pytest.approx(
        dict(enumerate(means.values.tolist()))
    )
    files = {file.path for file in client.list_artifacts(run)}
    assert files == {"result.json", "summary.csv"}


def test_mlflow_has_a_run_for_each_variant_and_seed(trained, store):
    parent = to_mlflow(trained, tracking_uri=store)
    client = MlflowClient(store)
    experiment = client.get_experiment_by_name("moeprobe").experiment_id
    (child,) = client.search_runs(
        [experiment], f"tags.`mlflow.parentRunId` = '{parent}'"
    )
    assert child.data.params == {"variant": "top-2", "seed": "0"}
    losses = history(client, child.info.run_id, "training/loss")
    assert losses == dict(zip((1, 2, 3, 4), LOSSES, strict=True))


def test_a_sweep_is_a_run_for_each_cell(client, ids, tmp_path):
    request = {
        "model": "mixtral",
        "data": {"ids": ids, "sequence_length": 64},
        "layers": [1],
        "sweep": {"routing.temperature": [0.5, 2]},
        "nulls": NO_NULLS,
    }
    job = client.submit(request)
    to_tensorboard(job, tmp_path)
    result = job.result()
    for cell, value in enumerate(("0.5", "2.0")):
        found = scalars(tmp_path / f"job{job.id}/routing.temperature {value}")
        means = result.select(cell).table()
        row = means[means.quantity == "grassmann/routed"].iloc[0]
        assert found["grassmann/routed"] == pytest.approx({1: row["mean"]}, rel=1e-6)


def test_a_job_is_followed_while_it_runs(client, long_request, tmp_path, monkeypatch):
    monkeypatch.setattr("moeprobe.tracking.snapshots._SECONDS", 0.0)
    seen = []
    fetch = moeprobe.Job.result

    def result(*arguments, **options):
        found = fetch(*arguments, **options)
        seen.append(found.complete)
        return found

    monkeypatch.setattr("moeprobe.Job.result", result)
    job = client.submit(long_request | {"seed": 11})
    to_tensorboard(job, tmp_path)
    assert seen[-1]
    assert not seen[0]
    found = scalars(tmp_path / f"job{job.id}")
    assert set(found["routing_entropy"]) == {0, 1, 2, 3}


def test_a_job_that_was_cancelled_is_logged_as_such(client, long_request, store):
    job = client.submit(long_request | {"seed": 12})
    job.cancel()
    run = to_mlflow(job, tracking_uri=store)
    assert MlflowClient(store).get_run(run).info.status == "KILLED"
