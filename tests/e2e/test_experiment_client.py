"""What a person at a terminal sees of an experiment."""

import csv
import json

import numpy as np
import pytest

EXPERIMENT = """\
kind: train
name: tiny
model: {layers: 1, width: 16, heads: 2, context: 16, experts: 4, expert_width: 8,
        expert: gated_mlp}
variants:
  dense: {block: dense}
  top-2: {routing: {top_k: 2}}
  soft: {routing: {select: all}}
seeds: [0, 3]
data: {text: text.txt}
optimizer: {batch: 2, steps: 6}
probe:
  every: 3
  tokens: 128
  probes: {routing: {}, jacobian: {tokens: 0}, pca: {components: 3}}
  nulls: {random_router: 5, random_weights: 2, bootstrap: 0}
swap_routing: [soft]
"""


@pytest.fixture(scope="module")
def text(root):
    return (root / "examples/texts/jargon.txt").read_bytes()[:4000]


@pytest.fixture
def experiment(common_client, text):
    """A client, and its job; the second one comes from the cache."""
    (common_client.folder / "text.txt").write_bytes(text)
    path = common_client.folder / "train.yaml"
    path.write_text(EXPERIMENT)
    out = common_client.ok("submit", path, "--wait")
    return common_client, out.split()[0]


def test_the_text_is_uploaded_and_the_request_filled_in(experiment):
    client, job = experiment
    resolved = client.ok("explain", client.folder / "train.yaml")
    assert "  init: normal_0.02\n" in resolved
    assert "    match: expert\n" in resolved
    shown = json.loads(client.ok("show", job, "--json"))
    assert shown["request"]["variants"]["top-2"]["routing"]["top_k"] == 2
    assert shown["request"]["probe"]["nulls"]["random_weights"] == 2
    again = client.folder / "again.yaml"
    again.write_text(resolved)
    assert client.ok("explain", again) == resolved


def test_variants_stand_side_by_side(experiment):
    client, job = experiment
    lines = client.ok("show", job).splitlines()
    title = next(line for line in lines if line.split()[:2] == ["dense", "top-2"])
    assert title.split() == ["dense", "top-2", "soft", "top-2", "as", "soft"]
    assert ["Step", "6", "6", "6", "6"] in [line.split() for line in lines]
    assert ["Seeds", "2", "2", "2", "2"] in [line.split() for line in lines]
    at = lines.index("Grassmann, routed")
    layer, router, weights = (line.split() for line in lines[at + 1 : at + 4])
    assert layer[:3] == ["layer", "0", "\N{EN DASH}"]
    assert router[:2] == ["Random", "router"]
    assert weights[:2] == ["Random", "weights"]


def test_the_list_says_what_was_trained(experiment):
    client, job = experiment
    row = next(r for r in client.ok("list").splitlines() if r.split()[0] == job)
    assert "3 variants x 2 seeds" in row


def test_curves_go_over_steps(experiment):
    client, job = experiment
    out = client.ok("curve", job, "--over", "step", "--csv")
    rows = list(csv.DictReader(out.splitlines()))
    key = ("held_out_loss", "soft")
    soft = [row for row in rows if (row["quantity"], row["variant"]) == key]
    assert [row["step"] for row in soft] == ["0", "3", "6"]
    assert float(soft[-1]["mean"]) < float(soft[0]["mean"])
    assert "Grassmann, routed, layer 0" in client.ok("curve", job, "--over", "step")


def test_an_analysis_has_no_steps(common_client, short_request):
    job = common_client.submit(short_request, "--wait")
    status, _, errors = common_client.run("curve", job, "--over", "step")
    assert status == 1
    assert "only kind: train has steps" in errors


def test_the_files_say_which_run_a_number_is_of(experiment):
    client, job = experiment
    folder = client.fetch(job)
    with (folder / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    swapped = {row["variant"] for row in rows if row["gates"] == "soft"}
    assert swapped == {"top-2"}
    assert {row["seed"] for row in rows} == {"0", "3"}
    cells = json.loads((folder / "result.json").read_text())["cells"]
    assert cells[-1]["prefix"] == "soft/seed3/step6/"
    with np.load(folder / "arrays.npz") as arrays:
        assert arrays["soft/seed3/step6/training/loss"].shape == (6,)
        assert arrays["soft/seed3/step6/training/expert_tokens"].shape == (3, 1, 4)


def test_matrices_are_those_of_the_last_step(experiment):
    client, job = experiment
    titles = [line for line in client.ok("matrix", job).splitlines() if "layer" in line]
    assert len(titles) == 6
    assert all("/step6/" in title for title in titles)
    part = "soft/seed0/step3/model"
    assert client.ok("matrix", job, "--part", part).startswith(f"{part}, layer 0")


def test_runs_can_be_compared(experiment):
    client, job = experiment
    out = client.ok(
        "compare", f"{job}:top-2/seed0/step6/model", f"{job}:soft/seed0/step6/model"
    )
    assert "grassmann/routed" in out
    assert "3 variants x 2 seeds (tiny)" in out


def test_what_the_server_finds_wrong_has_its_place(common_client, text):
    (common_client.folder / "text.txt").write_bytes(text)
    path = common_client.folder / "train.yaml"
    path.write_text(EXPERIMENT.replace("top_k: 2", "top_k: 5"))
    status, _, errors = common_client.run("submit", path)
    assert status == 2
    assert "train.yaml:7:28: variants.top-2.routing.top_k: 5 is out of range" in errors


def test_an_experiment_begins_with_init(common_client):
    path = common_client.folder / "train.yaml"
    path.write_text(common_client.ok("init", "--train", "text.txt"))
    (common_client.folder / "text.txt").write_text("words " * 20000)
    assert "kind: train" in common_client.ok("explain", path)
    status, _, errors = common_client.run("init")
    assert status == 2
    assert "MODEL or --train" in errors
