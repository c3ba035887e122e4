"""Trains the same small language model in plain PyTorch.

usage: training.py FOLDER EXPERTS_PER_TOKEN [--warmup-steps N]

FOLDER is what `moeprobe-bench training --dump` wrote: initial weights, batches
and our losses, which are compared. Every expert runs on every token; with as
many experts per token as there are, routing is soft.
"""

import argparse
import pathlib

import measurement
import numpy as np
import torch
from safetensors.torch import load_file
from torch import nn
from torch.nn import functional

WIDTH, HEADS, LAYERS, CONTEXT, VOCABULARY = 128, 4, 3, 64, 256
EXPERTS, EXPERT_WIDTH = 8, 256
LEARNING_RATE = 3e-4
FIRST_STEPS = 20  # before rounding has grown


class Expert(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(WIDTH, EXPERT_WIDTH)
        self.fc2 = nn.Linear(EXPERT_WIDTH, WIDTH)

    def forward(self, x):
        return self.fc2(functional.gelu(self.fc1(x)))


class Experts(nn.Module):
    def __init__(self, per_token):
        super().__init__()
        self.gate = nn.Linear(WIDTH, EXPERTS)
        self.experts = nn.ModuleList(Expert() for _ in range(EXPERTS))
        self.per_token = per_token

    def gates(self, x):
        probabilities = self.gate(x).softmax(-1)
        if self.per_token == EXPERTS:
            return probabilities
        top, chosen = probabilities.topk(self.per_token, -1)
        top = top / top.sum(-1, keepdim=True)
        return torch.zeros_like(probabilities).scatter(-1, chosen, top)

    def forward(self, x):
        gates = self.gates(x)
        return sum(gates[..., e, None] * f(x) for e, f in enumerate(self.experts))


class Layer(nn.Module):
    def __init__(self, per_token):
        super().__init__()
        self.attention_norm = nn.LayerNorm(WIDTH)
        self.projections = nn.Linear(WIDTH, 3 * WIDTH)
        self.output = nn.Linear(WIDTH, WIDTH)
        self.mlp_norm = nn.LayerNorm(WIDTH)
        self.experts = Experts(per_token)

    def forward(self, x):
        batch, length, _ = x.shape
        query, key, value = (
            self.projections(self.attention_norm(x))
            .view(batch, length, 3, HEADS, WIDTH // HEADS)
            .permute(2, 0, 3, 1, 4)
        )
        mixed = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True
        )
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.experts(self.mlp_norm(x))


class Decoder(nn.Module):
    def __init__(self, per_token):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(CONTEXT, WIDTH)
        self.layers = nn.ModuleList(Layer(per_token) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, VOCABULARY, bias=False)

    def forward(self, ids):
        x = self.embedding(ids) + self.positions.weight[: ids.shape[1]]
        for layer in self.layers:
            x = layer(x)
        return self.head(self.norm(x))


def translate(stored):
    """Our names and parts as the modules above have them."""
    names = {
        "model.embed_tokens": "embedding",
        "model.embed_positions": "positions",
        "model.norm": "norm",
        "model.": "",
        "lm_head": "head",
        "input_layernorm": "attention_norm",
        "post_attention_layernorm": "mlp_norm",
        "self_attn.o_proj": "output",
        "block_sparse_moe": "experts",
    }
    state = {}
    for name, tensor in stored.items():
        translated = name
        for ours, theirs in names.items():
            translated = translated.replace(ours, theirs)
        state[translated] = tensor
    for layer in range(LAYERS):
        for kind in ("weight", "bias"):
            parts = [
                state.pop(f"layers.{layer}.self_attn.{part}_proj.{kind}")
                for part in "qkv"
            ]
            state[f"layers.{layer}.projections.{kind}"] = torch.cat(parts)
    return state


def train(model, batches, losses):
    """Makes a step on each batch and adds its loss to `losses`."""
    for windows in batches:
        logits = model(windows[:, :-1])
        loss = functional.cross_entropy(
            logits.reshape(-1, VOCABULARY), windows[:, 1:].reshape(-1)
        )
        model.optimizer.zero_grad()
        loss.backward()
        model.optimizer.step()
        losses.append(loss.item())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("experts_per_token", type=int)
    parser.add_argument("--warmup-steps", type=int, default=20)
    arguments = parser.parse_args()
    folder, warmup = arguments.folder, arguments.warmup_steps
    model = Decoder(arguments.experts_per_token)
    model.load_state_dict(translate(load_file(folder / "model.safetensors")))
    model.optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    batches = torch.from_numpy(np.load(folder / "batches.npy"))

    losses = []
    train(model, batches[:warmup], losses)
    timed = batches[warmup:]
    seconds = measurement.seconds(lambda: train(model, timed, losses))
    differences = np.abs(np.load(folder / "losses.npy") - losses)
    measurement.print_figure(
        {
            "peer": "plain PyTorch",
            "steps_per_second": len(timed) / seconds,
            "first_loss_difference": differences[:FIRST_STEPS].max(),
            "mean_loss_difference": differences.mean(),
            "last_loss": losses[-1],
            "threads": torch.get_num_threads(),
        }
    )


if __name__ == "__main__":
    main()
