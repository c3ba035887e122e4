"""Servers and workers whose disk is full, or fails, now and then, call by call.

libfiu stands between the programs and the system (LD_PRELOAD) and lets some calls
that write fail, in the server and in its worker. Clients are refused with a
reason, attempts end with one, and once the disk is well again all goes on by
itself to the same bytes.
"""

import contextlib
import errno
import functools
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import time
import urllib.request

import crash_scenarios
import grpc
import pytest
import supervised
from crash_scenarios import Life
from refusals import tells_of_the_disk
from service import PROGRAMS, wait_until, worker_by_hand
from supervised import check_data_directory

FIU = pathlib.Path("/usr/lib/fiu")
LIBRARIES = [FIU / "fiu_run_preload.so", FIU / "fiu_posix_preload.so"]
# Of the calls by which server and workers write, those that libfiu can let fail; the
# last two are SQLite's. It has none for mkdir, link, sendfile, fallocate and what
# mkostemp opens, nor for removing directories: test_no_room.py has disks without room.
WRITING = (
    "posix/io/rw/write",
    "posix/io/rw/write/reduce",  # writes a part
    "posix/io/sync/fsync",
    "posix/io/dir/rename",
    "posix/io/rw/ftruncate",
    "posix/io/rw/pwrite",
    "posix/io/rw/pwrite/reduce",
    "posix/io/sync/fdatasync",
)
CALLS = (*WRITING, "posix/io/dir/unlink", "posix/stdio/remove")
READING = ("posix/io/oc/open", "posix/io/rw/read")
# It cannot tell what is opened to write from what is opened to read. Who makes keys
# reads nothing.
CALLS_FOR_KEYS = (*WRITING, "posix/io/oc/open")
# What the C++ library and libzip write the files of results with.
CALLS_OF_CLIENTS = (
    "posix/io/dir/rename",
    "posix/io/rw/writev",
    "posix/stdio/oc/fclose",
    "posix/stdio/oc/fdopen",
    "posix/stdio/oc/fopen",
    "posix/stdio/rw/fwrite",
)
PROBABILITY = 0.2
ROOT = pathlib.Path(__file__).resolve().parents[2]
WRITES = re.compile(
    r"(?<![\w.>:])(?:::)?(?:write|pwrite|fsync|ftruncate|fallocate|link|mk\w*temp)\("
    r"|\b(?:rename|renameat2|mkdir|copy_file|create_hard_link|create_director(?:y|ies)|zip_close)\("
    r"|\bofstream\b|\bO_CREAT\b"
)
# Files that write, and what makes that fail.
WRITERS = {
    "client/result/npz.cc": "fetching here and in test_no_room.py",
    "client/result/staging_directory.cc": "fetching here and in test_no_room.py",
    "core/base/bounded_directory.cc": "storage/disk_faults_test.cc, analysis here, "
    "analysis in test_no_room.py",
    "core/base/crash_point.cc": "nothing: a note of tests",
    "core/base/file_lock.cc": "starts in test_no_room.py",
    "core/base/whole_file.cc": "storage/disk_faults_test.cc, training here",
    "core/train/training_checkpoint.cc": "training here and in test_no_room.py",
    "core/train/training_run.cc": "training in test_no_room.py",
    "server/access/audit_log.cc": "audit_log_test.cc, all here; to open it, starts in "
    "test_no_room.py",
    "server/access/certificates.cc": "keys in test_no_room.py",
    "server/access/new_file.cc": "new_file_test.cc, keys here; to link, keys in "
    "test_no_room.py",
    "server/isolation/process_limits.cc": "nothing: /proc",
    "server/peer_listener.cc": "nothing: an event; its socket, starts in "
    "test_no_room.py",
    "server/result_operations.cc": "nothing: a stream to a client",
    "server/scratch.cc": "analysis in test_no_room.py",
    "server/signals.cc": "nothing: an event",
    "server/started_workers.cc": "starts in test_no_room.py",
    "server/trained_runs.cc": "results here, but for removing",
    "server/worker/task_tokens.cc": "tokenizer_test.cc, analysis here and in "
    "test_no_room.py",
    "storage/backup.cc": "backups here; to copy and link, backups in test_no_room.py",
    "storage/blob_store.cc": "storage/disk_faults_test.cc, all here; to make files, "
    "analysis and starts in test_no_room.py",
    "storage/directory_lock.cc": "backups here, starts in test_no_room.py",
    "storage/draft_directory.cc": "backups here; to make one, backups in "
    "test_no_room.py",
    "storage/migration.cc": "migrations here",
}
SECONDS_OF_FAULTS = 3
REFUSALS = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}

