"""Jobs of task mlp, from the YAML to the last figure."""

import csv
import json
import os
import signal

import numpy as np
import pytest
import service
from service import wait_until

EXPERIMENT = """\
kind: train
name: experts on examples
task: mlp
model: {width: 12, experts: 4, expert_width: 16, init: torch}
variants:
  dense: {block: dense, match: total}
  top-2: {routing: {top_k: 2}}
seeds: [0, 3]
data:
  synthetic: {examples: 800, clusters: 3, teacher_width: 8, outputs: 4}
  held_out: 0.4
optimizer: {learning_rate: 3.0e-3, batch: 32, steps: %d}
probe:
  every: %d
  probes: {routing: {}, jacobian: {}, spectra: {}, pca: {components: 3}}
  nulls: {random_router: 5, random_weights: 2, bootstrap: 40}
"""
SHORT = EXPERIMENT % (40, 20)


@pytest.fixture(scope="module")
def experiment(common_server, tmp_path_factory):
    """A client, and its job."""
    folder = tmp_path_factory.mktemp("client")
    client = service.Client(common_server.address, folder)
    return client, client.submit(SHORT, "--wait")


@pytest.fixture
def arrays(experiment):
    client, job = experiment
    with np.load(client.fetch(job) / "arrays.npz") as found:
        return dict(found)


def test_the_request_comes_back_filled_in(experiment):
    client, job = experiment
    path = client.write_request(SHORT)
    resolved = client.ok("explain", path)
    for line in ("layers: 1", "teacher: per_cluster", "objective: regression"):
        assert f"    {line}\n" in resolved or f"  {line}\n" in resolved, line
    assert "heads" not in resolved
    assert "context" not in resolved
    assert client.ok("explain", client.write_request(resolved)) == resolved
    request = json.loads(client.ok("show", job, "--json"))["request"]
    assert request["data"]["synthetic"]["separation"] == 1
    assert request["task"] == "mlp"


def test_every_model_is_probed(arrays):
    last = "top-2/seed3/step40/"
    assert arrays[last + "training/loss"].shape == (40,)
    assert arrays[last + "training/expert_tokens"].sum() == 40 * 32 * 2
    assert arrays[last + "layer0/jacobian_cosine/all"].shape == (4, 4)
    assert arrays[last + "layer0/expert_count"].sum() == 2 * 320
    assert arrays["dense/seed0/step20/layer0/pca/all/eigenvalues"].shape == (1, 12)
    assert not [name for name in arrays if name.endswith("nll")]
    for variant in ("dense", "top-2"):
        losses = arrays[f"{variant}/seed0/step40/training/held_out_loss"]
        assert losses[0] > losses[1] > losses[2]


def test_all_models_see_the_same_examples(arrays):
    """PCA without routing is of the data alone."""
    name = "layer0/pca/all/eigenvalues"
    found = [array for key, array in arrays.items() if key.endswith(name)]
    assert len(found) == 2 * 2 * 3
    assert all((array == found[0]).all() for array in found)


def test_variants_stand_side_by_side(experiment):
    client, job = experiment
    shown = client.ok("show", job)
    lines = [line.split() for line in shown.splitlines()]
    assert ["Seeds", "2", "2"] in lines
    assert "Loss, held out, squared error" in shown
    assert "1 layer of width 12" in shown
    assert "no attention" in shown
    assert "800 examples of 3 clusters" in shown
    assert "40 steps of 32 examples" in shown
    curve = client.ok("curve", job, "--over", "step", "--csv")
    rows = list(csv.DictReader(curve.splitlines()))
    assert {row["step"] for row in rows} == {"0", "20", "40"}


