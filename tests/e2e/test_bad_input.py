"""Hostile models, data and requests: one clear message, and life goes on."""

import json
import os
import shutil
import struct

import numpy as np
import pytest


@pytest.fixture
def roots(tmp_path, root):
    """A model root to spoil: one good copy of a checkpoint."""
    folder = tmp_path / "models"
    shutil.copytree(root / "tests/fixtures/mixtral", folder / "good")
    return folder


@pytest.fixture
def spoiled(roots, start_server, make_client, short_request):
    """Spoils a copy of the good model, analyses it, and returns the message."""
    server = start_server(roots=[roots])
    client = make_client(server)

    def run(spoil):
        shutil.copytree(roots / "good", roots / "bad")
        spoil(roots / "bad")
        request = client.write_request(short_request | {"model": "bad"})
        status, _, message = client.run("submit", request, "--wait")
        assert status != 0
        assert server.process.poll() is None
        good = client.run(
            "submit", client.write_request(short_request | {"model": "good"}), "--wait"
        )
        assert good[0] == 0, good
        return message.strip()

    return run


def edit_config(**changes):
    def spoil(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return spoil


def edit_header(edit):
    """Changes the header of model.safetensors, its data unchanged."""

    def spoil(folder):
        path = folder / "model.safetensors"
        content = path.read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + size])
        edit(header)
        text = json.dumps(header).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])

    return spoil


def overlap(header):
    names = [n for n in header if n != "__metadata__"]
    header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]


def huge_shape(header):
    name = next(n for n in header if n != "__metadata__")
    header[name]["shape"] = [2, 2**63 - 1]


def cut(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-2])


def to_fifo(folder):
    path = folder / "model.safetensors"
    path.unlink()
    os.mkfifo(path)


def to_outside(folder):
    path = folder / "model.safetensors"
    path.unlink()
    path.symlink_to("/etc/passwd")


def index_outside(folder):
    index = {"weight_map": {"lm_head.weight": "../good/model.safetensors"}}
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def sparse_terabyte(folder):
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 2**39))
    os.truncate(path, 2**40)


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def not_numbers(folder):
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    (size,) = struct.unpack("<Q", content[:8])
    content[8 + size :] = b"\xff" * (len(content) - 8 - size)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        pytest.param(edit_config(num_experts_per_tok=9), "9", id="k beyond E"),
        pytest.param(edit_config(num_local_experts=0), "num_local_experts", id="E 0"),
        pytest.param(edit_config(hidden_size="32"), "hidden_size", id="text for size"),
        pytest.param(edit_config(num_hidden_layers=10**9), "layer", id="10^9 layers"),
        pytest.param(edit_config(model_type="gpt2"), "gpt2", id="other family"),
        pytest.param(
            edit_config(rope_parameters={"rope_type": "yarn", "rope_theta": 1e4}),
            "yarn",
            id="rope scaling",
        ),
        pytest.param(
            edit_config(quantization_config={"quant_method": "gptq"}),
            "gptq",
            id="quantised",
        ),
        pytest.param(edit_config(vocab_size=64), "embed_tokens", id="vocabulary"),
        pytest.param(edit_header(overlap), "model.safetensors", id="overlap"),
        pytest.param(edit_header(huge_shape), "model.safetensors", id="huge shape"),
        pytest.param(cut, "model.safetensors", id="cut file"),
        pytest.param(to_fifo, "bad/model.safetensors", id="FIFO"),
        pytest.param(to_outside, "bad/model.safetensors", id="link out of the root"),
        pytest.param(index_outside, "../good", id="index out of the root"),
        pytest.param(sparse_terabyte, "model.safetensors", id="sparse terabyte"),
        pytest.param(no_weights, "model.safetensors", id="no weights"),
        pytest.param(not_numbers, "layer 0: hidden states", id="all NaN"),
    ],
)
def test_a_hostile_model_is_one_message(spoiled, spoil, words):
    assert words in spoiled(spoil)


