"""Whole disks without room, or without room for one more file.

What writes is tried again and again, each time with a little more room, so that each
call that needs some finds none once: those that no library stands in front of, too,
such as mkdir, link and sendfile. Each time it says why it did not work; and the time
that it works all is as on an empty disk.
"""

import pathlib

import crash_scenarios
import grpc
import numpy as np
import pytest
import small_disk
import supervised
from crash_scenarios import Life
from refusals import tells_of_the_disk
from service import wait_until
from supervised import check_data_directory

DISK_BYTES = 24 << 20
NAMES = 200
SECONDS_UNTIL_MORE = 0.2
PAGES_AT_ONCE = 8
ROOT = pathlib.Path(__file__).resolve().parents[2]
TAKES = {
    "no-names": small_disk.Names,
    "no-room": lambda folder: small_disk.Room(folder, PAGES_AT_ONCE),
}


@pytest.fixture
def disk(tmp_path):
    with small_disk.mounted(tmp_path / "disk", DISK_BYTES, NAMES) as folder:
        yield folder


@pytest.fixture(params=TAKES.values(), ids=TAKES)
def take(request):
    """Takes all that a disk has left, and returns what gives it back."""
    return request.param


@pytest.fixture
def life(tmp_path, disk, api_stubs):
    """Its data directory is on the small disk."""
    one = Life(ROOT, tmp_path, api_stubs, {})
    one.data = disk / "data"
    yield one
    one.end()


def try_until_it_works(attempt, left):
    """Makes attempts, each with a little more room than the one before.

    An attempt returns None, or what was said as it failed.
    """
    refusals = []
    while (said := attempt()) is not None:
        # So SQLite says that it cannot make a file beside the database.
        assert tells_of_the_disk(said) or "unable to open database" in said, said
        refusals.append(said)
        left.give()
    left.give_all()
    assert any(map(tells_of_the_disk, refusals)), refusals
    print(f"refused {len(refusals)} times")


def command(*arguments):
    """An attempt that runs a command of the server program."""

    def attempt():
        status, said = supervised.run(arguments)
        assert status in (0, 1), said
        return said if status else None

    return attempt


def leaving_nothing(attempt, disk):
    """The same attempt, which leaves the room that it took to who needs it."""

    def attempt_and_look():
        said = attempt()
        assert not list(disk.glob("*.partial")), said
        return said

    return attempt_and_look


def test_a_backup_is_made_and_restored(life, disk, take):
    life.serve(workers=0)
    names = [life.upload_text(f"text {i}".encode() * 9000, str(i)) for i in range(3)]
    life.end()
    copy, restored = disk / "backup", disk / "restored"
    backup = command("backup", copy, "--data-dir", life.data)
    try_until_it_works(leaving_nothing(backup, disk), take(disk))
    restore = command("restore", copy, "--data-dir", restored)
    try_until_it_works(leaving_nothing(restore, disk), take(disk))
    check_data_directory(life.data)
    check_data_directory(restored)
    life.serve(restored, workers=0)
    assert sorted(names) == sorted(name for _, name, _ in life.datasets())


def test_certificates_are_made(disk, take):
    folder = disk / "certificates"
    try_until_it_works(command("cert", "ca", "--dir", folder), take(disk))
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "ca.key"]
    assert all(path.read_text().endswith("-----\n") for path in folder.iterdir())


def test_a_server_starts(life, disk, take):
    try_until_it_works(life.try_to_serve, take(disk))
    life.serve(workers=0)
    name = life.upload_text()
    assert [found for _, found, _ in life.datasets()] == [name]
    life.end()
    check_data_directory(life.data)


@pytest.mark.parametrize("kind", crash_scenarios.WORK)
def test_work_goes_on_as_room_comes(life, disk, take, kind, undisturbed_work):
    life.serve()
    spec_of, spec_kind = crash_scenarios.WORK[kind]
    spec = spec_of(life.upload_text())
    left = take(disk)
    while (job := created(life, spec, spec_kind)) is None:
        left.give()

    def has_ended():
        left.give()
        return life.state(job) in crash_scenarios.FINAL

    wait_until(has_ended, f"{job} ends", pause=SECONDS_UNTIL_MORE)
    life.wait(job)
    left.give_all()
    assert life.arrays(job) == undisturbed_work[kind]
    assert life.server.deaths == 0
    life.end()
    check_data_directory(life.data)


def created(life, spec, kind):
    """A new job, None if there is no room for it."""
    try:
        return life.create(spec, kind)
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise
        return None


def test_results_are_fetched(fetchable, make_client, disk, take):
    life, job = fetchable
    client = make_client(life.server)
    target = disk / "result"

    def attempt():
        status, _, errors = client.run("fetch", job, "--out", target)
        if status == 0:
            return None
        assert not target.exists()
        return errors

    try_until_it_works(attempt, take(disk))
    assert sorted(path.name for path in target.iterdir()) == [
        "arrays.npz",
        "result.json",
        "summary.csv",
    ]
    with np.load(target / "arrays.npz") as arrays:
        assert set(arrays) == set(life.arrays(job))
