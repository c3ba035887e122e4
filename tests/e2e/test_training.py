"""Trained checkpoints are what other programs, and analyses, take them for."""

import subprocess

import numpy as np
import pytest
import service
import torch
import transformers
from safetensors.numpy import load_file

CONTEXT = 12
NO_NULLS = {"random_router": 0, "bootstrap": 0}


def held_out_windows():
    """Those of core/train/training_fixture.h."""
    ids = np.array([i * i // 7 % 24 for i in range(1000)])[900:]
    starts = range(0, len(ids) - CONTEXT, CONTEXT)
    return torch.tensor(np.stack([ids[i : i + CONTEXT + 1] for i in starts]))


def loss(model, ids, targets):
    with torch.no_grad():
        logits = model(ids).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


@pytest.fixture(scope="module")
def run(root, tmp_path_factory):
    """Checkpoints of a run of the fixture's model of gated experts."""
    folder = tmp_path_factory.mktemp("models") / "run"
    driver = root / "build/release/core/train/training_driver"
    subprocess.run([driver, folder, "gated", "30"], check=True)
    return folder


@pytest.fixture(scope="module")
def mixtral(run):
    model = transformers.AutoModelForCausalLM.from_pretrained(run / "step-30")
    assert type(model) is transformers.MixtralForCausalLM
    return model


def test_transformers_finds_the_loss_of_a_trained_mixtral(run, mixtral):
    windows = held_out_windows()
    theirs = loss(mixtral, windows[:, :-1], windows[:, 1:]).item()
    ours = load_file(run / "step-30/training.safetensors")["held_out_loss"][-1]
    assert theirs == pytest.approx(ours, abs=1e-5)
    assert theirs < np.log(24) - 0.3  # it has learnt something


def test_an_analysis_loads_a_trained_mixtral(run, mixtral, tmp_path, make_client):
    ids = held_out_windows()[:, :-1]
    np.save(tmp_path / "ids.npy", ids.flatten().numpy().astype(np.int32))
    request = {
        "kind": "analyze",
        "model": "step-30",
        "data": {"ids": str(tmp_path / "ids.npy"), "sequence_length": CONTEXT},
        "nulls": NO_NULLS,
    }
    with service.Server(tmp_path / "data", [run]) as server:
        arrays = make_client(server).analyze(request)
    assert arrays["layer1/jacobian_cosine/all"].shape == (4, 4)
    expected = loss(mixtral, ids[:, :-1], ids[:, 1:]).item()
    assert arrays["nll"] == pytest.approx(expected, abs=1e-4)
