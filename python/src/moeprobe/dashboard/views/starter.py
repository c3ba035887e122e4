"""Requests to begin with, as `moeprobe-client init` writes them."""

from __future__ import annotations

import json

from moeprobe.catalog import Model

# Layers up to which one looks at all of them first.
_FEW_LAYERS = 8
# Experts beyond which all of them on every token are dear.
_FEW_EXPERTS = 16


def starter_request(model: Model | None, dataset: str, kind: str = "text") -> str:
    """Return a request file: an analysis of `model` on a data set of the server.

    Where there is no model or data set ("") to begin with, "NAME" stands for it.
    """
    few_layers = model is None or model.layer_count <= _FEW_LAYERS
    few_experts = model is None or model.expert_count <= _FEW_EXPERTS
    average = "routed, gate, all" if few_experts else "routed, gate"
    name = model.name if model else "NAME"
    return f"""\
kind: analyze
name: {_quoted(f"a first look at {name}"[:200])}
model: {_quoted(name)}
# baseline: NAME             # a dense counterpart, probed on the same text
data:
  {kind}: {_quoted(dataset or "NAME")}
  tokens: 16384              # or all
  sequence_length: 512       # windows are independent sequences
layers: {"all" if few_layers else "early-middle-late"}   # or such as [3, 16, 29]
# precision: bfloat16        # faster, for checkpoints of that type
probes:
  routing: {{}}
  jacobian: {{average: [{average}]}}   # all: every expert on every token
  pca: {{conventions: [routed], components: 5}}
  # spectra: {{tokens_per_expert: 8, top: 16}}    # singular values at tokens
  # router_term: {{tokens: 64}}                   # what the gates' gradients add
  # redundancy: {{}}                              # which experts resemble each other
  # interventions: {{pairs: 8}}                   # what the model loses if merged
# routing: {{select: all}}     # the same experts under other gates
# sweep: {{routing.temperature: [0.5, 1, 2]}}     # one job for all of them
nulls: {{random_router: 99, bootstrap: 200}}
seed: 0
"""


def starter_experiment(dataset: str, kind: str = "text") -> str:
    """Return a request file: variants of a small model, trained on a data set."""
    vocabulary = """
  vocabulary: bytes          # or a model of the server, for its tokenizer"""
    return f"""\
kind: train
name: "dense, top-2 and soft"
data:
  {kind}: {_quoted(dataset or "NAME")}{vocabulary if kind == "text" else ""}
  held_out: 0.1              # the end of it is not learned from
model:
  layers: 3
  width: 128
  heads: 4
  context: 64
  experts: 8
  expert_width: 256
  expert: gelu_mlp           # or gated_mlp: Mixtral's layout
  init: normal_0.02          # or torch
variants:                    # each is trained once for each seed
  dense: {{block: dense, match: expert}}   # or active, total: parameters alike
  top-2: {{block: moe, routing: {{select: top_k, top_k: 2}}}}
  soft: {{block: moe, routing: {{select: all}}}}
seeds: [0, 1, 2]
optimizer:
  learning_rate: 3.0e-4
  batch: 32
  steps: 2000
  # decay: cosine            # constant, linear or cosine, after
  # warmup: 100              # so many steps
  # clip: 1.0                # norm of gradients
  # balance_loss: 0.01       # for even loads of experts
probe:
  every: 500                 # steps; 0: after the last one alone
  evaluate_on: held_out      # or train
  tokens: 16384              # or all
  probes:
    routing: {{}}
    jacobian: {{}}
    pca: {{conventions: [routed, sample_weighted]}}
    # spectra: {{tokens_per_expert: all}}      # singular values at tokens
  # nulls: {{random_router: 99, random_weights: 9, bootstrap: 200}}
# swap_routing: [soft, top-2]  # the same parameters under the other's gates
"""


def _quoted(text: str) -> str:
    """Return a text of one line as YAML has it."""
    return json.dumps(text, ensure_ascii=False)
