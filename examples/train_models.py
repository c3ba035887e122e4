"""Trains the bundled pair from scratch: a Mixtral and its dense counterpart.

usage: train_models.py OUT_DIR [--steps N] [--seed N] [--models NAME ...]

Writes OUT_DIR/tiny-mixtral and OUT_DIR/tiny-llama as transformers lays models
out (bfloat16), with one byte-level BPE tokenizer for both, and prints losses
in nats a token. Runs on one processor core, about 20 minutes.
"""

import argparse
import math
import pathlib
import tempfile
import time

import tokenizers
import torch
import transformers
from make_texts import write_texts

VOCABULARY = 1024
CONTEXT = 128
BATCH = 16
PEAK_LEARNING_RATE = 2e-3
WARM_UP_STEPS = 50
BALANCE_LOSS = 0.02
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "tie_word_embeddings": True,
    "bos_token_id": None,
    "eos_token_id": None,
}


def train_tokenizer(files):
    """A byte-level BPE without special tokens."""
    tokenizer = tokenizers.ByteLevelBPETokenizer()
    tokenizer.train([str(f) for f in files], VOCABULARY, show_progress=False)
    return tokenizer


def make_mixtral():
    return transformers.MixtralForCausalLM(
        transformers.MixtralConfig(
            **SHAPE,
            intermediate_size=128,
            num_local_experts=8,
            num_experts_per_tok=2,
            router_aux_loss_coef=0.0,  # see balance_loss
            output_router_logits=True,
        )
    )


def make_llama():
    """Dense, as wide as the two experts that are active for a token."""
    return transformers.LlamaForCausalLM(
        transformers.LlamaConfig(**SHAPE, intermediate_size=256)
    )


MODELS = {"tiny-mixtral": make_mixtral, "tiny-llama": make_llama}


def balance_loss(router_logits, top_k):
    """Switch Transformer's, for each layer by itself: 1 where loads are even.

    The one in transformers takes all layers together and lets each collapse.
    """
    losses = []
    for logits in router_logits:
        scores = logits.float().softmax(-1)
        chosen = torch.zeros_like(scores)
        chosen.scatter_(-1, scores.topk(top_k).indices, 1.0 / top_k)
        losses.append(scores.shape[1] * (chosen.mean(0) * scores.mean(0)).sum())
    return torch.stack(losses).mean()


def training_loss(model, batch):
    output = model(input_ids=batch, labels=batch)
    if "router_logits" not in output:
        return output.loss
    balance = balance_loss(output.router_logits, model.config.num_experts_per_tok)
    return output.loss + BALANCE_LOSS * balance


def learning_rate_factor(step, steps):
    """Linear warm-up, then a half cosine down to a twentieth."""
    if step < WARM_UP_STEPS:
        return (step + 1) / WARM_UP_STEPS
    done = (step - WARM_UP_STEPS) / max(1, steps - WARM_UP_STEPS)
    return 0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done))


def train(model, ids, steps, seed):
    """Trains on windows drawn uniformly; every seed draws its own."""
    optimizer = torch.optim.AdamW(
        model.parameters(), PEAK_LEARNING_RATE, (0.9, 0.98), weight_decay=0.05
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, steps)
    )
    draws = torch.Generator().manual_seed(seed)
    start, recent = time.time(), 0.0
    for step in range(steps):
        at = torch.randint(len(ids) - CONTEXT, (BATCH,), generator=draws)
        batch = torch.stack([ids[a : a + CONTEXT] for a in at])
        loss = training_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        recent = loss.item() if step == 0 else 0.98 * recent + 0.02 * loss.item()
        if (step + 1) % 100 == 0:
            seconds = time.time() - start
            print(f"  step {step + 1} loss {recent:.3f} {seconds:.0f} s", flush=True)


@torch.no_grad()
def mean_loss(model, ids, windows=64):
    """Next-token loss over evenly spread windows, without balance loss."""
    starts = torch.linspace(0, len(ids) - CONTEXT, windows).long()
    batch = torch.stack([ids[s : s + CONTEXT] for s in starts])
    logits = model(input_ids=batch).logits[:, :-1]
    return torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), batch[:, 1:].flatten()
    ).item()


def save(model, tokenizer, directory):
    """Weights in bfloat16, configuration and tokenizer.json."""
    if hasattr(model.config, "output_router_logits"):
        model.config.output_router_logits = False
    model.to(torch.bfloat16).save_pretrained(directory)
    directory.joinpath("generation_config.json").unlink(missing_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", choices=MODELS, default=list(MODELS))
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as directory:
        texts = write_texts(directory)
        tokenizer = train_tokenizer(
            [path for (_, part), path in texts.items() if part == "train"]
        )
        ids = {
            key: torch.tensor(tokenizer.encode(path.read_text()).ids)
            for key, path in texts.items()
        }
    # The shorter text counts twice, so that experts have two subjects.
    subjects = ["king-james", "jargon", "jargon"]
    training_ids = torch.cat([ids[name, "train"] for name in subjects])
    print(f"{len(training_ids)} training tokens")
    for name in options.models:
        torch.manual_seed(options.seed)
        model = MODELS[name]()
        parameters = sum(p.numel() for p in model.parameters())
        print(f"{name}: {parameters} parameters", flush=True)
        train(model.train(), training_ids, options.steps, options.seed)
        model.eval()
        for key in ids:
            print(f"  {' '.join(key)}: {mean_loss(model, ids[key]):.3f}")
        save(model, tokenizer, options.out / name)


if __name__ == "__main__":
    main()
