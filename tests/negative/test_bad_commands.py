"""Commands of the server on paths that are none, or out of reach: they say why."""

import subprocess

import pytest
import service
from unprivileged import AS_NOBODY, give_away, open_folder

COMMANDS = {
    "backup": lambda data, other: ("backup", other, "--data-dir", data),
    "doctor": lambda data, _: ("doctor", "--data-dir", data),
    "restore": lambda data, other: ("restore", other, "--data-dir", data),
    "user": lambda data, _: ("user", "list", "--data-dir", data),
}


def assert_refused(name, data, other, words, before=(), cwd=None):
    command = COMMANDS[name](data, other)
    run = subprocess.run(
        [*before, service.PROGRAMS / "moeprobe-server", *map(str, command)],
        capture_output=True,
        cwd=cwd,
        text=True,
        timeout=service.SECONDS,
        check=False,
    )
    assert (run.returncode, run.stdout) == (1, ""), run.stderr
    assert len(run.stderr.splitlines()) == 1, run.stderr
    for word in words:
        assert word in run.stderr


@pytest.mark.parametrize("name", ["backup", "doctor"])
def test_a_data_directory_out_of_reach(name):
    with open_folder() as folder:
        data = folder / "data"
        data.mkdir()
        (data / "moeprobe.db").touch()
        give_away(folder)
        data.chmod(0)
        words = [f"{data}/moeprobe.db", "Permission denied: let the account"]
        assert_refused(name, data, folder / "backup", words, AS_NOBODY)
        data.chmod(0o755)


@pytest.mark.parametrize("name", ["backup", "doctor"])
def test_a_name_that_no_directory_has(name, tmp_path):
    data = tmp_path / ("a" * 300)
    assert_refused(name, data, tmp_path / "backup", [str(data), "File name too long"])


@pytest.mark.parametrize("name", ["restore", "user"])
def test_an_empty_path(name, tmp_path):
    assert_refused(name, "", tmp_path, ["found an empty path, expected one"])


@pytest.mark.parametrize("name", ["restore", "user"])
def test_a_relative_path_where_the_own_directory_is_gone(name, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    # The shell removes its own directory before it becomes the command.
    before = ("sh", "-c", 'rmdir "$PWD" && exec "$@"', "sh")
    words = ["data: no directory to start from", "begin it with /"]
    assert_refused(name, "data", tmp_path, words, before, cwd=gone)
