"""How many jobs a server acknowledges, each with its transaction on the disk.

usage: submits.py [--clients N] [--seconds S] [--watch]

A real server without workers, over a Unix socket, and the clients of
moeprobe-submit-load. Needs build/release and that program in it.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "bench/peers")]

import measurement  # noqa: E402
import service  # noqa: E402

NO_LIMITS = ("--max-queued", "0", "--max-queued-per-user", "0")


def measure(clients, seconds, *options):
    with (
        # Beside the build: a temporary directory may be in memory.
        tempfile.TemporaryDirectory(dir=ROOT / "build") as folder,
        service.Server(
            folder, [ROOT / "tests/fixtures"], workers=0, options=NO_LIMITS
        ) as server,
    ):
        command = [
            *(service.PROGRAMS / "moeprobe-submit-load", "--server", server.address),
            *("--clients", str(clients), "--seconds", str(seconds), *options),
        ]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--watch", action="store_const", const=["--watch"], default=[])
    arguments = parser.parse_args()
    figure = measure(arguments.clients, arguments.seconds, *arguments.watch)
    measurement.print_figure(figure)


if __name__ == "__main__":
    main()
