"""Hidden states that one job leaves for the next: fewer layers, the same bytes."""

import json

import pytest


@pytest.fixture
def request_of(root):
    """A request that probes one layer of a small model."""

    def make(**probes):
        return {
            "kind": "analyze",
            "model": "tiny-mixtral",
            "data": {"text": str(root / "examples/texts/jargon.txt"), "tokens": 1024},
            "layers": [LAYER],
            "probes": probes,
            "nll": False,
        }

    return make


LAYER = 2
FIRST = {"pca": {}}
SECOND = {"jacobian": {}, "pca": {"components": 3}, "spectra": {}}


def array_bytes(client, job):
    return (client.fetch(job) / "arrays.npz").read_bytes()


def environment(client, job):
    result = json.loads((client.fetch(job) / "result.json").read_text())
    return result["provenance"][0]["environment"]


def files_in(server):
    return [
        p for p in (server.data_dir / "hidden_states").iterdir() if p.stat().st_size
    ]


@pytest.fixture
def fresh_bytes(start_server, make_client, request_of):
    """What the second request gives where there was no first one."""
    client = make_client(start_server("fresh"))
    return array_bytes(client, client.submit(request_of(**SECOND), "--wait"))


def test_another_probe_of_the_same_text_starts_where_the_first_left_off(
    client, request_of, fresh_bytes
):
    first = client.submit(request_of(**FIRST), "--wait")
    assert environment(client, first)["layers_run"] == f"{LAYER + 1} of 4"
    second = client.submit(request_of(**SECOND), "--wait")
    assert environment(client, second)["layers_run"] == "1 of 4"
    assert array_bytes(client, second) == fresh_bytes


def test_another_worker_and_another_server_start_there_too(
    start_server, make_client, request_of, fresh_bytes
):
    server = start_server(workers=2)
    client = make_client(server)
    client.submit(request_of(**FIRST), "--wait")
    server.stop()
    again = make_client(start_server())
    second = again.submit(request_of(**SECOND), "--wait")
    assert environment(again, second)["layers_run"] == "1 of 4"
    assert array_bytes(again, second) == fresh_bytes


def test_damaged_hidden_states_cost_time_and_no_byte(
    server, client, request_of, fresh_bytes
):
    client.submit(request_of(**FIRST), "--wait")
    for path in files_in(server):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    second = client.submit(request_of(**SECOND), "--wait")
    assert environment(client, second)["layers_run"] == f"{LAYER + 1} of 4"
    assert array_bytes(client, second) == fresh_bytes


def test_hidden_states_without_room_cost_time_and_no_byte(
    start_server, make_client, request_of, fresh_bytes
):
    server = start_server(options=("--hidden-state-bytes", "1KiB"))
    client = make_client(server)
    first = client.submit(request_of(**FIRST), "--wait")
    assert environment(client, first)["hidden_states"].startswith("not kept: ")
    second = client.submit(request_of(**SECOND), "--wait")
    assert array_bytes(client, second) == fresh_bytes


def test_a_server_may_keep_none(start_server, make_client, request_of):
    server = start_server(options=("--hidden-state-bytes", "0"))
    client = make_client(server)
    job = client.submit(request_of(**FIRST), "--wait")
    assert "hidden_states" not in environment(client, job)
    assert not (server.data_dir / "hidden_states").exists()


def test_a_server_tidies_up_when_it_starts(
    start_server, make_client, request_of, model_roots
):
    server = start_server()
    client = make_client(server)
    client.submit(request_of(**FIRST), "--wait")
    assert len(files_in(server)) == 1
    server.stop()
    (server.data_dir / "hidden_states/partial.abcdef").write_bytes(b"half")
    server.command += ["--hidden-state-bytes", "1KiB"]
    server.start()
    assert files_in(server) == []
