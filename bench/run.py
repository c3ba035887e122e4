"""Measures moeprobe beside its peers and keeps the results.

usage: run.py [--rounds N] FIGURE ...
       run.py render

Figures: jacobian spectra forward precision offload pca analysis-mixtral
analysis-qwen nulls training latency submits long-queue soak report
dashboard second-probe estimate.
Builds what it needs, writes synthetic checkpoints to build/bench/work, lets ours
and the peer take turns, appends a line for each row to bench/results.jsonl and
renders docs/benchmarks.md. `offload` needs root: it empties the page cache.
"""

import argparse
import datetime
import json
import operator
import os
import pathlib
import shlex
import statistics
import subprocess
import sys

import machine
import page

ROOT = pathlib.Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench/results.jsonl"
PAGE = ROOT / "docs/benchmarks.md"
# Relative to ROOT, so that commands can be printed and run again.
WORK = "build/bench/work"
PROGRAM = "build/bench/bin/moeprobe-bench"
PYTHON = ".venv/bin/python"
LAYERS_OF_QWEN = "3,16,22"
TEXT = "examples/texts/king-james.txt"

RELATIONS = {"≥": operator.ge, "≤": operator.le, "<": operator.lt}


def shell(command):
    return shlex.join(command)


def run(command, **options):
    """Runs a command in the checkout; its output goes to stderr."""
    print(f"$ {shell(command)}", file=sys.stderr, flush=True)
    subprocess.run(command, check=True, cwd=ROOT, stdout=sys.stderr, **options)


