"""Writes synthetic checkpoints as transformers lays them out, at disk speed.

usage: checkpoints.py SHAPE OUT [--layers N] [--dtype D] [--seed N]
       checkpoints.py ids OUT.npy COUNT [--vocabulary N] [--seed N]

Shapes: mixtral       a Mixtral-8x7B layer, 2 of them by default: 6.3 GB
        qwen          Qwen1.5-MoE-A2.7B, 24 layers: 28 GB
        mixtral-like  small enough for a peer that holds float32: width 1024
        qwen-like     the same with 60 experts
        qwen-narrow   60 experts in 24 layers, width 64

Weights are normal with standard deviation 1 / sqrt(inputs): every tensor is a
stretch of one long random block, each from a place of its own. Memory stays
below a few hundred MB, whatever the size; the same arguments give the same
bytes. config.json comes last: where it is, the checkpoint is whole.
"""

import argparse
import json
import math
import pathlib

import numpy as np

BLOCK = (1 << 24) + 43  # odd: rows of a matrix never start at the same place

MIXTRAL = {
    "architectures": ["MixtralForCausalLM"],
    "model_type": "mixtral",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 2,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "vocab_size": 32000,
    "max_position_embeddings": 32768,
    "rms_norm_eps": 1e-5,
    "rope_theta": 1e6,
    "hidden_act": "silu",
    "sliding_window": None,
    "tie_word_embeddings": False,
    "router_aux_loss_coef": 0.02,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
QWEN = {
    "architectures": ["Qwen2MoeForCausalLM"],
    "model_type": "qwen2_moe",
    "hidden_size": 2048,
    "intermediate_size": 5632,
    "moe_intermediate_size": 1408,
    "shared_expert_intermediate_size": 5632,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "num_experts": 60,
    "num_experts_per_tok": 4,
    "norm_topk_prob": False,
    "decoder_sparse_step": 1,
    "mlp_only_layers": [],
    "vocab_size": 151936,
    "max_position_embeddings": 8192,
    "max_window_layers": 21,
    "use_sliding_window": False,
    "sliding_window": 32768,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1e6,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "router_aux_loss_coef": 0.001,
    "bos_token_id": 151643,
    "eos_token_id": 151643,
}
SMALL = {"hidden_size": 1024, "num_hidden_layers": 2, "vocab_size": 32000}
SHAPES = {
    "mixtral": MIXTRAL,
    "qwen": QWEN,
    "mixtral-like": MIXTRAL
    | SMALL
    | {
        "intermediate_size": 3584,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
    },
    "qwen-narrow": QWEN
    | {
        "hidden_size": 64,
        "intermediate_size": 64,
        "moe_intermediate_size": 32,
        "shared_expert_intermediate_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "vocab_size": 32000,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
    "qwen-like": QWEN
    | SMALL
    | {
        "intermediate_size": 2816,
        "moe_intermediate_size": 704,
        "shared_expert_intermediate_size": 2816,
        "bos_token_id": 1,
        "eos_token_id": 2,
    },
}


def attention_tensors(config, prefix):
    width = config["hidden_size"]
    head_width = width // config["num_attention_heads"]
    key_width = config["num_key_value_heads"] * head_width
    rows = {"q": width, "k": key_width, "v": key_width, "o": width}
    for name, count in rows.items():
        yield f"{prefix}self_attn.{name}_proj.weight", (count, width)
        if config["model_type"] == "qwen2_moe" and name != "o":
            yield f"{prefix}self_attn.{name}_proj.bias", (count,)


def mlp_tensors(prefix, names, width, inner):
    gate, up, down = names
    yield f"{prefix}.{gate}.weight", (inner, width)
    yield f"{prefix}.{up}.weight", (inner, width)
    yield f"{prefix}.{down}.weight", (width, inner)


def expert_tensors(config, prefix):
    width = config["hidden_size"]
    if config["model_type"] == "mixtral":
        block, names = f"{prefix}block_sparse_moe", ("w1", "w3", "w2")
        count, inner = config["num_local_experts"], config["intermediate_size"]
    else:
        block, names = f"{prefix}mlp", ("gate_proj", "up_proj", "down_proj")
        count, inner = config["num_experts"], config["moe_intermediate_size"]
        shared = config["shared_expert_intermediate_size"]
        yield from mlp_tensors(f"{block}.shared_expert", names, width, shared)
        yield f"{block}.shared_expert_gate.weight", (1, width)
    yield f"{block}.gate.weight", (count, width)
    for expert in range(count):
        yield from mlp_tensors(f"{block}.experts.{expert}", names, width, inner)


def layer_tensors(config, layer):
    prefix = f"model.layers.{layer}."
    yield f"{prefix}input_layernorm.weight", (config["hidden_size"],)
    yield f"{prefix}post_attention_layernorm.weight", (config["hidden_size"],)
    yield from attention_tensors(config, prefix)
    yield from expert_tensors(config, prefix)


def shards(config):
    """Names and shapes, file by file: what is outside the layers, then each."""
    width, vocabulary = config["hidden_size"], config["vocab_size"]
    yield [
        ("model.embed_tokens.weight", (vocabulary, width)),
        ("model.norm.weight", (width,)),
        ("lm_head.weight", (vocabulary, width)),
    ]
    for layer in range(config["num_hidden_layers"]):
        yield list(layer_tensors(config, layer))


def deviation(name, shape):
    """Standard deviation of a weight."""
    if name == "model.embed_tokens.weight":
        return 1.0
    return 0.1 if len(shape) == 1 else 1 / math.sqrt(shape[1])


def as_stored(values, dtype):
    """Float32 values in the type of the file, as an array of integers."""
    bits = values.astype(np.float32).view(np.uint32)
    if dtype == "float32":
        return bits
    # Rounded to nearest, ties to even; no value here is near overflow.
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return (rounded >> 16).astype(np.uint16)


class Weights:
    """Random weights in the type of the file."""

    def __init__(self, dtype, seed):
        self.dtype = dtype
        self.item_bytes = 4 if dtype == "float32" else 2
        self.random = np.random.default_rng(seed)
        self.block = self.random.standard_normal(BLOCK, dtype=np.float32)
        self.scaled = {}  # by standard deviation: the block as stored

    def pieces(self, name, shape):
        """Yields a tensor's values, in order."""
        rest = math.prod(shape)
        if name.endswith("norm.weight"):
            yield as_stored(np.ones(rest), self.dtype)
            return
        block = self.scaled_block(deviation(name, shape))
        begin = int(self.random.integers(BLOCK))
        while rest > 0:
            piece = block[begin : begin + rest]
            yield piece
            rest -= len(piece)
            begin = 0

    def scaled_block(self, scale):
        if scale not in self.scaled:
            self.scaled[scale] = as_stored(self.block * np.float32(scale), self.dtype)
        return self.scaled[scale]


def header(tensors, weights):
    """The safetensors header: offsets by name, padded to eight bytes."""
    entries, offset = {}, 0
    for name, shape in tensors:
        end = offset + math.prod(shape) * weights.item_bytes
        entries[name] = {
            "dtype": "F32" if weights.dtype == "float32" else "BF16",
            "shape": shape,
            "data_offsets": [offset, end],
        }
        offset = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text, offset


def write_shard(path, tensors, weights):
    """Returns the bytes of its tensors."""
    head, data_bytes = header(tensors, weights)
    with path.open("wb", buffering=0) as file:
        file.write(head)
        for name, shape in tensors:
            for piece in weights.pieces(name, shape):
                write_all(file, memoryview(piece).cast("B"))
    return data_bytes


def write_all(file, view):
    while len(view):
        view = view[file.write(view) :]


def write_checkpoint(config, out, dtype, seed):
    out.mkdir(parents=True, exist_ok=True)
    weights = Weights(dtype, seed)
    files = list(shards(config))
    weight_map, total = {}, 0
    for number, tensors in enumerate(files, start=1):
        name = f"model-{number:05d}-of-{len(files):05d}.safetensors"
        total += write_shard(out / name, tensors, weights)
        weight_map |= {tensor: name for tensor, _ in tensors}
    index = {"metadata": {"total_size": total}, "weight_map": weight_map}
    (out / "model.safetensors.index.json").write_text(json.dumps(index))
    (out / "config.json").write_text(json.dumps(config | {"torch_dtype": dtype}))


def write_ids(out, count, vocabulary, seed):
    out.parent.mkdir(parents=True, exist_ok=True)
    ids = np.random.default_rng(seed).integers(0, vocabulary, count)
    np.save(out, ids.astype(np.int32))


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="shape", required=True)
    for shape in SHAPES:
        command = commands.add_parser(shape)
        command.add_argument("out", type=pathlib.Path)
        command.add_argument("--layers", type=int)
        command.add_argument(
            "--dtype", choices=["float32", "bfloat16"], default="bfloat16"
        )
        command.add_argument("--seed", type=int, default=0)
    command = commands.add_parser("ids")
    command.add_argument("out", type=pathlib.Path)
    command.add_argument("count", type=int)
    command.add_argument("--vocabulary", type=int, default=32000)
    command.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.shape == "ids":
        write_ids(arguments.out, arguments.count, arguments.vocabulary, arguments.seed)
        return
    config = dict(SHAPES[arguments.shape])
    if arguments.layers:
        config["num_hidden_layers"] = arguments.layers
    write_checkpoint(config, arguments.out, arguments.dtype, arguments.seed)


if __name__ == "__main__":
    main()
