"""What a person at a terminal or a script relies on."""

import csv
import json
import signal
import subprocess
import zipfile

import numpy as np
import pytest
from service import PROGRAMS, wait_until


def test_submit_prints_the_job_alone_on_the_first_line(client, api, short_request):
    out = client.ok("submit", client.write_request(short_request), "--wait")
    job = out.splitlines()[0]
    assert job == job.strip()
    assert " " not in job
    assert api.state(job) == "SUCCEEDED"


def test_the_files_of_a_result(common_client, short_request):
    folder = common_client.fetch(common_client.submit(short_request, "--wait"))
    assert {f.name for f in folder.iterdir()} == {
        "arrays.npz",
        "result.json",
        "summary.csv",
    }
    with np.load(folder / "arrays.npz") as arrays:
        assert "layer0/jacobian_cosine/routed" in arrays
        assert arrays["layer0/expert_count"].dtype == np.int64
        assert arrays["layer0/grassmann/routed"].shape == (6, 6)
    assert json.loads((folder / "result.json").read_text())
    with (folder / "summary.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert any("grassmann" in "".join(map(str, row.values())) for row in rows)


def test_archives_carry_fixed_times(common_client, short_request):
    folder = common_client.fetch(common_client.submit(short_request, "--wait"))
    with zipfile.ZipFile(folder / "arrays.npz") as archive:
        assert len({entry.date_time for entry in archive.infolist()}) == 1


def test_show_and_list_speak_json(common_client, short_request):
    job = common_client.submit(short_request, "--wait")
    shown = json.loads(common_client.ok("show", job, "--json"))
    listed = json.loads(common_client.ok("list", "--json"))
    assert job in json.dumps(shown)
    assert job in json.dumps(listed)


def test_models_and_data_sets_are_listed(common_client, short_request):
    common_client.submit(short_request, "--wait")
    models = common_client.ok("models")
    assert "tiny-mixtral" in models
    assert "qwen3_moe" in models
    assert "ids.npy" in common_client.ok("datasets")


def test_control_c_leaves_the_job_running(client, api, long_request):
    path = client.write_request(long_request)
    process = client.start("submit", path, "--wait")
    job = process.stdout.readline().strip()
    wait_until(lambda: api.state(job) == "RUNNING", "the job runs")
    process.send_signal(signal.SIGINT)
    assert process.wait(10) != 0
    assert api.state(job) == "RUNNING"
    client.ok("cancel", job)


def test_every_command_explains_itself(common_client):
    for command in (
        *("init", "explain", "submit", "show", "matrix"),
        *("curve", "list", "watch", "cancel", "fetch"),
    ):
        assert "Usage" in common_client.ok(command, "--help")
    assert "Usage" in common_client.ok("--help")


def test_a_server_that_is_not_there_is_named(common_client):
    status, _, message = common_client.run("--server", "unix:/nowhere.sock", "list")
    assert status != 0
    assert "/nowhere.sock" in message


def test_an_unknown_job_is_named(common_client):
    for command in (["show", "987"], ["cancel", "987"], ["watch", "987"]):
        status, _, message = common_client.run(*command)
        assert status != 0
        assert "987" in message


def test_there_are_three_programs():
    assert {p.name for p in PROGRAMS.glob("moeprobe-*")} == {
        "moeprobe-server",
        "moeprobe-worker",
        "moeprobe-client",
    }


def test_models_may_share_files_inside_the_root(
    root, tmp_path, start_server, make_client, short_request
):
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "models/weights").mkdir(parents=True, exist_ok=True)
        source = root / "tests/fixtures/mixtral" / name
        (tmp_path / "models/weights" / name).write_bytes(source.read_bytes())
        (tmp_path / "models/links").mkdir(exist_ok=True)
        (tmp_path / "models/links" / name).symlink_to(f"../weights/{name}")
    client = make_client(start_server(roots=[tmp_path / "models"]))
    client.submit(short_request | {"model": "links"}, "--wait")


def test_a_hugging_face_cache_is_a_model_root(
    root, tmp_path, start_server, make_client, short_request
):
    repository = tmp_path / "cache/models--lab--tiny"
    snapshot = repository / "snapshots/0123abcd"
    blobs = repository / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    for name in ("config.json", "model.safetensors"):
        source = root / "tests/fixtures/mixtral" / name
        (blobs / name).write_bytes(source.read_bytes())
        (snapshot / name).symlink_to(f"../../blobs/{name}")
    client = make_client(start_server(roots=[tmp_path / "cache"]))
    assert "lab/tiny@0123abcd" in client.ok("models")
    client.submit(short_request | {"model": "lab/tiny@0123abcd"}, "--wait")


def test_init_prints_a_request_that_runs(common_client, root, tmp_path):
    yaml = common_client.ok("init", "mixtral")
    assert "experts, top 2" in yaml
    ids = root / "tests/fixtures/mixtral/ids.npy"
    text = next(line for line in yaml.splitlines() if line.startswith("  text:"))
    request = tmp_path / "request.yaml"
    request.write_text(yaml.replace(text, f"  ids: {json.dumps(str(ids))}"))
    explained = common_client.ok("explain", request)
    assert "bootstrap: 200" in explained
    status, _, errors = common_client.run("init", "mixtrl")
    assert status == 1
    assert 'did you mean "mixtral"?' in errors


def test_matrix_shows_pairs_of_experts(common_client, short_request):
    job = common_client.submit(short_request, "--wait")
    shown = common_client.ok("matrix", job, "--layer", 1)
    assert shown.startswith("model, layer 1, jacobian_cosine/routed\n   0 \u00b7")
    status, _, errors = common_client.run("matrix", job, "--quantity", "grasmann")
    assert status == 1
    assert "coactivation" in errors


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_is_a_script(common_client, shell, tmp_path):
    script = tmp_path / "completion"
    script.write_text(common_client.ok("completion", shell))
    ask = (
        "autoload() { :; }; bashcompinit() { :; }; "
        f". {script}; COMP_WORDS=(moeprobe-client submit --w); COMP_CWORD=2; "
        '_moeprobe_client; echo "${COMPREPLY[*]}"'
    )
    answer = subprocess.run(["bash", "-c", ask], capture_output=True, text=True)
    assert answer.stdout == "--wait\n", answer.stderr


def test_the_manual_has_every_command(common_client):
    manual = common_client.ok("manual")
    assert manual.startswith(".TH MOEPROBE")
    assert {"init", "submit", "fetch", "manual"} <= {
        line.removeprefix(".SS ") for line in manual.splitlines()
    }
