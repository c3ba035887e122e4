"""A server that is asked bad things, and has to stay as it was."""

import contextlib
import hashlib
import itertools
import os
import shutil

import grpc
import service
from google.protobuf import json_format

SECONDS = 60  # the longest a call may take


def outcome(call):
    """The code and the message of a call: ("OK", "") where it went well."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


def assert_says(found, code, words):
    """A refusal has this code, these words, and is one line to read."""
    assert found[0] == code, found
    for word in words:
        assert word in found[1], found
    assert found[1].isprintable(), found


def entries_below(folder):
    """Paths of all that is in a folder, some of which may go meanwhile."""
    for path, folders, files in os.walk(folder):
        yield from (f"{path}/{name}" for name in (*folders, *files))


class Target:
    """A server, a model root of its own, and what may not grow."""

    def __init__(self, server, api, models, good):
        """`good`: a model directory, copied to `models` under that name."""
        self.server = server
        self.api = api
        self.models = models
        self.numbers = itertools.count()
        (models / "good").mkdir()
        for name in ("config.json", "model.safetensors"):
            shutil.copy(good / name, models / "good")
        self.ids = self.upload("KIND_IDS", (good / "ids.npy").read_bytes()).name
        self.note_state()

    def note_state(self):
        """From here on, nothing may come to stay."""
        self.answer_good_request()  # opens what stays open
        self.descriptors = self.server.descriptor_count()
        self.scratch = self.list_scratch()

    def message(self, file, name, fields=()):
        return json_format.ParseDict(
            dict(fields), getattr(self.api.messages(file), name)()
        )

    def upload(self, kind, content, **fields):
        announced = {
            "kind": kind,
            "display_name": "data",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size_bytes": len(content),
        } | fields
        name = "UploadDatasetRequest"
        messages = [
            self.message("dataset_service", name, {"dataset": announced}),
            self.api.messages("dataset_service").UploadDatasetRequest(data=content),
        ]
        return self.api.datasets.UploadDataset(iter(messages), timeout=SECONDS)

    def analysis(self, model="good"):
        """A short request, as JSON has it."""
        return {
            "analyze": {
                "model": model,
                "data": [{"ids": self.ids, "sequence_length": 64}],
                "nulls": {"random_router": 0, "bootstrap": 0},
            }
        }

    def validate(self, job):
        request = self.message("job_service", "ValidateJobRequest", {"job": job})
        return self.api.jobs.ValidateJob(request, timeout=SECONDS)

    def model_names(self):
        request = self.message("server_service", "ListModelsRequest")
        answer = self.api.server.ListModels(request, timeout=SECONDS)
        return [model.name for model in answer.models]

    def create(self, job):
        """Code and message of CreateJob."""
        request = self.message("job_service", "CreateJobRequest", {"job": job})
        return outcome(lambda: self.api.jobs.CreateJob(request, timeout=SECONDS))

    @contextlib.contextmanager
    def spoiled_model(self, *files):
        """A folder with some files of the good model; no two have the same name."""
        folder = self.models / f"bad{next(self.numbers)}"
        folder.mkdir()
        for name in files:
            shutil.copy(self.models / "good" / name, folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def refusal_of(self, folder):
        """Code and message of an analysis of a model that cannot be analysed."""
        found = self.create(self.analysis(folder.name))
        violations = self.validate(self.analysis(folder.name)).violations
        assert [f"{v.field}: {v.description}" for v in violations] == [found[1]]
        return found

    def answer_good_request(self):
        answer = self.validate(self.analysis())
        assert answer.HasField("job"), answer.violations

    def list_scratch(self):
        """What jobs and uploads have on its way, and no finished blob."""
        data = self.server.data_dir
        blobs = (path for path in (data / "blobs").iterdir() if len(path.name) != 64)
        return sorted([*entries_below(data / "scratch"), *map(str, blobs)])

    def assert_unharmed(self):
        """It lives, answers a good request, and holds no more than before."""
        assert self.server.process.poll() is None, self.server.log()
        self.answer_good_request()
        service.wait_until(
            lambda: self.server.descriptor_count() <= self.descriptors,
            "open descriptors",
        )
        # That of a job goes just after its end is told.
        service.wait_until(lambda: self.list_scratch() == self.scratch, "scratch files")


@contextlib.contextmanager
def started(root, stubs, folder, workers=0, options=(), make=service.Server):
    """A target whose server ends well. No lease ends while a case holds a task."""
    models = folder / "models"
    models.mkdir()
    options = (*options, "--lease-seconds", "86400")
    with make(folder / "data", [models], workers=workers, options=options) as server:
        fixture = root / "tests/fixtures/mixtral"
        yield Target(server, stubs(server.address), models, fixture)
        assert server.stop() == 0
