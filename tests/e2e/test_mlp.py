"""Experts without attention learn, and are, what plain PyTorch says they are."""

import subprocess

import mlp_moe
import numpy as np
import oracle
import pytest
import service
import torch
from safetensors.numpy import load_file
from tolerances import assert_agree

torch.set_num_threads(1)  # matrices are small: more would wait for each other
STEPS = 30
COUNT, LEARNED, WINDOW = 400, 360, 16
# Those of core/train/training_fixture.h.
EXAMPLES = mlp_moe.Synthetic(
    examples=COUNT, width=12, outputs=3, clusters=3, teacher_width=8
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Checkpoints of a run of the fixture's model."""
    folder = tmp_path_factory.mktemp("models") / "run"
    driver = service.BUILD / "core/train/training_driver"
    subprocess.run([driver, folder, "mlp", str(STEPS)], check=True)
    return folder


@pytest.fixture(scope="module")
def data():
    return mlp_moe.draw(EXAMPLES)


def test_examples_are_those_of_their_definition(run, data):
    stored = load_file(run / "step-0/model.safetensors")["model.examples.weight"]
    # A sum of two float32 numbers.
    np.testing.assert_allclose(stored, data[0].numpy(), atol=1e-6)


def test_losses_are_those_of_plain_pytorch(run, data):
    """The first 20 steps, from the same weights on the same batches."""
    _, targets = data
    model = mlp_moe.load(run / "step-0").train()
    parameters = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.Adam(parameters, lr=1e-2)
    losses = []
    for step in range(1, 21):
        numbers = mlp_moe.batch(0, step, 32, LEARNED)
        loss = (model(numbers).logits - targets[numbers]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    ours = load_file(run / f"step-{STEPS}/training.safetensors")["loss"][:20]
    np.testing.assert_allclose(ours, losses, atol=1e-4)
    assert losses[-1] < losses[0]


def test_plain_pytorch_finds_the_held_out_loss(run, data):
    _, targets = data
    model = mlp_moe.load(run / f"step-{STEPS}")
    numbers = torch.arange(LEARNED, COUNT)
    with torch.no_grad():
        theirs = (model(numbers).logits - targets[numbers]).square().mean().item()
    state = load_file(run / f"step-{STEPS}/training.safetensors")
    assert theirs == pytest.approx(state["held_out_loss"][-1], abs=1e-5)


ALL_PROBES = {
    "routing": {},
    "jacobian": {"average": ["all", "routed", "gate"]},
    "pca": {
        "conventions": ["routed", "all_tokens", "sample_weighted"],
        "angles": True,
    },
    "spectra": {"tokens_per_expert": "all", "top": 12},
    "router_term": {"tokens": 64, "at": "first"},
}


@pytest.fixture
def analyze(run, analyze_checkpoint):
    """All that an oracle computes, of the run's last model on some examples."""

    def analyze(numbers, **changes):
        changes = {"probes": ALL_PROBES} | changes
        return analyze_checkpoint(run, f"step-{STEPS}", numbers, WINDOW, **changes)

    return analyze


def test_an_analysis_agrees_with_an_oracle(run, analyze):
    """Jacobians by autograd among it, one example at a time."""
    numbers = np.arange(LEARNED)[: LEARNED // WINDOW * WINDOW]
    found = analyze(numbers)
    wanted = oracle.expected(run / f"step-{STEPS}", numbers, WINDOW)
    assert np.isnan(wanted.pop("nll"))
    assert "nll" not in found
    assert_agree(found, wanted)


def test_untrained_models_see_the_same_examples(analyze):
    nulls = {"random_router": 5, "bootstrap": 0, "random_weights": 3}
    found = analyze(np.arange(320), nulls=nulls)
    reference = "layer0/pca/all/effective_rank"
    assert found[f"{reference}/random_weights_null_mean"] == found[reference]
    assert found["layer0/jacobian_cosine/gate/random_weights_null_std"] > 0
    assert np.isfinite(found["layer0/grassmann/routed/p"])