pytestmark = pytest.mark.skipif(
    not all(path.exists() for path in LIBRARIES), reason="no libfiu to preload"
)


# What the server starts for a worker. libfiu's thread, which reads commands, would
# keep a worker from putting up its walls: its faults are there from its start.
WORKER = """#!/bin/sh
unset LD_PRELOAD FIU_CTRL_FIFO
if [ -e {faults} ]; then
  FIU_ENABLE=$(cat {faults}) LD_PRELOAD={libraries} exec {worker} "$@"
fi
exec {worker} "$@"
"""


def faults_of(number, all_calls=CALLS, probability=PROBABILITY):
    """What libfiu is told."""
    return "\n".join(
        f"enable_random name={calls},probability={probability},failinfo={number}"
        for calls in all_calls
    )


class Faults:
    """Of the server, by the pipe that libfiu reads, and of its workers."""

    def __init__(self, life, number, calls=CALLS, probability=PROBABILITY):
        self.life = life
        self.number = number
        self.calls = calls
        libraries = ":".join(map(str, LIBRARIES))
        self.pipe = life.folder / "fiu"
        self.worker = life.folder / "worker"
        self.of_workers = life.folder / "faults"
        self.of_workers.write_text(faults_of(number, calls, probability))
        self.worker.write_text(
            WORKER.format(
                faults=self.of_workers,
                libraries=libraries,
                worker=PROGRAMS / "moeprobe-worker",
            )
        )
        self.worker.chmod(0o700)
        life.environment = {"LD_PRELOAD": libraries, "FIU_CTRL_FIFO": str(self.pipe)}

    @functools.cached_property
    def channel(self):
        """To the server, as long as it lives.

        What is written while libfiu opens its ends anew, as it does once ours are
        closed, is lost.
        """
        pipe = f"{self.pipe}-{self.life.server.process.pid}"
        stack = self.life.until_its_end
        return [
            stack.enter_context(pathlib.Path(f"{pipe}.{end}").open(mode))
            for end, mode in (("in", "w"), ("out", "r"))
        ]

    def tell_server(self, commands):
        out, answers = self.channel
        for command in commands.splitlines():
            print(command, file=out, flush=True)
            assert answers.readline() == "0\n", command

    def begin(self):
        self.tell_server(self.of_workers.read_text())

    def heal(self):
        self.tell_server("\n".join(f"disable name={calls}" for calls in self.calls))

    @contextlib.contextmanager
    def outage(self):
        """Every call of the server fails meanwhile."""
        self.tell_server(faults_of(self.number, self.calls, probability=1))
        yield
        self.heal()

    def end(self):
        """The disk is well; the next worker finds it so."""
        self.heal()
        self.of_workers.unlink()
        for pid in self.life.server.workers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_files_are_written_where_this_knows():
    """Who writes elsewhere, too, has to say here what is asked of it."""
    found = {
        str(path.relative_to(ROOT))
        for folder in ("client", "core", "server", "spec", "storage")
        for path in (ROOT / folder).rglob("*.cc")
        if not path.name.endswith("_test.cc") and "testing" not in path.parts
        if WRITES.search(path.read_text())
    }
    assert found == set(WRITERS)