def measure(command):
    """Runs a benchmark and returns what it printed."""
    print(f"$ {shell(command)}", file=sys.stderr, flush=True)
    done = subprocess.run(
        command,
        check=True,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    line = done.stdout.splitlines()[-1]
    print(line, file=sys.stderr, flush=True)
    return json.loads(line)


class Measurement:
    """Figures of one command, or of two that took turns."""

    def __init__(self, ours, peer=None, rounds=1):
        self.commands = [ours, peer] if peer else [ours]
        turns = [[measure(c) for c in self.commands] for _ in range(rounds)]
        self.ours, *rest = zip(*turns, strict=True)
        self.peer = rest[0] if rest else None

    def row(self, name, title, quantity, unit, goal=None):
        """A row about ours alone: the median over rounds."""
        value = statistics.median(figure[quantity] for figure in self.ours)
        return self._record(name, title, unit, goal, judged=value, ours=value)

    def peer_row(self, name, title, quantity, unit, goal):
        """A row about what the peer found out about ours."""
        value = max(figure[quantity] for figure in self.peer)
        return self._record(name, title, unit, goal, judged=value, ours=value)

    def ratio_row(self, name, title, quantity, unit, goal):
        """A row about ours and the peer's. A ratio of times is the peer's over
        ours, any other is ours over the peer's."""
        ours = [figure[quantity] for figure in self.ours]
        peer = [figure[quantity] for figure in self.peer]
        over, under = (peer, ours) if unit == "s" else (ours, peer)
        ratio = statistics.median(a / b for a, b in zip(over, under, strict=True))
        return self._record(
            name,
            title,
            unit,
            goal,
            judged=ratio,
            ours=statistics.median(ours),
            peer=statistics.median(peer),
            ratio=ratio,
        )

    def _record(self, name, title, unit, goal, *, judged, ours, peer=None, ratio=None):
        return {
            "row": name,
            "title": title,
            "unit": unit,
            "ours": ours,
            "peer": peer,
            "ratio": ratio,
            "goal": goal,
            "met": goal is None or RELATIONS[goal[0]](judged, goal[1]),
            "commands": [shell(command) for command in self.commands],
        }


def checkpoint(shape, **options):
    """Path of a synthetic checkpoint, written if it is not there yet."""
    name = "-".join([shape, *map(str, options.values())])
    path = f"{WORK}/{name}"
    if not (ROOT / path / "config.json").exists():
        flags = [f"--{key}={value}" for key, value in options.items()]
        run([PYTHON, "bench/checkpoints.py", shape, path, *flags])
    return path


def token_ids(count):
    path = f"{WORK}/ids-{count}.npy"
    if not (ROOT / path).exists():
        run([PYTHON, "bench/checkpoints.py", "ids", path, str(count)])
    return path


def text_ids(model, text):
    """Path of a text's token ids, made with the model's own tokenizer."""
    path = f"{WORK}/ids-{pathlib.Path(text).stem}.npy"
    if not (ROOT / path).exists():
        (ROOT / WORK).mkdir(parents=True, exist_ok=True)
        command = [PYTHON, "server/worker/tokenize_text.py", text, path]
        with (ROOT / model / "tokenizer.json").open() as tokenizer:
            run(command, stdin=tokenizer)
    return path


def peer_command(script, *arguments):
    return [PYTHON, f"bench/peers/{script}.py", *arguments]


def jacobian(rounds):
    for width, expert_width, tokens, goal in (
        (128, 256, 4096, 100),
        (512, 1024, 512, 500),
    ):
        folder = f"{WORK}/jacobian-{width}"
        shape = [str(width), str(expert_width), str(tokens)]
        both = Measurement(
            [PROGRAM, "jacobian", *shape, "--dump", folder],
            peer_command("averaged_jacobian", folder),
            rounds,
        )
        title = f"averaged Jacobian, d {width}, f {expert_width}, {tokens:,} tokens"
        name = f"jacobian-{width}"
        yield both.ratio_row(name, title, "seconds", "s", ("≥", goal))
        yield both.peer_row(
            f"{name}-error",
            f"{title}: relative error",
            "relative_error",
            "",
            ("≤", 1e-5),
        )


def spectra(rounds):
    for shape, width, expert_width, goal in (
        ("Qwen1.5-MoE's shape", 2048, 1408, ("≥", 20)),
        ("Mixtral's shape", 4096, 14336, None),
    ):
        folder = f"{WORK}/spectra-{width}"
        both = Measurement(
            [PROGRAM, "spectra", str(width), str(expert_width), "8", "--dump", folder],
            peer_command("spectra", folder),
            rounds,
        )
        title = f"16 singular values a token, 8 tokens of an expert of {shape}"
        name = f"spectra-{width}"
        yield both.ratio_row(name, title, "seconds_per_token", "s", goal)
        yield both.row(
            f"{name}-fraction",
            f"{title}: fraction of the GEMM rate",
            "gemm_fraction",
            "",
            ("≥", 0.5),
        )
        yield both.peer_row(
            f"{name}-error",
            f"{title}: largest relative error",
            "relative_error",
            "",
            ("≤", 1e-4),
        )


def forward(rounds):
    ids = token_ids(2048)
    for shape in ("mixtral-like", "qwen-like"):
        for precision in ("float32", "bfloat16"):
            model = checkpoint(shape, dtype=precision)
            arguments = [model, ids, "512", precision]
            both = Measurement(
                [PROGRAM, "forward", *arguments],
                peer_command("forward", *arguments),
                rounds,
            )
            yield both.ratio_row(
                f"forward-{shape}-{precision}",
                f"forward pass, {shape}, {precision}",
                "tokens_per_second",
                "tokens/s",
                ("≥", 1.0),
            )


def precision(_rounds):
    bundled = "examples/models/tiny-mixtral"
    models = {"tiny-mixtral": (bundled, text_ids(bundled, TEXT), "128")}
    for shape in ("mixtral-like", "qwen-like"):
        model = checkpoint(shape, dtype="bfloat16")
        models[shape] = (model, token_ids(2048), "512")
    for name, arguments in models.items():
        alone = Measurement([PROGRAM, "precision", *arguments])
        title = f"bfloat16 beside float32, {name}"
        yield alone.row(
            f"precision-{name}-chosen",
            f"{title}: chosen experts that agree",
            "chosen_agreement",
            "",
            ("≥", 0.97),
        )
        yield alone.row(
            f"precision-{name}-nll",
            f"{title}: difference of the NLL",
            "nll_difference",
            "nats",
            ("≤", 0.01),
        )


def offload(rounds):
    arguments = [checkpoint("mixtral", layers=2), token_ids(2048), "512", "bfloat16"]
    both = Measurement(
        [PROGRAM, "forward", *arguments, "--drop-caches-before-window"],
        peer_command("forward", *arguments, "--offload", f"{WORK}/offload"),
        rounds,
    )
    title = "forward pass from disk, 2 layers of Mixtral's shape"
    yield both.ratio_row("offload", title, "tokens_per_second", "tokens/s", ("≥", 1.8))
    yield both.ratio_row(
        "offload-memory",
        f"{title}: memory",
        "peak_anonymous_bytes",
        "bytes",
        ("≤", 0.25),
    )
    yield both.row(
        "offload-disk",
        f"{title}: fraction of the disk's own rate",
        "share_of_disk_rate",
        "",
    )


def pca(rounds):
    folder = f"{WORK}/pca"
    both = Measurement(
        [PROGRAM, "pca", "60", "2048", "1100", "--dump", folder],
        peer_command("pca", folder),
        rounds,
    )
    title = "PCA and Grassmann distances, 60 experts, d 2048, 1,100 tokens each"
    yield both.ratio_row("pca", title, "seconds", "s", ("≥", 3))
    yield both.peer_row(
        "pca-error",
        f"{title}: largest difference of a distance",
        "distance_error",
        "",
        ("≤", 5e-3),
    )


def analysis(model, layers, precision):
    command = [PROGRAM, "analysis", model, token_ids(16384), "512", precision]
    return Measurement([*command, "--layers", layers, "--counted"])


def analysis_mixtral(_rounds):
    model = checkpoint("mixtral", layers=2)
    for precision in ("bfloat16", "float32"):
        alone = analysis(model, "0,1", precision)
        name = f"analysis-mixtral-{precision}"
        title = f"analysis, 2 layers of Mixtral's shape, 16,384 tokens, {precision}"
        yield alone.row(name, title, "seconds", "s") | profile_of(alone)
        yield alone.row(
            f"{name}-fraction",
            f"{title}: fraction of the GEMM rate",
            "gemm_fraction",
            "",
            ("≥", 0.6),
        )
        yield alone.row(
            f"{name}-memory",
            f"{title}: memory",
            "peak_anonymous_bytes",
            "bytes",
            ("≤", 4e9),
        )


def analysis_qwen(_rounds):
    alone = analysis(checkpoint("qwen"), LAYERS_OF_QWEN, "bfloat16")
    name, title = "analysis-qwen", "analysis, Qwen1.5-MoE-A2.7B, layers 3, 16 and 22"
    yield alone.row(name, title, "seconds", "s") | profile_of(alone)
    yield alone.row(
        f"{name}-fraction", f"{title}: fraction of the GEMM rate", "gemm_fraction", ""
    )
    yield alone.row(
        f"{name}-memory", f"{title}: memory", "peak_anonymous_bytes", "bytes"
    )
    yield alone.row(
        f"{name}-read", f"{title}: read from disk", "disk_bytes_read", "bytes"
    )


def nulls(_rounds):
    """With nulls, intervals and router term beside without, in turns."""
    for shape, model, layers in (
        ("Mixtral's shape", checkpoint("mixtral", layers=2), "0"),
        ("Qwen1.5-MoE's shape", checkpoint("qwen"), "3"),
    ):
        command = [PROGRAM, "analysis", model, token_ids(16384), "512", "bfloat16"]
        command += ["--layers", layers]
        both = Measurement(command, [*command, "--nulls"])
        title = f"nulls, intervals and router term, layer of {shape}, 16,384 tokens"
        ratio = both.peer[0]["seconds"] / both.ours[0]["seconds"]
        yield {
            "row": f"nulls-{shape.split(chr(39))[0].lower()}",
            "title": f"{title}: time beside without",
            "unit": "",
            "ours": ratio,
            "peer": None,
            "ratio": None,
            "goal": ("≤", 2.0),
            "met": ratio <= 2.0,
            "commands": [shell(c) for c in both.commands],
            "profile": both.peer[0]["seconds_by_step"],
        }


def training(rounds):
    for name, per_token, goal in (("top-2", 2, 2.0), ("soft", 8, 1.1)):
        folder = f"{WORK}/training-{name}"
        both = Measurement(
            [PROGRAM, "training", TEXT, str(per_token), "--dump", folder],
            peer_command("training", folder, str(per_token)),
            rounds,
        )
        title = f"training, default size, {name} routing"
        yield both.ratio_row(
            f"training-{name}", title, "steps_per_second", "steps/s", ("≥", goal)
        )
        yield both.peer_row(
            f"training-{name}-loss",
            f"{title}: largest difference of a loss, first 20 steps",
            "first_loss_difference",
            "nats",
            ("≤", 1e-4),
        )


def profile_of(measurement):
    return {"profile": measurement.ours[0]["seconds_by_step"]}


def build_programs():
    run(["cmake", "--preset", "release"])
    programs = ["moeprobe-server", "moeprobe-worker", "moeprobe-client"]
    run(["cmake", "--build", "--preset", "release", "--target", *programs])


def latency(rounds):
    build_programs()
    alone = Measurement([PYTHON, "bench/load/latency.py"], rounds=rounds)
    yield alone.row(
        "latency-running",
        "from submit to running, worker waiting",
        "submit_to_running_ms",
        "ms",
        ("<", 50),
    )
    yield alone.row(
        "latency-cached", "answer from the cache", "cached_ms", "ms", ("<", 20)
    )


def submits(rounds):
    build_programs()
    load = "moeprobe-submit-load"
    run(["cmake", "--build", "--preset", "release", "--target", load])
    for clients, rate, patience, options in (
        (1, None, None, []),
        (16, None, 50, []),
        (64, 1000, 50, []),
        (64, None, 50, ["--watch"]),
    ):
        command = [PYTHON, "bench/load/submits.py", "--clients", str(clients), *options]
        alone = Measurement(command, rounds=rounds)
        name = "-".join(["submits", str(clients), *(o.strip("-") for o in options)])
        title = f"submits acknowledged after full sync, clients: {clients}"
        if options:
            title += ", each of which watches what it submitted"
        least = ("≥", rate) if rate else None
        yield alone.row(f"{name}-rate", title, "per_second", "per second", least)
        most = ("≤", patience) if patience else None
        what = f"{title}: 99 of 100 within"
        yield alone.row(f"{name}-p99", what, "p99_ms", "ms", most)


def long_queue(rounds):
    build_programs()
    alone = Measurement([PYTHON, "bench/load/long_queue.py"], rounds=rounds)
    for quantity, title, unit, goal in (
        ("list_p99_ms", "a page of jobs: 99 of 100 within", "ms", ("≤", 20)),
        ("ready_seconds", "first page of jobs after kill -9", "s", ("≤", 2)),
        ("watches_memory_mib", "1,000 idle watches: memory", "MiB", None),
        ("watches_processor_percent", "1,000 idle watches: of a core", "%", None),
    ):
        name = f"long-queue-{quantity.replace('_', '-')}"
        yield alone.row(name, f"10,000 queued jobs, {title}", quantity, unit, goal)


def soak(rounds):
    build_programs()
    alone = Measurement([PYTHON, "bench/load/soak.py"], rounds=rounds)
    for quantity, what, unit, goal in (
        ("memory_mib_growth", "growth of the server's memory", "MiB", ("≤", 1.0)),
        ("worker_memory_mib_growth", "and of its worker's", "MiB", ("≤", 1.0)),
        ("descriptors_growth", "and of descriptors", "", ("≤", 0)),
    ):
        yield alone.row(
            f"soak-{quantity.replace('_', '-')}",
            f"lives of jobs for 20 minutes, some computed: {what}",
            f"soak_{quantity}",
            unit,
            goal,
        )


def second_probe(rounds):
    build_programs()
    model = checkpoint("mixtral-like", dtype="bfloat16", layers=16)
    alone = Measurement(
        [PYTHON, "bench/second_probe.py", model, "15", "16384"], rounds=rounds
    )
    yield alone.row(
        "second-probe",
        "another probe of the same text, layer 15 of 16: how many times faster",
        "times_faster",
        "",
        ("≥", 10),
    )


def report(_rounds):
    run(["scripts/setup", "--with-tests"])
    alone = Measurement([PYTHON, "bench/report_time.py", checkpoint("qwen-narrow")])
    title = "60 experts in 24 layers"
    for quantity, what, goal in (
        ("fetch_seconds", "every array fetched by the Python package", ("<", 1)),
        ("write_seconds", "report written", None),
        ("draw_seconds", "first figures drawn by a browser that just started", None),
        ("total_seconds", "from the finished job to the drawn page", ("<", 1)),
    ):
        yield alone.row(f"report-{quantity}", f"{title}: {what}", quantity, "s", goal)


def dashboard(_rounds):
    run(["scripts/setup", "--with-tests"])
    alone = Measurement([PYTHON, "bench/dashboard_time.py", checkpoint("qwen-narrow")])
    title = "60 experts in 24 layers, dashboard"
    for quantity, what, goal in (
        ("follow_seconds", "from a click on the finished job to the drawn page", 1),
        ("open_seconds", "from the address, in a browser that has none of it", None),
        ("layer_seconds", "from a click on a layer to its matrices", None),
    ):
        limit = ("<", goal) if goal else None
        yield alone.row(
            f"dashboard-{quantity}", f"{title}: {what}", quantity, "s", limit
        )


def estimate(_rounds):
    build_programs()
    models = {
        "tiny-mixtral": ("examples/models/tiny-mixtral", "16384"),
        "mixtral-like": (checkpoint("mixtral-like", dtype="float32"), "4096"),
    }
    for name, arguments in models.items():
        alone = Measurement([PYTHON, "bench/estimate.py", *arguments])
        for quantity, what in (
            ("first_error", "time of the first job"),
            ("seconds_error", "time of the second job"),
            ("memory_error", "memory"),
        ):
            yield alone.row(
                f"estimate-{name}-{quantity}",
                f"estimate before a run, {name}: relative error of the {what}",
                quantity,
                "",
                ("≤", 0.25),
            )


FIGURES = {
    "jacobian": jacobian,
    "spectra": spectra,
    "forward": forward,
    "precision": precision,
    "offload": offload,
    "pca": pca,
    "analysis-mixtral": analysis_mixtral,
    "analysis-qwen": analysis_qwen,
    "nulls": nulls,
    "training": training,
    "latency": latency,
    "submits": submits,
    "long-queue": long_queue,
    "soak": soak,
    "report": report,
    "dashboard": dashboard,
    "second-probe": second_probe,
    "estimate": estimate,
}


def keep(rows):
    """Appends rows as they come, each with what it depends on."""
    context = {
        "machine": machine.describe_machine(),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "commit": machine.describe_commit(),
        "versions": machine.package_versions(),
    }
    for row in rows:
        with RESULTS.open("a") as file:
            file.write(json.dumps(row | context, ensure_ascii=False) + "\n")
        print(page.table_line(row), flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3, help="turns of each pair")
    parser.add_argument("figures", nargs="+", choices=[*FIGURES, "render"])
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    os.chdir(ROOT)
    figures = [name for name in arguments.figures if name != "render"]
    if figures:
        run(["cmake", "--workflow", "--preset", "bench"])
    for name in figures:
        keep(FIGURES[name](arguments.rounds))
    PAGE.write_text(page.render(page.latest(RESULTS)))


if __name__ == "__main__":
    main()