def test_code_that_comes_with_a_model_is_not_run(
    roots, start_server, make_client, short_request, tmp_path
):
    ran = tmp_path / "ran"
    shutil.copytree(roots / "good", roots / "coded")
    (roots / "coded/modeling.py").write_text(f"open({str(ran)!r}, 'w')\n")
    edit_config(auto_map={"AutoModelForCausalLM": "modeling.Model"})(roots / "coded")
    client = make_client(start_server(roots=[roots]))
    results = [
        client.fetch(client.submit(short_request | {"model": m}, "--wait"))
        for m in ("good", "coded")
    ]
    good, coded = ((r / "arrays.npz").read_bytes() for r in results)
    assert good == coded
    warnings = [
        json.loads((r / "result.json").read_text())["warnings"] for r in results
    ]
    assert not warnings[0]
    assert "auto_map" in " ".join(warnings[1])
    assert len(warnings[1]) == 1
    assert not ran.exists()


def test_a_model_cut_while_it_is_analysed_does_not_end_the_server(
    roots, root, start_server, make_client, api_stubs, long_request
):
    shutil.copytree(root / "examples/models/tiny-mixtral", roots / "tiny-mixtral")
    server = start_server(roots=[roots])
    client, api = make_client(server), api_stubs(server.address)
    job = client.submit(long_request)
    for event in api.watch(job):
        if event.layer:
            os.truncate(roots / "tiny-mixtral/model.safetensors", 100_000)
            break
    status, _, message = client.run("watch", job)
    assert status != 0, message
    assert api.state(job) == "FAILED"
    assert server.process.poll() is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "mixtrall"}, ["mixtrall"]),
        ({"model": "../fixtures/mixtral"}, ["../fixtures/mixtral"]),
        ({"layers": [7]}, ["7"]),
        ({"layers": [0, 0]}, ["layers"]),
        ({"seeed": 1}, ["seeed", "seed"]),
        ({"data": {"ids": "/nowhere.npy"}}, ["/nowhere.npy"]),
        ({"kind": "analyse"}, ["analyse", "analyze"]),
        ({"precision": "float8"}, ["float8"]),
    ],
)
def test_a_bad_request_is_refused_by_name(common_client, short_request, changes, words):
    request = common_client.write_request(short_request | changes)
    status, out, message = common_client.run("submit", request, "--wait")
    assert status != 0
    assert out == ""
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "kind: analyze\nkind: analyze\n",
        "a: &x [*x]\n",
        "kind: !!python/object/apply:os.system [true]\n",
        "[" * 100_000,
        "kind: analyze\n---\nkind: analyze\n",
        "\0",
    ],
    ids=lambda t: repr(t[:20]),
)
def test_a_bad_yaml_file_is_refused_by_name(common_client, text):
    path = common_client.write_request(text)
    status, out, message = common_client.run("submit", path)
    assert status != 0
    assert out == ""
    assert path.name in message
    assert len(message.splitlines()) <= 2


def bad_ids(kind, folder):
    path = folder / "ids.npy"
    arrays = {
        "floats": np.zeros(512, np.float32),
        "two dimensions": np.zeros((2, 256), np.int32),
        "beyond the vocabulary": np.full(512, 128, np.int32),
        "negative": np.full(512, -1, np.int32),
        "too few": np.zeros(3, np.int32),
    }
    if kind == "not npy":
        path.write_bytes(b"hello")
    else:
        np.save(path, arrays[kind])
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "floats",
        "two dimensions",
        "beyond the vocabulary",
        "negative",
        "too few",
        "not npy",
    ],
)
def test_bad_token_ids_are_refused(common_client, short_request, tmp_path, kind):
    data = {"ids": str(bad_ids(kind, tmp_path)), "sequence_length": 64}
    path = common_client.write_request(short_request | {"data": data})
    status, _, message = common_client.run("submit", path, "--wait")
    assert status != 0
    assert message.strip()


def test_text_that_is_not_utf8_is_refused(common_client, short_request, tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9 " * 1000)
    request = short_request | {
        "model": "tiny-mixtral",
        "data": {"text": str(tmp_path / "latin.txt")},
    }
    path = common_client.write_request(request)
    status, _, message = common_client.run("submit", path, "--wait")
    assert status != 0
    assert "UTF-8" in message


def test_a_model_without_tokenizer_cannot_take_text(common_client, short_request, root):
    text = {"text": str(root / "examples/texts/jargon.txt")}
    path = common_client.write_request(short_request | {"data": text})
    status, _, message = common_client.run("submit", path, "--wait")
    assert status != 0
    assert "tokenizer.json" in message
