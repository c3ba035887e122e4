"""What servers and workers are in the middle of when they are made to die.

Each scenario is one function of a `Life`: it does what clients and operators do,
each thing until it is acknowledged, whoever dies meanwhile, and returns what came
of it. That must be what comes of it where nobody dies.
"""

import contextlib
import functools
import hashlib
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
import uuid

import grpc
from google.protobuf import json_format
from service import PROGRAMS, SECONDS, wait_until
from supervised import (
    RECONNECT_SOON,
    SupervisedServer,
    check_data_directory,
    insist,
    run_until_it_works,
)

FINAL = ("SUCCEEDED", "FAILED", "CANCELLED")
NO_NULLS = {"random_router": 0, "bootstrap": 0}
TEXT = b"To be, or not to be, that is the question: whether 'tis nobler. " * 40


class Life:
    """One run of a scenario, in a folder of its own.

    `environment` is that of each program that the scenario starts first.
    """

    def __init__(self, root, folder, make_api, environment):
        self.root = root
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.make_api = make_api
        self.environment = environment
        self.server = None
        self.until_its_end = contextlib.ExitStack()

    def serve(self, data=None, later=None, **options):
        """Starts the server, and connects to it."""
        self.server = SupervisedServer(
            data or self.data,
            [self.root / "tests/fixtures", self.root / "examples/models"],
            first=self.environment,
            later=later,
            **options,
        )
        self.api = self.make_api(self.server.address, RECONNECT_SOON)

    def try_to_serve(self, *options, environment=None):
        """Starts a server, and kills it once it is ready.

        Returns what it said where it ended before, else None.
        """
        command = [
            *(PROGRAMS / "moeprobe-server", "--data-dir", self.data, *options),
            *("--model-root", self.root / "tests/fixtures"),
            *("--listen", f"unix:{self.folder}/socket"),
        ]
        with subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as server:
            if server.stdout.readline():
                server.kill()
                return None
            _, said = server.communicate(timeout=SECONDS)
            assert server.returncode == 1, said
            return said

    def end(self):
        if self.server is not None:
            self.server.stop()
            self.api.channel.close()
            self.server.__exit__()
            self.server = None
        self.until_its_end.close()

    def command(self, *arguments, mend=None):
        return run_until_it_works(arguments, self.environment, mend)

    def upload(self, data, kind, name):
        """Sends a data set, once."""
        messages = self.api.messages("dataset_service")
        dataset = messages.Dataset(
            display_name=name,
            kind=kind,
            sha256=hashlib.sha256(data).hexdigest(),
            size_bytes=len(data),
        )
        parts = [{"dataset": dataset}, {"data": data}]
        requests = (messages.UploadDatasetRequest(**part) for part in parts)
        return self.api.datasets.UploadDataset(requests, timeout=30).name

    def upload_text(self, data=TEXT, name="text"):
        kind = self.api.messages("dataset_service").Dataset.KIND_TEXT
        return insist(lambda: self.upload(data, kind, name))

    def create(self, spec, kind="analyze"):
        """Sends a job until it is acknowledged, and once more."""
        job = self.api.messages("job").Job()
        json_format.ParseDict(spec, getattr(job, kind))
        request = self.api.messages("job_service").CreateJobRequest(
            job=job, request_id=str(uuid.uuid4())
        )
        names = {
            insist(lambda: self.api.jobs.CreateJob(request, timeout=30).name)
            for _ in range(2)
        }
        assert len(names) == 1, names
        return names.pop()

    def state(self, job):
        return insist(lambda: self.api.state(job))

    def wait(self, job):
        state = wait_until(
            lambda: (state := self.state(job)) in FINAL and state, f"{job} ends"
        )
        assert state == "SUCCEEDED", insist(lambda: self.api.job(job)).error

    def wait_until_taken(self, job):
        """Waits until a worker has begun with a job, however that ended."""
        wait_until(
            lambda: insist(lambda: self.api.job(job)).HasField("start_time"),
            f"{job} is taken",
        )

    def wait_for(self, job, state):
        """Waits until a job is in a state, or beyond it."""
        wanted = (state, *FINAL)
        wait_until(lambda: self.state(job) in wanted, f"{job} is {state}")

    def arrays(self, job):
        """.npy bytes by name."""
        request = self.api.messages("result_service").ReadArraysRequest(name=job)

        def read():
            arrays = {}
            for chunk in self.api.results.ReadArrays(request, timeout=60):
                if chunk.HasField("info"):
                    current = arrays[chunk.info.name] = bytearray()
                current.extend(chunk.data)
            return {name: bytes(npy) for name, npy in arrays.items()}

        return insist(read)

    def jobs(self):
        """States of all jobs by their names."""
        messages = self.api.messages("job_service")
        page = insist(
            lambda: self.api.jobs.ListJobs(messages.ListJobsRequest(page_size=1000))
        )
        states = self.api.messages("job").Job.State
        return {job.name: states.Name(job.state) for job in page.jobs}

    def datasets(self):
        messages = self.api.messages("dataset_service")
        page = insist(
            lambda: self.api.datasets.ListDatasets(messages.ListDatasetsRequest())
        )
        return sorted((d.display_name, d.name, d.owner) for d in page.datasets)


