"""Data directories that are damaged or not ours: the server says why, and stops."""

import contextlib
import hashlib
import os
import pathlib
import resource
import shutil
import sqlite3
import subprocess

import frames
import grpc
import pytest
import service
import stubs
import supervised
import tables
from target import assert_says, outcome, started
from test_bad_directories import make
from unprivileged import AS_NOBODY, Server, give_away, open_folder

NEWER_TEXT = b"newer"


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
    if "append" in case:
        path.write_bytes(path.read_bytes() + tables.content(case["append"]))
        return
    if "cut" in case or "cut_bytes" in case:
        size = path.stat().st_size
        os.truncate(path, int(size * case.get("cut", 1)) - case.get("cut_bytes", 0))
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


def assert_refused(folder, tmp_path, case, *before):
    """A server does not start there and says why; `before` stands before its name."""
    (tmp_path / "models").mkdir()
    command = [
        *before,
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


@pytest.mark.parametrize("case", tables.cases("storage"))
def test_a_bad_data_directory_is_refused(good, tmp_path, case):
    folder = copy_of(good, tmp_path)
    spoil(folder, case)
    assert_refused(folder, tmp_path, case)


def test_what_is_spoiled_is_good(good, tmp_path):
    (tmp_path / "models").mkdir()
    folder = copy_of(good, tmp_path)
    with service.Server(folder, [tmp_path / "models"], workers=0) as server:
        assert server.stop() == 0


def create(target, seed):
    job = target.analysis()
    job["analyze"]["seed"] = seed
    assert target.create(job) == ("OK", "")


def kill_with_two_jobs(root, api_stubs, folder, seeds, between=lambda: None):
    """The data directory of a server that stopped with a job, and died with two.

    The newer of them came after a text. `between` is called while nobody serves.
    """
    with started(root, api_stubs, folder) as target:
        create(target, seeds[0])
    between()
    with service.Server(folder / "data", [folder / "models"], workers=0) as server:
        target.server, target.api = server, api_stubs(server.address)
        target.upload("KIND_TEXT", NEWER_TEXT)
        create(target, seeds[1])
        server.kill()
    return folder / "data"


@pytest.fixture(scope="module")
def killed(root, api_stubs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    return kill_with_two_jobs(root, api_stubs, folder, (1, 2))


@pytest.fixture(scope="module")
def foreign(root, api_stubs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("foreign")
    return kill_with_two_jobs(root, api_stubs, folder, (3, 4))


def seeds_of_jobs(folder, killed, api_stubs):
    with service.Server(folder, [killed.parent / "models"], workers=0) as server:
        api = api_stubs(server.address)
        jobs = api.jobs.ListJobs(api.messages("job_service").ListJobsRequest()).jobs
        assert server.stop() == 0
        return [job.analyze.seed for job in jobs]


@pytest.mark.parametrize("case", tables.cases("side_files"))
def test_what_stands_beside_a_database(killed, foreign, api_stubs, tmp_path, case):
    folder = copy_of(killed, tmp_path)
    if "foreign" in case:
        shutil.copy(foreign / case["foreign"], folder / case["file"])
    else:
        spoil(folder, case)
    if "says" in case:
        assert_refused(folder, tmp_path, case)
        return
    assert seeds_of_jobs(folder, killed, api_stubs) == [2, 1][2 - case["keeps"] :]
    check = sqlite3.connect(folder / "moeprobe.db").execute("PRAGMA integrity_check")
    assert check.fetchall() == [("ok",)]


def assert_log_is_refused(folder, tmp_path, command):
    words = ["moeprobe.db: found the log of another", "expected that of"]
    if command == "serve":
        assert_refused(folder, tmp_path, {"says": words})
        return
    backup = [tmp_path / "another"] if command == "backup" else []
    status, said = supervised.run([command, *backup, "--data-dir", folder])
    assert status == 1
    assert all(word in said for word in words), said


@pytest.mark.parametrize("command", ["backup", "doctor", "serve"])
def test_nothing_is_lost_by_the_log_of_another(
    killed, foreign, api_stubs, tmp_path, command
):
    """SQLite would move it into the database as soon as anybody closes that."""
    folder = copy_of(killed, tmp_path)
    shutil.copy(foreign / "moeprobe.db-wal", folder)
    assert_log_is_refused(folder, tmp_path, command)
    shutil.copy(killed / "moeprobe.db-wal", folder)
    assert seeds_of_jobs(folder, killed, api_stubs) == [2, 1]


@pytest.fixture(scope="module")
def outlived(root, api_stubs, tmp_path_factory):
    """As `killed`, with a backup beside it from between its jobs."""
    folder = tmp_path_factory.mktemp("outlived")

    def back_up():
        arguments = ["backup", folder / "backup", "--data-dir", folder / "data"]
        assert supervised.run(arguments)[0] == 0

    return kill_with_two_jobs(root, api_stubs, folder, (1, 2), between=back_up)


def with_older_database(outlived, tmp_path):
    """Its data directory with the database of the backup, and all that is newer."""
    folder = copy_of(outlived, tmp_path)
    shutil.copy(outlived.parent / "backup/moeprobe.db", folder)
    return folder


@pytest.mark.parametrize("command", ["backup", "doctor", "serve"])
def test_an_older_database_does_not_take_the_log_of_a_newer(
    outlived, api_stubs, tmp_path, command
):
    """G16: its pages lie elsewhere, so the log would damage it, or mix both."""
    folder = with_older_database(outlived, tmp_path)
    log = (folder / "moeprobe.db-wal").read_bytes()
    assert_log_is_refused(folder, tmp_path, command)
    assert (folder / "moeprobe.db-wal").read_bytes() == log
    older = outlived.parent / "backup/moeprobe.db"
    assert (folder / "moeprobe.db").read_bytes() == older.read_bytes()
    shutil.copy(outlived / "moeprobe.db", folder)
    assert seeds_of_jobs(folder, outlived, api_stubs) == [2, 1]


def test_an_older_database_lets_go_of_what_is_newer(outlived, api_stubs, tmp_path):
    """G16, with the log moved away."""
    folder = with_older_database(outlived, tmp_path)
    (folder / "moeprobe.db-wal").unlink()
    newer = folder / "blobs" / hashlib.sha256(NEWER_TEXT).hexdigest()
    assert newer.exists()
    assert seeds_of_jobs(folder, outlived, api_stubs) == [1]
    assert not newer.exists()
    status, said = supervised.run(["doctor", "--data-dir", folder])
    assert (status, "all is well" in said) == (0, True), said


@pytest.mark.parametrize("command", ["backup", "doctor"])
def test_the_log_of_an_empty_database_is_left_alone(killed, tmp_path, command):
    folder = copy_of(killed, tmp_path)
    os.truncate(folder / "moeprobe.db", 0)
    log = folder / "moeprobe.db-wal"
    before = log.read_bytes()
    backup = [tmp_path / "backup"] if command == "backup" else []
    status, said = supervised.run([command, *backup, "--data-dir", folder])
    assert status == 1
    assert "found no database, or an empty file" in said
    assert log.read_bytes() == before != b""
    assert not list(tmp_path.glob("backup*"))


@pytest.mark.parametrize("case", tables.cases("rights"))
def test_a_data_directory_that_may_not_be_used(good, case):
    """G6."""
    with open_folder() as outside:
        folder = copy_of(good, outside)
        give_away(folder)
        path = folder / case["file"]
        path.chmod(case["mode"])
        assert_refused(folder, outside, case, *AS_NOBODY)
        path.chmod(0o755)


def test_blobs_that_may_not_be_written_refuse_uploads_alone(root, api_stubs):
    """G6, while the server runs."""
    with (
        open_folder() as folder,
        started(root, api_stubs, folder, make=Server) as target,
    ):
        blobs = target.server.data_dir / "blobs"
        blobs.chmod(0o555)
        found = outcome(lambda: target.upload("KIND_TEXT", b"text"))
        words = ["blobs", "Permission denied: let the account of this program have it"]
        assert_says(found, "FAILED_PRECONDITION", words)
        target.assert_unharmed()
        blobs.chmod(0o755)
        target.upload("KIND_TEXT", b"text")


@pytest.mark.skipif(service.IS_SANITIZED, reason="UBSan looks at memory through pipes")
def test_no_descriptors_left(root, api_stubs, tmp_path):
    """G14: who is connected is served, others wait until there are some again."""
    with started(root, api_stubs, tmp_path) as target:
        pid = target.server.process.pid
        limit = target.server.descriptor_count() + 60
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, limit))
        with contextlib.ExitStack() as held:
            for _ in range(200):
                held.enter_context(frames.connect(target.server))
            service.wait_until(
                lambda: len([*pathlib.Path(f"/proc/{pid}/fd").iterdir()]) == limit,
                "the last one",
            )
            target.model_names()
            found = outcome(lambda: target.upload("KIND_TEXT", b"text"))
            assert_says(found, "RESOURCE_EXHAUSTED", ["Too many open files"])
            found = target.create(target.analysis())
            words = ["good", "cannot be analysed", "Too many open files"]
            assert_says(found, "RESOURCE_EXHAUSTED", words)
            with grpc.insecure_channel(
                target.server.address, stubs.OWN_CONNECTION
            ) as other:
                ready = grpc.channel_ready_future(other)
                with pytest.raises(grpc.FutureTimeoutError):
                    ready.result(timeout=1)
                held.close()
                ready.result(timeout=service.SECONDS)
        target.assert_unharmed()
        target.upload("KIND_TEXT", b"text")
