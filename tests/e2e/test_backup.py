"""Backups of a server that runs, and what becomes of them."""

import fcntl
import os
import shutil
import signal
import subprocess
import time

import pytest
from service import PROGRAMS, SECONDS


def command(*arguments):
    return [PROGRAMS / "moeprobe-server", *map(str, arguments)]


def run(*arguments, umask=-1):
    """Returns exit status, stdout and stderr of a command of the server's.

    `umask`: what it is started with, by default that of the tests.
    """
    done = subprocess.run(
        command(*arguments),
        check=False,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        umask=umask,
    )
    return done.returncode, done.stdout, done.stderr


def ok(*arguments, umask=-1):
    status, out, errors = run(*arguments, umask=umask)
    assert status == 0, f"{arguments}: exit status {status}: {out}{errors}"
    return out


def array_bytes(client, job):
    return (client.fetch(job) / "arrays.npz").read_bytes()


def test_a_backup_of_a_running_server_becomes_another_server(
    start_server, make_client, api_stubs, short_request, tmp_path
):
    server = start_server()
    client = make_client(server)
    job = client.submit(short_request, "--wait")
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    ok("backup", backup, "--data-dir", server.data_dir)
    # sha256sum says the same of it.
    check = ["sha256sum", "--check", "--quiet", "manifest"]
    subprocess.run(check, cwd=backup, check=True)
    client.submit(short_request | {"seed": 1}, "--wait")
    ok("restore", f"{backup}/", "--data-dir", restored)
    assert "all is well" in ok("doctor", "--data-dir", restored)
    other = start_server(name="restored")
    other_client, api = make_client(other), api_stubs(other.address)
    assert api.state(job) == "SUCCEEDED"
    assert array_bytes(other_client, job) == array_bytes(client, job)
    again = other_client.submit(short_request, "--wait")
    assert api.job(again).cached


def test_a_backup_needs_no_server(server, client, short_request, tmp_path):
    client.submit(short_request, "--wait")
    server.stop()
    ok("backup", tmp_path / "backup", "--data-dir", server.data_dir)
    ok("restore", tmp_path / "backup", "--data-dir", tmp_path / "restored")
    assert "all is well" in ok("doctor", "--data-dir", tmp_path / "restored")


def modes(folder):
    """Of a folder and what is in it: those of directories, and those of files."""
    found = {True: set(), False: set()}
    for path in (folder, *folder.rglob("*")):
        found[path.is_dir()].add(oct(path.stat().st_mode & 0o777))
    return found[True], found[False]


def test_backups_are_for_their_account_alone(server, client, short_request, tmp_path):
    client.submit(short_request)
    server.stop()
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    ok("backup", backup, "--data-dir", server.data_dir, umask=0o022)
    assert modes(backup) == ({"0o700"}, {"0o600"})
    # As one that was copied elsewhere may be.
    for path in backup.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    ok("restore", backup, "--data-dir", restored, umask=0o022)
    assert modes(restored) == ({"0o700"}, {"0o600"})


def test_one_that_is_being_made_is_not_made_twice(server, tmp_path):
    """As where a command is interrupted and run again: the server goes on."""
    draft = tmp_path / "backup.partial"
    draft.mkdir()
    (draft / "moeprobe.db").write_text("half")
    command = ("backup", tmp_path / "backup", "--data-dir", server.data_dir)
    descriptor = os.open(draft, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        status, _, errors = run(*command)
    finally:
        os.close(descriptor)
    assert status == 1
    assert f"{draft}: a backup or restore that runs is writing this: wait" in errors
    assert (draft / "moeprobe.db").read_text() == "half"
    ok(*command)
    assert not draft.exists()


def test_nothing_is_overwritten(server, tmp_path):
    ok("backup", tmp_path / "backup", "--data-dir", server.data_dir)
    status, _, errors = run(
        "backup", tmp_path / "backup", "--data-dir", server.data_dir
    )
    assert status == 1
    assert "is there already" in errors
    status, _, errors = run(
        "restore", tmp_path / "backup", "--data-dir", server.data_dir
    )
    assert status == 1
    assert "is not empty" in errors


def test_the_doctor_leaves_a_running_server_alone(server):
    status, _, errors = run("doctor", "--data-dir", server.data_dir)
    assert status == 1
    assert "already running" in errors


def test_the_doctor_finds_a_damaged_blob_and_repairs_no_such_thing(
    server, client, short_request
):
    client.submit(short_request, "--wait")
    server.stop()
    blob = next((server.data_dir / "blobs").iterdir())
    blob.write_bytes(b"another")
    for _ in range(2):
        status, out, _ = run("doctor", "--repair", "--data-dir", server.data_dir)
        assert status == 1
        assert f"{blob}: is not what it was" in out
    status, _, errors = run(
        "backup", server.data_dir.parent / "backup", "--data-dir", server.data_dir
    )
    assert status == 1
    assert str(blob) in errors


@pytest.mark.parametrize("round_", range(5))
def test_a_backup_that_is_killed_restores_nothing(
    start_server, make_client, short_request, tmp_path, round_
):
    server = start_server(workers=0)
    client = make_client(server)
    client.submit(short_request)
    backup = tmp_path / "backup"
    process = subprocess.Popen(command("backup", backup, "--data-dir", server.data_dir))
    time.sleep(0.01 * round_)
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    process.wait(SECONDS)
    status, _, _ = run("restore", backup, "--data-dir", tmp_path / "restored")
    assert (status == 0) == backup.exists()
    shutil.rmtree(backup, ignore_errors=True)
    ok("backup", backup, "--data-dir", server.data_dir)
    ok("restore", backup, "--data-dir", tmp_path / "another")