# Matrices of half a MiB beside small ones.
def analysis_spec(text):
    return {
        "model": "tiny-mixtral",
        "data": [{"text": text, "tokens": 512, "sequenceLength": 128}],
        "layers": {"layers": [0, 1]},
        "probes": {"pca": {"basis": True, "components": 128}},
        "nulls": NO_NULLS,
        "nll": True,
    }


def training_spec():
    return {
        "model": {
            "layers": 1,
            "width": 16,
            "heads": 2,
            "context": 12,
            "experts": 4,
            "expertWidth": 20,
            "expert": "EXPERT_FORM_GATED_MLP",
        },
        "variants": [{"name": "top-2", "routing": {"topK": 2}}],
        "seeds": [0],
        "data": {"text": "text"},
        "optimizer": {"learningRate": 1e-2, "batch": 4, "steps": 20},
        "probe": {"every": 10, "probes": {"routing": {}}, "nulls": NO_NULLS},
    }


# Specs of a text, and their kinds.
WORK = {
    "analysis": (analysis_spec, "analyze"),
    "training": (lambda _: training_spec(), "train"),
}


def analysis(life):
    """A text, a job on it, and another that waits for the same numbers."""
    life.serve()
    text = life.upload_text()
    first, second = (life.create(analysis_spec(text)) for _ in range(2))
    life.wait(first)
    life.wait(second)
    assert set(life.jobs()) == {first, second}
    return life.arrays(first), life.arrays(second)


def training(life):
    """A model that is kept on the way, each time probed."""
    life.serve()
    life.upload_text()
    job = life.create(training_spec(), "train")
    life.wait(job)
    return life.arrays(job)


def large_arrays(life):
    """Bases of more than 1 MiB, which are blobs."""
    life.serve()
    life.upload_text()
    spec = training_spec()
    spec["model"] |= {"width": 64, "experts": 64, "expertWidth": 4}
    spec["optimizer"]["steps"] = 10
    spec["probe"]["probes"] = {"pca": {"basis": True, "components": 64}}
    before = len(list((life.data / "blobs").iterdir()))
    job = life.create(spec, "train")
    life.wait(job)
    assert len(list((life.data / "blobs").iterdir())) > before
    return life.arrays(job)


def queue(life):
    """What clients change of a queue that nobody works on."""
    life.serve(workers=0)
    text = life.upload_text()
    kept, cancelled, deleted = (
        life.create(analysis_spec(text) | {"seed": str(seed)}) for seed in range(3)
    )
    messages = life.api.messages("job_service")
    for job in (cancelled, deleted):
        request = messages.CancelJobRequest(name=job)
        insist(functools.partial(life.api.jobs.CancelJob, request, timeout=30))
    # Who hears nothing does not know whether it happened.
    with contextlib.suppress(grpc.RpcError):
        insist(lambda: life.api.jobs.DeleteJob(messages.DeleteJobRequest(name=deleted)))
    assert life.jobs() == {kept: "STATE_QUEUED", cancelled: "STATE_CANCELLED"}
    return life.datasets()


def user(life):
    """A user, whose token is told once."""
    life.serve(workers=0)
    alice = ("alice", "--data-dir", life.data)

    def renew(said):
        """Where the answer was lost the user is there all the same."""
        if "already" in said:
            return life.command("user", "renew", *alice)
        return None

    return len(life.command("user", "add", *alice, mend=renew))


