"""A forward pass by transformers with eager experts, from memory or from disk.

usage: forward.py CHECKPOINT IDS SEQUENCE_LENGTH PRECISION
                  [--repetitions N] [--offload FOLDER]

With --offload, accelerate keeps the decoder layers on disk, in FOLDER, and the
page cache is emptied before each window; needs root.
"""

import argparse
import functools
import pathlib
import statistics

import measurement
import numpy as np
import torch
import transformers


def place_layers_on_disk(layer_count):
    rest = ("model.embed_tokens", "model.norm", "model.rotary_emb", "lm_head")
    layers = {f"model.layers.{layer}": "disk" for layer in range(layer_count)}
    return dict.fromkeys(rest, "cpu") | layers


def load_model(arguments):
    """The decoder without its head."""
    options = {}
    if arguments.offload:
        config = transformers.AutoConfig.from_pretrained(arguments.checkpoint)
        options = {
            "device_map": place_layers_on_disk(config.num_hidden_layers),
            "offload_folder": arguments.offload,
        }
    model = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.checkpoint,
        dtype=getattr(torch, arguments.precision),
        attn_implementation="sdpa",
        **options,
    ).eval()
    model.set_experts_implementation("eager")
    return model.model


def run_from_memory(model, windows, repetitions):
    """Tokens a second for all windows together."""
    seconds = measurement.median_seconds(repetitions, lambda: model(windows))
    return windows.numel() / seconds


def run_from_disk(model, windows):
    """Tokens a second, one window after the other, each with a cold cache."""
    seconds = []
    for window in windows:
        measurement.drop_page_cache()
        seconds.append(measurement.seconds(functools.partial(model, window[None])))
    return windows.shape[1] / statistics.median(seconds)


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("checkpoint", type=pathlib.Path)
    parser.add_argument("ids", type=pathlib.Path)
    parser.add_argument("sequence_length", type=int)
    parser.add_argument("precision", choices=["float32", "bfloat16"])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--offload", type=pathlib.Path)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    ids = torch.from_numpy(np.load(arguments.ids)).long()
    count = len(ids) // arguments.sequence_length
    windows = ids[: count * arguments.sequence_length].view(count, -1)
    figure = {"peer": "accelerate offload" if arguments.offload else "transformers"}
    with measurement.watch_memory(figure), torch.no_grad():
        model = load_model(arguments)
        if arguments.offload:
            rate = run_from_disk(model, windows)
        else:
            rate = run_from_memory(model, windows, arguments.repetitions)
    figure |= {"tokens_per_second": rate, "threads": torch.get_num_threads()}
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()