def test_a_kept_model_is_a_model(experiment, common_server, start_server, make_client):
    client, job = experiment
    folder = client.fetch(job)
    parts = json.loads((folder / "result.json").read_text())["provenance"]
    last = next(p for p in parts if p["part"].startswith("top-2/seed0/step40"))
    model = common_server.data_dir / last["model"]
    numbers = np.arange(480, 800, dtype=np.int32)
    np.save(client.folder / "numbers.npy", numbers)
    request = {
        "kind": "analyze",
        "model": model.name,
        "data": {
            "ids": str(client.folder / "numbers.npy"),
            "sequence_length": 16,
        },
        "probes": {"routing": {}, "jacobian": {}},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }
    other = make_client(start_server("other", roots=[model.parent]))
    with np.load(folder / "arrays.npz") as found:
        for key, array in other.analyze(request).items():
            if "null" in key or "/se" in key or "interval" in key:
                continue
            ours = found[f"top-2/seed0/step40/{key}"]
            assert array.tobytes() == ours.tobytes(), key
    status, _, errors = other.run(
        "submit", other.write_request(request | {"nll": True})
    )
    assert status != 0
    assert "nll: has no meaning here" in errors


def test_a_killed_worker_changes_no_byte(start_server, make_client):
    request = EXPERIMENT % (2000, 500)
    undisturbed = make_client(start_server("undisturbed"))
    expected = undisturbed.analyze(request)
    server = start_server("killed")
    client = make_client(server)
    job = client.submit(request)
    for parts in (1, 4, 7):
        wait_until(lambda n=parts: published(client, job) >= n, f"{parts} parts")
        for pid in server.workers():
            os.kill(pid, signal.SIGKILL)
    client.ok("watch", job)
    with np.load(client.fetch(job) / "arrays.npz") as found:
        assert set(found) == set(expected)
        for name, array in expected.items():
            assert found[name].tobytes() == array.tobytes(), name


def published(client, job):
    """Models whose loss is there."""
    out = client.ok("show", job, "--json")
    return len({entry["part"] for entry in json.loads(out).get("summary", [])})


BAD = {
    "data: {text: t}": "synthetic",
    "data: {synthetic: {examples: 20}}": "data.held_out",
    "data: {synthetic: {outputs: 1, objective: classification}}": "outputs: 1, exp",
    "data: {synthetic: {clusters: 5000}}": "data.synthetic.clusters: 5000",
    "data: {synthetic: {separation: -1}}": "data.synthetic.separation: found",
    "data: {synthetic: {}}\nmodel: {layers: 2}": "model.layers: 2, expected 1",
    "data: {synthetic: {}}\nmodel: {heads: 2}": "model.heads: has no meaning",
    "data: {synthetic: {}}\nmodel: {context: 16}": "model.context: has no meaning",
    "data: {synthetic: {}, vocabulary: bytes}": "data.vocabulary: has no meaning",
    "data: {synthetic: {}}\nprobe: {probes: {jacobian: {}, interventions: {}}}": (
        "probe.probes.interventions: has no meaning"
    ),
    "data: {synthetic: {}}\nprobe: {tokens: 9}": "9 examples do not fill one window",
}


@pytest.mark.parametrize("rest", BAD)
def test_says_what_is_wrong(rest, common_client):
    text = f"kind: train\ntask: mlp\nvariants: {{a: {{}}}}\n{rest}\n"
    (common_client.folder / "t").write_text("text")
    status, _, errors = common_client.run("submit", common_client.write_request(text))
    assert status != 0
    assert BAD[rest] in errors


def test_a_language_model_wants_text(common_client):
    text = "kind: train\nvariants: {a: {}}\ndata: {synthetic: {}}\n"
    status, _, errors = common_client.run("submit", common_client.write_request(text))
    assert status != 0
    assert "data.synthetic: is no text, expected text or ids, or task mlp" in errors


def test_names_the_run_and_step_of_a_loss_that_is_none(common_client):
    request = SHORT.replace("3.0e-3", "1.0e+30")
    job = common_client.submit(request)
    _, out, errors = common_client.run("watch", job)
    assert "dense, seed 0: the " in out + errors
    assert " at step " in out + errors