def lost_worker(life):
    """A worker that dies by itself."""
    life.serve()
    job = life.create(analysis_spec(life.upload_text()))
    life.wait_for(job, "RUNNING")
    for pid in life.server.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    life.wait(job)
    return life.arrays(job)


def with_longer_lease(command):
    place = command.index("--lease-seconds") + 1
    return [*command[:place], "60", *command[place + 1 :]]


def stalled_worker(life):
    """A worker that says nothing any more."""
    # A busy machine stops workers, too.
    life.serve(options=("--lease-seconds", "3"), later=with_longer_lease)
    job = life.create(analysis_spec(life.upload_text()))
    life.wait_for(job, "RUNNING")
    for pid in life.server.workers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    life.wait(job)
    return life.arrays(job)


def cancelled_job(life):
    """A running job that somebody cancels."""
    life.serve()
    spec = training_spec() | {"checkpoint": {"every": 10_000}}
    spec["optimizer"]["steps"] = 1_000_000
    spec["probe"]["every"] = 0
    life.upload_text()
    job = life.create(spec, "train")
    life.wait_for(job, "RUNNING")
    request = life.api.messages("job_service").CancelJobRequest(name=job)
    insist(lambda: life.api.jobs.CancelJob(request, timeout=30))
    wait_until(lambda: life.state(job) == "CANCELLED", "cancelled")


def stopping(life):
    """A server that is asked to end, and started again."""
    life.serve()
    life.upload_text()
    job = life.create(training_spec(), "train")
    life.wait_for(job, "RUNNING")
    life.server.terminate()
    wait_until(lambda: life.server.deaths > 0, "the server ends")
    life.wait(job)
    return life.arrays(job)


def starting(life):
    """A server that finds what an earlier one had not finished."""
    environment, life.environment = life.environment, {}
    life.serve(workers=0)
    life.end()
    life.environment = environment
    blobs = life.data / "blobs"
    for content in (b"one", b"two"):
        sha256 = hashlib.sha256(content).hexdigest()
        (blobs / sha256).write_bytes(content)
        (blobs / f"new-{sha256}").touch()
    (life.data / "scratch/17").mkdir(parents=True, exist_ok=True)
    life.serve()
    job = life.create(analysis_spec(life.upload_text()))
    life.wait(job)
    return life.arrays(job)


def backup(life):
    """A backup of a server that runs, and another server made of it."""
    life.serve(workers=0)
    for name in ("one", "two"):
        life.upload_text(name.encode() * 100, name)
    job = life.create(analysis_spec("one"))
    copy, restored = life.folder / "backup", life.folder / "restored"

    def is_complete(said):
        """Who died may have been done."""
        return "is there already" in said or "is not empty" in said

    life.command("backup", copy, "--data-dir", life.data, mend=is_complete)
    life.command("restore", copy, "--data-dir", restored, mend=is_complete)
    assert not list(life.folder.glob("*.partial"))
    life.end()
    check_data_directory(restored)
    check_data_directory(life.data)
    life.environment = {}
    life.serve(restored, workers=0)
    assert life.jobs() == {job: "STATE_QUEUED"}
    return life.datasets()


def make_oldest_database(life):
    """A data directory of the oldest schema, with one data set."""
    content = b"some text"
    sha256 = hashlib.sha256(content).hexdigest()
    (life.data / "blobs").mkdir(parents=True)
    (life.data / "blobs" / sha256).write_bytes(content)
    source = (life.root / "storage/schema.cc").read_text()
    header = (life.root / "storage/schema.h").read_text()
    first_schema = re.search(r'R"sql\((.*?)\)sql"', source, re.DOTALL)[1]
    application = int(re.search(r"kApplicationId = (0x[0-9a-f]+)", header)[1], 16)
    with contextlib.closing(sqlite3.connect(life.data / "moeprobe.db")) as database:
        database.executescript(
            f"PRAGMA journal_mode = WAL; {first_schema}"
            f"PRAGMA application_id = {application}; PRAGMA user_version = 1;"
            "INSERT INTO dataset(sha256, kind, display_name, size_bytes, create_time)"
            f"VALUES('{sha256}', 'text', 'name', {len(content)}, 2);"
        )