def bad_disk(number, calls=CALLS, probability=PROBABILITY):
    """What a program is started with whose disk is bad from its start."""
    return {
        "LD_PRELOAD": ":".join(map(str, LIBRARIES)),
        "FIU_ENABLE": faults_of(number, calls, probability),
    }


def run_on_a_bad_disk(arguments, number, is_done, calls=CALLS):
    """Runs a command ten times at most on a bad disk, then on a good one.

    Each time it works, or says what is wrong with the disk.
    """
    environment = bad_disk(number, calls)
    for _ in range(10):
        status, said = supervised.run(arguments, environment)
        if status == 0 or is_done(said):
            return
        assert tells_of_the_disk(said), said
    supervised.run_until_it_works(arguments, {}, is_done)


@pytest.mark.parametrize("calls", [CALLS, READING], ids=["write", "read"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_backups_are_refused_with_a_reason(life, number, calls):
    life.serve(workers=0)
    names = [life.upload_text(f"text {i}".encode() * 1000, str(i)) for i in range(3)]
    life.end()
    copy, restored = life.folder / "backup", life.folder / "restored"

    def is_done(said):
        """What failed is the last sync, after it got its name."""
        return "is there already" in said or "is not empty" in said

    backup = ("backup", copy, "--data-dir", life.data)
    run_on_a_bad_disk(backup, number, is_done, calls)
    restore = ("restore", copy, "--data-dir", restored)
    run_on_a_bad_disk(restore, number, is_done, calls)
    check_data_directory(restored)
    check_data_directory(life.data)
    life.serve(restored, workers=0)
    assert sorted(names) == sorted(name for _, name, _ in life.datasets())


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_keys_are_refused_with_a_reason(life, number):
    folder = life.folder / "certificates"
    command = ("cert", "ca", "--dir", folder)
    run_on_a_bad_disk(command, number, lambda _: False, CALLS_FOR_KEYS)
    assert sorted(path.name for path in folder.iterdir()) == ["ca.crt", "ca.key"]
    assert all(path.read_text().endswith("-----\n") for path in folder.iterdir())


def schema_of(life):
    """The schema of a database that is whole and has the data set it had."""
    with contextlib.closing(sqlite3.connect(life.data / "moeprobe.db")) as database:
        found = [
            database.execute(query).fetchall()
            for query in ("PRAGMA integrity_check", "SELECT display_name FROM dataset")
        ]
        assert found == [[("ok",)], [("name",)]]
        return database.execute("PRAGMA user_version").fetchone()[0]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_migrations_are_refused_with_a_reason(life, number):
    crash_scenarios.make_oldest_database(life)
    schemas = set()
    for _ in range(10):
        said = life.try_to_serve(
            "--workers", "0", environment=os.environ | bad_disk(number)
        )
        if said is None:
            break
        assert tells_of_the_disk(said), said
        schemas.add(schema_of(life))
    life.serve(workers=0)
    assert [name for name, _, _ in life.datasets()] == ["name"]
    life.end()
    # The steps of a migration go together or not at all.
    newest = schema_of(life)
    assert newest > 1
    assert schemas <= {1, newest}
    check_data_directory(life.data)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_results_go_all_the_same(life, number):
    droppable = crash_scenarios.Droppable(life)
    faults = Faults(life, number)
    life.serve(options=("--max-store", "1B"), workers=0)
    faults.begin()
    droppable.let_go(ask_again)
    time.sleep(SECONDS_OF_FAULTS)
    faults.end()
    droppable.wait()
    assert life.server.deaths == 0
    life.end()
    check_data_directory(life.data)


@pytest.fixture
def life(root, tmp_path_factory, api_stubs):
    one = Life(root, tmp_path_factory.mktemp("w"), api_stubs, {})
    yield one
    one.end()


@pytest.mark.parametrize("kind", crash_scenarios.WORK)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_work_goes_on_once_the_disk_is_well(life, undisturbed_work, number, kind):
    spec_of, spec_kind = crash_scenarios.WORK[kind]
    faults = Faults(life, number)
    life.serve(options=("--worker-binary", str(faults.worker)))
    text = life.upload_text()
    job = life.create(spec_of(text), spec_kind)
    # Its state would not do: an attempt may end before anybody looks.
    life.wait_until_taken(job)
    faults.begin()
    refusals = upload_for(life, SECONDS_OF_FAULTS)
    faults.end()
    assert all("disk" in refusal or "room" in refusal for refusal in refusals)
    life.wait(job)
    assert life.arrays(job) == undisturbed_work[kind]
    assert life.server.deaths == 0
    # What could not be settled then is settled at the next start.
    life.server.terminate()
    wait_until(lambda: life.server.deaths, "a server that is started again")
    life.upload_text(b"another text " * 1000, "another")
    life.end()
    check_data_directory(life.data)


def were_claims_refused(server):
    """Whether it has told a worker, more than once, that its disk fails."""
    address = re.search(r"metrics on (\S+)", server.log())[1]
    with urllib.request.urlopen(address, timeout=10) as response:
        metrics = response.read().decode()
    calls = 'moeprobe_call_seconds_count{code="UNAVAILABLE",method="ClaimTask"}'
    return re.search(rf"{re.escape(calls)} [2-9]", metrics)


def test_workers_outlive_a_disk_that_fails(life):
    """One that was started by hand nobody would start again."""
    faults = Faults(life, errno.EIO, ("posix/io/rw/pwrite",))
    life.serve(options=("--metrics", "127.0.0.1:0"), workers=0)
    spec = analysis_of_seconds(life)
    job = life.create(spec)
    with contextlib.ExitStack() as stack:
        with faults.outage():
            worker = stack.enter_context(worker_by_hand(life.server))
            wait_until(lambda: were_claims_refused(life.server), "refusals")
        life.wait_until_taken(job)
        with faults.outage():
            time.sleep(SECONDS_OF_FAULTS)
        life.wait(job)
        assert worker.poll() is None
    # What the worker could not tell meanwhile, it told later.
    assert not [w for w in life.api.job(job).warnings if "tried again" in w]
    assert life.api.job(job).crash_count == 0


def analysis_of_seconds(life):
    """Has no end before an outage."""
    spec = crash_scenarios.analysis_spec(life.upload_text(crash_scenarios.TEXT * 20))
    spec["data"][0]["tokens"] = 400 * 128
    return spec


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_what_could_not_be_read_is_read_again(life, number):
    faults = Faults(life, number, READING)
    life.serve(workers=0)
    text = life.upload_text()
    faults.begin()
    refusals = upload_for(life, 1)
    for seed in range(20):  # the first of them reads the model
        with contextlib.suppress(grpc.RpcError):
            life.create(crash_scenarios.analysis_spec(text) | {"seed": str(seed)})
    faults.end()
    assert all(map(tells_of_the_disk, refusals))
    life.create(crash_scenarios.analysis_spec(text))


def test_requests_wait_for_data_sets_that_cannot_be_read(life):
    """They are told of the disk, and asking again helps."""
    faults = Faults(life, errno.EIO, READING)
    life.serve(workers=0)
    life.upload_text()
    kind = life.api.messages("dataset_service").Dataset.KIND_IDS
    ids = life.upload((ROOT / "tests/fixtures/mixtral/ids.npy").read_bytes(), kind, "i")
    life.create(crash_scenarios.analysis_spec("text"))  # which reads the model
    faults.begin()
    for number in range(1, 20):
        analysis = crash_scenarios.analysis_spec("text")
        analysis["data"] = [{"ids": ids, "tokens": 8 * number, "sequenceLength": 8}]
        life.create(analysis)
        life.create(crash_scenarios.training_spec() | {"seeds": [number]}, "train")


def test_files_of_what_could_not_be_stored_go(life):
    """While the server runs, that is: nobody has to start it again."""
    calls = ("posix/io/sync/fdatasync",)  # SQLite's: the row fails, the file is there
    faults = Faults(life, errno.EIO, calls, probability=1)
    life.serve(workers=0)
    kind = life.api.messages("dataset_service").Dataset.KIND_TEXT
    faults.begin()
    with pytest.raises(grpc.RpcError):
        life.upload(b"some text", kind, "text")
    blobs = life.data / "blobs"
    assert list(blobs.iterdir())
    faults.end()
    wait_until(lambda: not list(blobs.iterdir()), "no files")
    life.upload_text(b"some text")
    assert life.server.deaths == 0
    life.end()
    check_data_directory(life.data)


def test_texts_are_read_whole_or_again(life):
    """A worker whose reads fail now and then trains on all of a text, or again."""
    spec = crash_scenarios.training_spec()
    spec["optimizer"]["steps"] = 2
    spec["probe"]["every"] = 0
    text = crash_scenarios.TEXT * 400  # a megabyte: many reads, in pieces
    faults = Faults(life, errno.EIO, ("posix/io/rw/read",), probability=0.02)
    found = []
    for disk in ("fails", "well"):
        life.serve(life.folder / disk, options=("--worker-binary", str(faults.worker)))
        life.upload_text(text)
        job = life.create(spec, "train")
        life.wait(job)
        found.append(life.arrays(job))
        life.end()
        faults.of_workers.unlink(missing_ok=True)
    assert found[0] == found[1]


def test_workers_know_their_processor_or_end(life):
    """LibTorch would go on with kernels that round otherwise."""
    life.serve(workers=0)
    faults = Faults(life, errno.EIO, ("posix/io/rw/read",), probability=1)
    found = subprocess.run(
        [faults.worker, "--server", f"unix:{life.data}/worker.sock"],
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 1
    assert "cannot tell from /proc/cpuinfo" in found.stderr


def ask_again(call):
    """Makes a call until it is not refused for the disk's sake."""
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() not in REFUSALS or not tells_of_the_disk(error.details()):
                raise
        time.sleep(0.05)


def upload_for(life, seconds):
    """Sends data sets for some time and until one is refused; returns refusals."""
    refusals = []
    end = time.monotonic() + seconds
    kind = life.api.messages("dataset_service").Dataset.KIND_TEXT
    number = 0
    while time.monotonic() < end or not refusals:
        number += 1
        data = b"text %d, " % number * 1000
        try:
            life.upload(data, kind, f"text {number}")
        except grpc.RpcError as error:
            refusals.append(error)
        time.sleep(0.05)
    assert {error.code() for error in refusals} <= REFUSALS, refusals
    return [error.details() for error in refusals]


@pytest.mark.parametrize("calls", CALLS_OF_CLIENTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["full", "fails"])
def test_results_are_fetched_or_refused_with_a_reason(
    fetchable, make_client, tmp_path, number, calls
):
    life, job = fetchable
    target = tmp_path / "result"
    client = make_client(life.server)
    good = client.environment
    client.environment = good | bad_disk(number, (calls,), probability=0.5)
    refusals = 0
    for _ in range(20):
        status, _, errors = client.run("fetch", job, "--out", target)
        if status == 0:
            shutil.rmtree(target)
            continue
        # What it says goes by the same call.
        is_lost = calls.endswith("fwrite") and not errors
        assert tells_of_the_disk(errors) or is_lost, errors
        assert status > 0
        refusals += 1
        if calls.endswith("rename"):  # what has its name by then stays
            shutil.rmtree(target, ignore_errors=True)
        assert not target.exists()
    assert refusals > 0
    print(f"{calls}: refused {refusals} times of 20")
    client.environment = good
    client.ok("fetch", job, "--out", target)
