"""A result of kind: train as a server would send it, with made-up numbers."""

import moeprobe
import numpy as np
from moeprobe.result.document import result_document
from moeprobe.v1 import job_pb2, result_pb2, result_service_pb2

SEEDS = (0, 1, 2)
STEPS = (0, 10, 20)
EXPERTS = {"dense": 1, "top-2": 4, "soft": 4}
PAIRS = "grassmann/routed"


def _settings(**values):
    return [result_pb2.SweepSetting(field=f, value=str(v)) for f, v in values.items()]


def _row(result, prefix, layer, quantity, mean, **more):
    place = f"layer{layer}/" if layer >= 0 else ""
    result.summary.add(
        name=f"{prefix}{place}{quantity}", layer=layer, quantity=quantity, mean=mean,
        standard_deviation=0.25, count=6, **more,
    )  # fmt: skip


def _curves(prefix, step, experts, seed):
    arrays = {
        f"{prefix}training/{name}": np.linspace(3 + seed, 2 + seed, step)
        for name in ("loss", "balance_loss", "gradient_norm", "learning_rate")
    }
    kept = [at for at in STEPS if at <= step]
    arrays[f"{prefix}training/evaluation_step"] = np.array(kept)
    arrays[f"{prefix}training/held_out_loss"] = 3.0 - np.array(kept) / 20 + seed
    if experts > 1:
        tokens = np.full((len(kept), 2, experts), 8)
        tokens[..., 0] = 16
        tokens[0] = 0
        arrays[f"{prefix}training/expert_tokens"] = tokens
        arrays[f"{prefix}training/expert_gates"] = tokens / 64
    return arrays


def _add_part(result, arrays, run, step, gates=""):
    variant, seed = run
    prefix = f"{variant}/seed{seed}/step{step}/"
    settings = _settings(variant=variant, seed=seed, step=step)
    if gates:
        prefix += f"gates-{gates}/"
        settings += _settings(gates=gates)
    result.cells.add(prefix=prefix, settings=settings)
    result.provenance.add(prefix=prefix, model=f"trained/x/step-{step}")
    experts = EXPERTS[variant]
    if not gates:
        arrays |= _curves(prefix, step, experts, seed)
        _row(result, prefix, -1, "loss", 3.0 + seed - step / 20)
        _row(result, prefix, -1, "held_out_loss", 3.0 + seed - step / 20)
    for layer in (0, 1):
        arrays[f"{prefix}layer{layer}/expert_count"] = 1 + np.arange(experts)
        value = 1.0 + seed + step / 10 + layer
        for quantity in (PAIRS, "jacobian_cosine/routed"):
            matrix = np.full((experts, experts), value)
            arrays[f"{prefix}layer{layer}/{quantity}"] = matrix
        if experts > 1:
            last = step == STEPS[-1]
            nulls = {"null_mean": value / 2, "null_standard_deviation": 0.1,
                     "p_value": 0.1} if last else {}  # fmt: skip
            _row(result, prefix, layer, PAIRS, value, **nulls)


def make(variants=("dense", "top-2", "soft"), steps=STEPS, seeds=SEEDS):
    """A result of all that was trained, and of soft under the gates of top-2."""
    job = job_pb2.Job(name="jobs/5", state=job_pb2.Job.STATE_SUCCEEDED)
    job.train.probe.probes.pca.components = 5
    job.train.seeds.extend(seeds)
    for variant in variants:
        job.train.variants.add(name=variant)
    result = result_service_pb2.Result(job=job)
    arrays = {}
    for variant in variants:
        for seed in seeds:
            for step in steps:
                _add_part(result, arrays, (variant, seed), step)
    if "soft" in variants and steps:
        for seed in seeds:
            _add_part(result, arrays, ("soft", seed), steps[-1], gates="top-2")
    return moeprobe.Result(result_document(result), arrays)