def migration(life):
    """A server that finds a database of the oldest schema."""
    make_oldest_database(life)
    life.serve(workers=0)
    assert (life.data / "moeprobe.db.schema1").exists()
    return life.datasets()


def stored_files(life):
    """Blobs, and directories of models."""
    paths = (
        p for folder in ("blobs", "trained") for p in life.data.glob(folder + "/*")
    )
    return sorted(str(path.relative_to(life.data)) for path in paths)


BASIS_BYTES = 1 << 19  # of analysis_spec(), of one layer


def move_to_blobs(data, least_bytes):
    """Makes blobs of arrays that are smaller than what the server makes blobs of."""
    query = "SELECT id, sha256, npy FROM matrix WHERE length(npy) >= ?"
    with contextlib.closing(sqlite3.connect(data / "moeprobe.db")) as database:
        for row, sha256, npy in database.execute(query, (least_bytes,)).fetchall():
            (data / "blobs" / sha256).write_bytes(npy)
            database.execute("UPDATE matrix SET npy = NULL WHERE id = ?", (row,))
        database.commit()


class Droppable:
    """A job that is kept, and others that go once nobody keeps them."""

    made = threading.Lock()
    copy = None  # of the data directory with all of them, and what is in it

    def __init__(self, life):
        """Makes a data directory with them, in which no server is."""
        self.life = life
        with Droppable.made:
            if Droppable.copy is None:
                Droppable.copy = self.make()
        folder, self.kept, self.others, self.arrays, self.files = Droppable.copy
        shutil.copytree(folder, life.data, dirs_exist_ok=True)

    def make(self):
        """Computes them, once for all who ask."""
        folder = self.life.folder.parent / "droppable"
        life = Life(self.life.root, folder, self.life.make_api, {})
        life.serve()
        text = life.upload_text()
        shorter = analysis_spec(text)["data"][0] | {"sequenceLength": 64}
        kept = life.create(analysis_spec(text))
        life.wait(kept)
        life.end()
        move_to_blobs(life.data, BASIS_BYTES)
        files = stored_files(life)
        life.serve()
        others = [
            life.create(analysis_spec(text) | {"data": [shorter]}),
            life.create(training_spec(), "train"),
        ]
        messages = life.api.messages("job_service")
        for job in others:
            life.wait(job)
        for job in (kept, *others):
            life.api.jobs.KeepJob(messages.KeepJobRequest(name=job))
        arrays = life.arrays(kept)
        life.end()
        move_to_blobs(life.data, BASIS_BYTES)
        gone = [name for name in stored_files(life) if name not in files]
        assert {name.split("/")[0] for name in gone} == {"blobs", "trained"}
        check_data_directory(life.data)
        return life.data, kept, others, arrays, files

    @property
    def messages(self):
        return self.life.api.messages("job_service")

    def let_go(self, ask=insist):
        """`ask`: makes a call until it is answered."""
        for job in self.others:
            request = self.messages.UnkeepJobRequest(name=job)
            ask(lambda r=request: self.life.api.jobs.UnkeepJob(r, timeout=30))

    def wait(self):
        """Waits until what is not kept is gone, and looks at what is."""
        life = self.life
        for job in self.others:
            wait_until(
                lambda job=job: insist(lambda: life.api.job(job)).HasField("dropped"),
                f"results of {job} are dropped",
            )
        wait_until(lambda: stored_files(life) == self.files, "their files are gone")
        assert life.arrays(self.kept) == self.arrays


def dropping(life):
    """Results and models that go, but for those of a job that is kept."""
    droppable = Droppable(life)
    life.serve(options=("--max-store", "1B"), workers=0)
    droppable.let_go()
    droppable.wait()
    return stored_files(life), life.jobs()


def certificates(life):
    """Certificates and keys of a server and of a user."""
    folder = life.folder / "certificates"

    def remove_half(said):
        if match := re.match(r"moeprobe-server: (.*\.key): is there without", said):
            pathlib.Path(match[1]).unlink()
        else:
            assert "is there already" in said or "File exists" in said, said
            shutil.rmtree(folder)

    life.command("cert", "ca", "--dir", folder, mend=remove_half)
    life.command("cert", "client", "alice", "--dir", folder, mend=remove_half)
    for path in folder.iterdir():
        assert path.read_text().endswith("-----\n"), path
        assert path.stat().st_mode & 0o777 == 0o600
    return sorted(path.name for path in folder.iterdir())


