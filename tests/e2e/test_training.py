"""Trained checkpoints are what other programs, and analyses, take them for."""

import functools
import subprocess

import numpy as np
import oracle
import pytest
import service
import torch
import transformers
import two_layer
from safetensors.numpy import load_file
from tolerances import assert_agree

CONTEXT = 12
torch.set_num_threads(1)  # matrices are small: more would wait for each other


def held_out_windows():
    """Those of core/train/training_fixture.h."""
    ids = np.array([i * i // 7 % 24 for i in range(1000)])[900:]
    starts = range(0, len(ids) - CONTEXT, CONTEXT)
    return torch.tensor(np.stack([ids[i : i + CONTEXT + 1] for i in starts]))


def loss(model, ids, targets):
    with torch.no_grad():
        logits = model(ids).logits
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def train(tmp_path_factory, experts):
    """Checkpoints of a run of the fixture's model."""
    folder = tmp_path_factory.mktemp("models") / "run"
    driver = service.BUILD / "core/train/training_driver"
    subprocess.run([driver, folder, experts, "30"], check=True)
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return train(tmp_path_factory, "gated")


@pytest.fixture(scope="module")
def two_layer_run(tmp_path_factory):
    return train(tmp_path_factory, "two-layer")


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


def test_an_analysis_loads_a_trained_mixtral(run, mixtral, analyze_checkpoint):
    ids = held_out_windows()[:, :-1]
    arrays = analyze_checkpoint(run, "step-30", ids.flatten().numpy(), CONTEXT)
    assert arrays["layer1/jacobian_cosine/all"].shape == (4, 4)
    expected = loss(mixtral, ids[:, :-1], ids[:, 1:]).item()
    assert arrays["nll"] == pytest.approx(expected, abs=1e-4)


def test_plain_pytorch_finds_the_loss_of_trained_experts_of_two_layers(two_layer_run):
    windows = held_out_windows()
    model = two_layer.load(two_layer_run / "step-30")
    theirs = loss(model, windows[:, :-1], windows[:, 1:]).item()
    state = load_file(two_layer_run / "step-30/training.safetensors")
    assert theirs == pytest.approx(state["held_out_loss"][-1], abs=1e-5)
    assert theirs < np.log(24) - 0.3


ALL_PROBES = {
    "routing": {},
    "jacobian": {"average": ["all", "routed", "gate"]},
    "pca": {
        "conventions": ["routed", "all_tokens", "sample_weighted"],
        "angles": True,
    },
    "spectra": {"tokens_per_expert": "all", "top": 128},
    "router_term": {"tokens": 64, "at": "first"},
}


@pytest.fixture
def analyze(analyze_checkpoint):
    """All that an oracle computes, of a checkpoint on some tokens."""
    return functools.partial(analyze_checkpoint, probes=ALL_PROBES, nll=True)


def test_an_analysis_of_trained_experts_of_two_layers_agrees_with_an_oracle(
    two_layer_run, analyze
):
    ids = held_out_windows()[:, :-1].flatten().numpy()
    found = analyze(two_layer_run, "step-30", ids, CONTEXT)
    wanted = oracle.expected(two_layer_run / "step-30", ids, CONTEXT)
    assert_agree(found, wanted)


@pytest.mark.parametrize("per_token", [0, 2])
def test_the_papers_shape_agrees_with_an_oracle(per_token, tmp_path, analyze):
    """d 128, 3 layers, 8 experts or one MLP, 128 tokens, before training."""
    config = {
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "vocab_size": 256,
        "max_position_embeddings": 64,
        "layer_norm_eps": 1e-5,
        "hidden_act": "gelu",
    }
    if per_token:
        config |= {
            "num_local_experts": 8,
            "num_experts_per_tok": per_token,
            "norm_topk_prob": True,
            "router_temperature": 0.8,
        }
    torch.manual_seed(per_token)
    model = two_layer.Decoder(config)
    with torch.no_grad():  # so that there are gaps in spectra
        model.model.embed_tokens.weight *= torch.exp(-torch.arange(128) / 8)
    folder = tmp_path / "models/paper"
    folder.parent.mkdir()
    two_layer.save(model, config, folder)
    ids = np.random.default_rng(0).integers(0, 256, 128)
    found = analyze(folder.parent, "paper", ids, 64)
    assert_agree(found, oracle.expected(folder, ids, 64))


def test_bfloat16_changes_the_loss_of_experts_of_two_layers_a_little(
    two_layer_run, analyze
):
    ids = held_out_windows()[:, :-1].flatten().numpy()
    losses = [
        analyze(
            two_layer_run,
            "step-30",
            ids,
            CONTEXT,
            precision=precision,
            probes={"routing": {}},
        )["nll"]
        for precision in ("float32", "bfloat16")
    ]
    assert 0 < abs(losses[1] - losses[0]) < 0.01


def test_everything_runs_on_experts_of_two_layers(two_layer_run, analyze):
    """Nulls, interventions and the like: finite, and the same bytes again."""
    changes = {
        "probes": ALL_PROBES
        | {
            "jacobian": {"projections": 2, "by_tokens": True},
            "redundancy": {},
            "interventions": {"pairs": 2},
            "spectra": {"tokens_per_expert": 4},
        },
        "nulls": {
            "random_router": 19,
            "permutations": 19,
            "bootstrap": 40,
            "random_weights": 2,
        },
    }
    ids = held_out_windows()[:, :-1].flatten().numpy()
    first, second = (
        analyze(two_layer_run, "step-30", ids, CONTEXT, **changes) for _ in range(2)
    )
    for quantity in ("jacobian_cosine/gate", "grassmann/routed"):
        for part in ("p", "null_mean", "random_weights_null_mean", "interval"):
            name = f"layer1/{quantity}/{part}"
            assert np.all(np.isfinite(first[name])), name
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert array.tobytes() == second[name].tobytes(), name
