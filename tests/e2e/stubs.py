"""Python stubs of the API, generated for the tests: plain gRPC, no client."""

import importlib
import pathlib
import sys

import grpc
import grpc_tools
from grpc_tools import protoc


def generate(proto_folder, out):
    """Generates modules into `out` and makes them importable."""
    files = sorted(str(f) for f in pathlib.Path(proto_folder).rglob("*.proto"))
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    status = protoc.main(
        [
            "protoc",
            f"-I{proto_folder}",
            f"-I{well_known}",
            f"--python_out={out}",
            f"--grpc_python_out={out}",
            *files,
        ]
    )
    assert status == 0, "protoc failed"
    # A package that is installed elsewhere would come before a folder.
    for folder in (out / "moeprobe", out / "moeprobe/v1"):
        (folder / "__init__.py").touch()
    sys.path.insert(0, str(out))


# Of channels that do not share one connection to a server.
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


class Api:
    """Stubs of every public service, and the messages' modules."""

    def __init__(self, address, options=()):
        """`options`: of the channel."""
        self.channel = grpc.insecure_channel(address, options)
        self.jobs = self.stub("job")
        self.results = self.stub("result")
        self.datasets = self.stub("dataset")
        self.server = self.stub("server")
        self.users = self.stub("user")

    def stub(self, name):
        module = importlib.import_module(f"moeprobe.v1.{name}_service_pb2_grpc")
        return getattr(module, f"{name.capitalize()}ServiceStub")(self.channel)

    @staticmethod
    def messages(name):
        """Messages of moeprobe/v1/{name}.proto."""
        return importlib.import_module(f"moeprobe.v1.{name}_pb2")

    def job(self, job_id):
        request = self.messages("job_service").GetJobRequest(name=job_name(job_id))
        return self.jobs.GetJob(request, timeout=10)

    def state(self, job_id):
        """Name of a job's state, such as "RUNNING"."""
        state = self.messages("job").Job.State.Name(self.job(job_id).state)
        return state.removeprefix("STATE_")

    def deaths(self, job_id):
        """How many workers a job lost before it succeeded."""
        queued = self.messages("job").Job.STATE_QUEUED
        return sum(event.state == queued for event in self.watch(job_id)) - 1

    def watch(self, job_id, after=0, timeout=120):
        request = self.messages("job_service").WatchJobRequest(
            name=job_name(job_id), after_sequence=after
        )
        return self.jobs.WatchJob(request, timeout=timeout)


def job_name(job_id):
    return job_id if job_id.startswith("jobs/") else f"jobs/{job_id}"