def doctor(life):
    """Garbage that somebody has removed."""
    life.serve(workers=0)
    life.upload_text()
    life.end()
    for name in ("0", "1"):
        (life.data / "blobs" / (name * 64)).write_bytes(b"garbage")
    life.command("doctor", "--repair", "--data-dir", life.data)
    return sorted(path.name for path in (life.data / "blobs").iterdir())


# Which of them comes by which places.
REACHED_BY = {
    analysis: (
        "blob-growing",
        "blob-named-directory-not-synced",
        "blob-stays-not-confirmed",
        "blob-synced-not-named",
        "blob-written-not-synced",
        "bounded-file-growing",
        "bounded-file-written-not-named",
        "call-done-not-in-audit-log",
        "call-in-audit-log-not-answered",
        "commit-done-callers-waiting",
        "commit-due",
        "dataset-bytes-stored-row-not",
        "dataset-stored-not-acknowledged",
        "hidden-state-kept-layer-not-published",
        "job-answered-by-cache",
        "job-ended-scratch-there",
        "job-planned-not-stored",
        "job-stored-not-acknowledged",
        "layer-between-cache-entries",
        "layer-cached-not-attached",
        "layer-received-not-stored",
        "layer-stored-not-acknowledged",
        "lease-renewed-report-not-stored",
        "report-stored-not-acknowledged",
        "start-attempts-not-released",
        "start-scratch-not-tidied",
        "start-workers-there-users-not",
        "task-end-received-not-stored",
        "task-end-stored-not-acted-on",
        "task-ended-others-like-it-wait",
        "task-leased-not-handed-out",
        "task-made-not-leased",
        "tokens-stored-not-acknowledged",
        "tokens-stored-row-not",
        "worker-between-arrays",
        "worker-confined",
        "worker-done-not-told",
        "worker-has-layer",
        "worker-has-task",
        "worker-has-tokens",
        "worker-published-layer",
        "worker-told-of-end",
    ),
    training: (
        "checkpoint-empty",
        "checkpoint-has-model-not-state",
        "checkpoint-kept-not-probed",
        "checkpoint-named-directory-not-synced",
        "checkpoint-not-named",
        "checkpoint-there-others-not-thinned",
        "training-step-made",
        "whole-file-empty",
        "whole-file-named-directory-not-synced",
        "whole-file-synced-not-named",
        "whole-file-written-not-synced",
    ),
    large_arrays: ("large-arrays-stored-rows-not",),
    queue: (
        "job-deleted-not-acknowledged",
        "job-not-deleted",
    ),
    user: ("user-stored-not-told",),
    lost_worker: ("death-stored-not-acted-on", "worker-lost-not-stored"),
    stalled_worker: ("lease-expired-not-stored", "lease-expired-worker-lives"),
    cancelled_job: ("cancel-stored-not-enforced",),
    stopping: ("stop-asked-back", "stop-attempts-not-released"),
    starting: ("start-blob-not-settled",),
    backup: (
        "backup-begun",
        "backup-between-blobs",
        "backup-has-its-database",
        "database-copied-not-synced",
        "draft-complete-not-synced",
        "draft-named-directory-not-synced",
        "draft-synced-not-named",
        "restore-between-files",
    ),
    migration: (
        "migration-between-steps",
        "migration-committed",
        "migration-copy-named-directory-not-synced",
        "migration-copy-not-named",
        "migration-due",
        "migration-not-committed",
    ),
    dropping: (
        "blob-unneeded-there",
        "entries-removed-blobs-there",
        "entry-removed-others-there",
        "models-aside-not-removed",
        "models-removed-run-known",
        "results-dropped-not-told",
        "results-let-go-entries-there",
        "results-marked-not-committed",
        "store-not-tidied",
    ),
    certificates: (
        "key-there-certificate-not",
        "new-file-empty",
        "new-file-named-twice",
        "new-file-written-not-named",
    ),
    doctor: ("garbage-found",),
}
