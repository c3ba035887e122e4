"""Data directories that are damaged or not ours: the server says why, and stops."""

import os
import shutil
import sqlite3
import subprocess

import pytest
import service
import tables
from target import started
from test_bad_directories import make


@pytest.fixture(scope="module")
def good(root, api_stubs, tmp_path_factory):
    """The data directory of a server that stopped with a job in its queue."""
    folder = tmp_path_factory.mktemp("storage")
    with started(root, api_stubs, folder) as target:
        assert target.create(target.analysis()) == ("OK", "")
    return folder / "data"


def spoil(folder, case):
    if "sql" in case:
        database = sqlite3.connect(folder / "moeprobe.db")
        database.execute(case["sql"])
        database.commit()
        database.close()
        return
    path = folder / case["file"]
    if "overwrite" in case:
        offset, written = case["overwrite"]
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(tables.content(written))
        return
    if "cut" in case:
        os.truncate(path, int(path.stat().st_size * case["cut"]))
        return
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if "lose" in case:
        return
    if "write" in case:
        path.write_bytes(tables.content(case["write"]))
    elif "link" in case:
        path.symlink_to(case["link"])
    else:
        make(path, case["make"])


def copy_of(good, tmp_path):
    sockets = shutil.ignore_patterns("*.sock")
    return shutil.copytree(good, tmp_path / "data", ignore=sockets)


@pytest.mark.parametrize("case", tables.cases("storage"))
def test_a_bad_data_directory_is_refused(good, tmp_path, case):
    folder = copy_of(good, tmp_path)
    spoil(folder, case)
    (tmp_path / "models").mkdir()
    command = [
        service.PROGRAMS / "moeprobe-server",
        *("--data-dir", folder),
        *("--model-root", tmp_path / "models"),
        *("--listen", f"unix:{tmp_path}/server.sock"),
        *("--workers", "0"),
    ]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=service.SECONDS, check=False
    )
    assert (run.returncode, run.stdout) == (1, ""), run.stderr
    for word in tables.words(case):
        assert word in run.stderr


def test_what_is_spoiled_is_good(good, tmp_path):
    (tmp_path / "models").mkdir()
    folder = copy_of(good, tmp_path)
    with service.Server(folder, [tmp_path / "models"], workers=0) as server:
        assert server.stop() == 0
