"""Who calls what, and what should come of it, for every method of the API."""

import hashlib
import importlib
import itertools
import pathlib

import grpc

OK = "OK"
# Everybody is let in who is known.
ALL = {"owner": OK, "other": OK, "shared": OK, "admin": OK}
# What is private to the owner, and shared with one other.
READ = ALL | {"other": "NOT_FOUND"}
CHANGE = READ | {"shared": "PERMISSION_DENIED"}
ADMIN = dict.fromkeys(ALL, "PERMISSION_DENIED") | {"admin": OK}
CALLERS = (*ALL, "anonymous", "revoked")

_counter = itertools.count()


def module(name):
    return importlib.import_module(f"moeprobe.v1.{name}_pb2")


def methods(root):
    """Every method of every service that users call, from its descriptor."""
    own = ("worker_service", "admin_service")  # at sockets of their own
    files = sorted(pathlib.Path(root, "proto/moeprobe/v1").glob("*_service.proto"))
    names = [file.stem for file in files if file.stem not in own]
    return {
        f"{service.name}/{method.name}": method
        for name in names
        for service in module(name).DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }


def message_class(descriptor):
    return getattr(module(pathlib.Path(descriptor.file.name).stem), descriptor.name)


class Caller:
    """Makes calls with a token, or without one."""

    def __init__(self, address, token=None):
        self.channel = grpc.insecure_channel(address)
        self.metadata = (("authorization", f"Bearer {token}"),) if token else ()

    def call(self, method, request, timeout=20):
        """Returns the code, the details and what was answered.

        `request` is a message, or a list of them where the method takes a stream.
        """
        kind = f"{'stream' if method.client_streaming else 'unary'}_"
        kind += "stream" if method.server_streaming else "unary"
        send = getattr(self.channel, kind)(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=message_class(method.input_type).SerializeToString,
            response_deserializer=message_class(method.output_type).FromString
            if method.output_type.name != "Empty"
            else bytes,
        )
        sent = iter(request) if method.client_streaming else request
        try:
            answer = send(sent, timeout=timeout, metadata=self.metadata)
            answer = list(answer) if method.server_streaming else answer
        except grpc.RpcError as error:
            return error.code().name, error.details(), None
        return OK, "", answer


def upload(content, **fields):
    """The messages that upload a text."""
    dataset_service = module("dataset_service")
    dataset = dataset_service.Dataset(
        kind=dataset_service.Dataset.KIND_TEXT,
        display_name=fields.pop("display_name", "text.txt"),
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        **fields,
    )
    message = dataset_service.UploadDatasetRequest
    return [message(dataset=dataset), message(data=content)]


def job(data, **fields):
    """An analysis of a data set."""
    analysis, jobs = module("analysis"), module("job")
    spec = analysis.AnalyzeSpec(
        model="mixtral",
        data=[analysis.DataSpec(ids=data, sequence_length=16)],
        probes=analysis.ProbeSpec(routing=analysis.RoutingProbe()),
    )
    return jobs.Job(analyze=spec, **fields)


class Rules:
    """For each method, a request about what is the owner's, and who may make it.

    `ids`: a data set for the lab. Every request is about something new, so that no
    call is in the way of another.
    """

    def __init__(self, methods, owner, ids):
        self.methods = methods
        self.owner = owner
        self.ids = ids
        self.rules = {
            "DatasetService/GetDataset": (READ, lambda: {"name": self.dataset()}),
            "DatasetService/ListDatasets": (ALL, lambda: {"page_size": 1000}),
            "DatasetService/UploadDataset": (ALL, lambda: upload(self.text())),
            "JobService/CancelJob": (CHANGE, lambda: {"name": self.job()}),
            "JobService/CreateJob": (ALL, lambda: {"job": job(ids)}),
            "JobService/DeleteJob": (CHANGE, lambda: {"name": self.ended()}),
            "JobService/GetJob": (READ, lambda: {"name": self.job()}),
            "JobService/KeepJob": (CHANGE, lambda: {"name": self.job()}),
            "JobService/ListJobs": (ALL, lambda: {"page_size": 1000}),
            "JobService/UnkeepJob": (CHANGE, lambda: {"name": self.job()}),
            "JobService/ValidateJob": (ALL, lambda: {"job": job(ids)}),
            "JobService/WatchJob": (READ, lambda: {"name": self.ended()}),
            "ResultService/GetResult": (READ, lambda: {"name": self.job()}),
            "ResultService/ReadArrays": (READ, lambda: {"name": self.job()}),
            "ServerService/GetServerInfo": (ALL, dict),
            "ServerService/ListModels": (ALL, dict),
            "ServerService/LoadModel": (ALL, lambda: {"name": "mixtral"}),
            "ServerService/PinModel": (ADMIN, lambda: {"name": "mixtral"}),
            "ServerService/UnloadModel": (ALL, lambda: {"name": "qwen3"}),
            "ServerService/UnpinModel": (ADMIN, lambda: {"name": "mixtral"}),
            "UserService/CreateUser": (ADMIN, lambda: {"user": {"name": self.name()}}),
            "UserService/GetCaller": (ALL, dict),
            "UserService/ListUsers": (ADMIN, dict),
            "UserService/RenewUser": (ADMIN, lambda: {"name": self.user()}),
            "UserService/RevokeUser": (ADMIN, lambda: {"name": self.user()}),
            "UserService/SetUserWeight": (
                ADMIN,
                lambda: {"name": self.user(), "weight": 2},
            ),
        }
        # The same requests about what is not there.
        self.absent = {
            "DatasetService/GetDataset": lambda: f"datasets/{'0' * 64}",
        }

    def request(self, name):
        request = self.rules[name][1]()
        if isinstance(request, list):
            return request
        return message_class(self.methods[name].input_type)(**request)

    def expected(self, name, caller):
        return self.rules[name][0].get(caller, "UNAUTHENTICATED")

    def about_nothing(self, name):
        """The same request about something that never was; None without a name."""
        kind = message_class(self.methods[name].input_type)
        if "name" not in kind.DESCRIPTOR.fields_by_name:
            return None
        return kind(name=self.absent.get(name, lambda: "jobs/999999")())

    def _make(self, name, request):
        code, details, answer = self.owner.call(self.methods[name], request)
        assert code == OK, details
        return answer

    def text(self):
        return f"text {next(_counter)}\n".encode()

    def name(self):
        return f"users/new{next(_counter)}"

    def user(self):
        """A user that there is; made by whoever runs the server."""
        return "users/somebody"

    def dataset(self):
        private = module("access").VISIBILITY_PRIVATE
        messages = upload(self.text(), visibility=private, shared_with=["shared"])
        return self._make("DatasetService/UploadDataset", messages).name

    def job(self):
        private = module("access").VISIBILITY_PRIVATE
        request = module("job_service").CreateJobRequest(
            job=job(self.ids, visibility=private, shared_with=["shared"])
        )
        return self._make("JobService/CreateJob", request).name

    def ended(self):
        name = self.job()
        request = module("job_service").CancelJobRequest(name=name)
        self._make("JobService/CancelJob", request)
        return name
