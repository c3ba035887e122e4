"""What figures depend on: the machine, the commit, the versions."""

import importlib.metadata
import os
import pathlib
import re
import subprocess

PACKAGES = ("torch", "transformers", "accelerate", "scikit-learn", "scipy", "numpy")
RESULT_FILES = (":!bench/results.jsonl", ":!docs/benchmarks.md")


def first_match(pattern, path):
    found = re.search(pattern, pathlib.Path(path).read_text(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def describe_machine():
    """One line: processor, cores, memory."""
    model = first_match(r"^model name\s*: (.*)$", "/proc/cpuinfo")
    memory = int(first_match(r"^MemTotal:\s*(\d+) kB$", "/proc/meminfo")) * 1024
    return f"{model}, {os.cpu_count()} cores, {memory / 2**30:.0f} GiB of memory"


def git(*arguments):
    command = ["git", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def describe_commit():
    """Its short hash; with a plus sign if the checkout differs from it."""
    changed = git("status", "--porcelain", "--untracked-files=no", "--", *RESULT_FILES)
    return git("rev-parse", "--short=10", "HEAD").strip() + ("+" if changed else "")


def package_versions():
    return {name: importlib.metadata.version(name) for name in PACKAGES}
