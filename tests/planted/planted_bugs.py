"""Plants bugs, one at a time, and looks whether the tests catch each of them.

In a copy of what is committed, below build/planted: the checkout is left alone.
"""

import argparse
import collections
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build/planted"
PATIENCE_SECONDS = 1800
TABLES = sorted(pathlib.Path(__file__).parent.glob("*.yaml"))


def read_bugs():
    return [bug for table in TABLES for bug in yaml.safe_load(table.read_text())]


def places(bug, text):
    """Where a bug may be planted, however lines are broken there."""
    words = r"\s+".join(re.escape(word) for word in bug["find"].split())
    return list(re.finditer(words, text))


def plant(bug, root):
    """Puts a bug in and returns the file as it was."""
    path = root / bug["file"]
    text = path.read_text()
    found = places(bug, text)
    if len(found) != 1:
        raise SystemExit(f"{bug['file']}: there {len(found)} times: {bug['find']}")
    begin, end = found[0].span()
    path.write_text(text[:begin] + bug["plant"].rstrip() + text[end:])
    return text


def run(command, log):
    with log.open("a") as out:
        print("$", *command, file=out, flush=True)
        # What was compiled of the checkout counts for the copy.
        cache = {"CCACHE_BASEDIR": str(COPY), "CCACHE_NOHASHDIR": "1"}
        with subprocess.Popen(
            command,
            cwd=COPY,
            env=os.environ | cache,
            stdout=out,
            stderr=out,
            start_new_session=True,
        ) as process:
            try:
                return process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:  # a bug may hang
                os.killpg(process.pid, signal.SIGKILL)
                return process.wait()


def make_copy(log):
    """What is committed, and what was built of it the last time."""
    COPY.mkdir(parents=True, exist_ok=True)
    archive = subprocess.run(
        ("git", "archive", "HEAD"), cwd=ROOT, check=True, stdout=subprocess.PIPE
    )
    for entry in COPY.iterdir():
        if entry.name in ("build", ".venv"):
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    # As of now: what an earlier call planted and built last is newer than the commit.
    subprocess.run(("tar", "-x", "-m"), cwd=COPY, check=True, input=archive.stdout)
    if not (COPY / ".venv").exists():
        (COPY / ".venv").symlink_to(ROOT / ".venv")
    if run(("cmake", "--preset", "release"), log) != 0:
        raise SystemExit(f"cmake failed, see {log}")


def build(programs, log):
    targets = ("--target", *sorted(programs), "--parallel", str(os.cpu_count()))
    return run(("cmake", "--build", "--preset", "release", *targets), log) == 0


@dataclasses.dataclass
class Tests:
    """Names of the tests that ctest came to, by how they ended. Some are skipped."""

    passed: list[str]
    failed: list[str]  # or did not end
    not_run: list[str]  # as where their program is not there

    def all_passed(self):
        """Not so where there is none."""
        return bool(self.passed) and not self.failed and not self.not_run


def read_tests(output):
    """What ctest says of each test: that it starts, and how it ended."""
    started = re.findall(r"^ +Start +(\d+): (.+)$", output, re.MULTILINE)
    end = r"^ *\d+/\d+ Test +#(\d+): .* \.+ *(Passed|\*\*\*(?:Not Run|Skipped)?)"
    ends = dict(re.findall(end, output, re.MULTILINE))

    def ended(how):
        return [name for number, name in started if ends.get(number, "***") == how]

    return Tests(ended("Passed"), ended("***"), ended("***Not Run"))


def run_tests(expression, log):
    run(("ctest", "--preset", "release", "--no-tests=error", "-R", expression), log)
    return read_tests(log.read_text().rsplit("$ ctest", 1)[-1])


def end_of(tests):
    """What became of a bug by the tests that have to catch it."""
    if tests.failed:
        return "caught"
    # That a program of tests is gone says nothing of the bug.
    return "missed" if tests.all_passed() else "not run"


def judge(bug, log):
    """What became of a bug: caught, missed, or not built or run, and by which test."""
    before = plant(bug, COPY)
    try:
        if not build(bug["build"].split(), log):
            return "not built", ""
        tests = run_tests(bug["test"], log)
        return end_of(tests), ", ".join(tests.failed[:1])
    finally:
        (COPY / bug["file"]).write_text(before)


def check_without(bugs, log):
    """Without a bug its tests are there and pass, or they would catch nothing."""
    programs = {name for bug in bugs for name in bug["build"].split()}
    if not build(programs, log):
        raise SystemExit(f"not built without a bug, see {log}")
    for expression in sorted({bug["test"] for bug in bugs}):
        if not run_tests(expression, log).all_passed():
            raise SystemExit(f"without a bug: {expression}, see {log}")


def main():
    parser = argparse.ArgumentParser(prog="scripts/planted-bugs", description=__doc__)
    parser.add_argument(
        "-k", dest="words", default="", help="bugs that say this, or of such a file"
    )
    parser.add_argument("--list", action="store_true", help="say which there are")
    arguments = parser.parse_args()
    bugs = [
        bug
        for bug in read_bugs()
        if arguments.words in bug["bug"] or arguments.words in bug["file"]
    ]
    if arguments.list:
        print(*(bug["bug"] for bug in bugs), sep="\n")
        return
    if not bugs:
        parser.error(f"no bug says {arguments.words!r}")
    log = ROOT / "build/planted.log"
    log.parent.mkdir(exist_ok=True)
    log.write_text("")
    make_copy(log)
    check_without(bugs, log)
    ends = collections.Counter()
    for bug in bugs:
        begin = time.monotonic()
        end, test = judge(bug, log)
        ends[end] += 1
        seconds = time.monotonic() - begin
        print(f"{end:9} {seconds:4.0f} s  {bug['bug']}  {test}", flush=True)
    print(*(f"{count} {end}" for end, count in ends.items()), sep=", ")
    sys.exit(0 if set(ends) == {"caught"} else 1)


if __name__ == "__main__":
    main()
