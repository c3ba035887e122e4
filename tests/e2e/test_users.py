"""Users of a real server: who calls, what they see, and what they may change."""

import io
import json
import os
import pathlib
import stat
import subprocess
import sys
import threading

import access
import grpc
import numpy as np
import pytest
import service
from google.protobuf import json_format

TCP = ("--listen", "127.0.0.1:0", "--require-token")
NOBODY = 65534


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory, model_roots):
    """A server whose users come over TCP with tokens; nothing ever runs on it."""
    data = tmp_path_factory.mktemp("shared") / "data"
    with service.Server(data, model_roots, workers=0, options=TCP) as server:
        yield server


@pytest.fixture(scope="module")
def callers(shared_server, api_stubs):
    assert api_stubs
    address = shared_server.addresses[1]
    tokens = {
        "owner": shared_server.add_user("owner"),
        "other": shared_server.add_user("other"),
        "shared": shared_server.add_user("shared"),
        "admin": shared_server.add_user("admin", "--role", "admin"),
        "revoked": shared_server.add_user("revoked"),
    }
    shared_server.add_user("somebody")
    assert shared_server.admin("user", "revoke", "revoked").returncode == 0
    callers = {name: access.Caller(address, token) for name, token in tokens.items()}
    return callers | {"anonymous": access.Caller(address)}


@pytest.fixture(scope="module")
def methods(root, api_stubs):
    assert api_stubs
    return access.methods(root)


@pytest.fixture(scope="module")
def rules(methods, callers, root):
    ids = (root / "tests/fixtures/mixtral/ids.npy").read_bytes()
    messages = access.upload(ids, display_name="ids.npy")
    messages[0].dataset.kind = access.module("dataset_service").Dataset.KIND_IDS
    upload = methods["DatasetService/UploadDataset"]
    code, details, dataset = callers["owner"].call(upload, messages)
    assert code == access.OK, details
    return access.Rules(methods, callers["owner"], dataset.name)


def test_every_method_has_a_rule(methods, rules):
    assert sorted(methods) == sorted(rules.rules)


@pytest.mark.parametrize("who", access.CALLERS)
def test_every_method_does_for_everybody_what_its_rule_says(
    methods, rules, callers, who
):
    for name, method in methods.items():
        request = rules.request(name)
        code, details, _ = callers[who].call(method, request)
        assert code == rules.expected(name, who), f"{name}: {code}: {details}"


def test_what_is_hidden_is_called_what_is_absent_is_called(methods, rules, callers):
    hidden = 0
    for name, method in methods.items():
        if rules.expected(name, "other") != "NOT_FOUND":
            continue
        hidden += 1
        request, nothing = rules.request(name), rules.about_nothing(name)
        found = callers["other"].call(method, request)
        absent = callers["other"].call(method, nothing)
        number = request.name.partition("/")[2]
        same = found[1].replace(number, nothing.name.partition("/")[2])
        assert (found[0], same) == absent[:2]
    assert hidden == 9


def listed(callers, methods, who, name, field):
    request = access.message_class(methods[name].input_type)(page_size=1000)
    code, details, page = callers[who].call(methods[name], request)
    assert code == access.OK, details
    return {item.name for item in getattr(page, field)}


def test_lists_show_what_each_user_may_see(methods, rules, callers):
    job, dataset = rules.job(), rules.dataset()
    sees = {"owner": True, "shared": True, "admin": True, "other": False}
    for who, may_see in sees.items():
        jobs = listed(callers, methods, who, "JobService/ListJobs", "jobs")
        assert (job in jobs) == may_see, who
        found = listed(callers, methods, who, "DatasetService/ListDatasets", "datasets")
        assert (dataset in found) == may_see, who


def test_a_request_cannot_use_data_that_is_not_for_its_user(methods, rules, callers):
    dataset = rules.dataset()
    spec = access.job(dataset)
    spec.analyze.data[0].text = dataset
    request = access.module("job_service").CreateJobRequest(job=spec)
    code, details, _ = callers["other"].call(methods["JobService/CreateJob"], request)
    assert (code, "there is no data set" in details) == ("NOT_FOUND", True)


def test_the_same_request_id_of_two_users_makes_two_jobs(methods, rules, callers):
    request = access.module("job_service").CreateJobRequest(
        job=access.job(rules.ids), request_id="123e4567-e89b-12d3-a456-426614174000"
    )
    create = methods["JobService/CreateJob"]
    mine, again, theirs = (
        callers[who].call(create, request)[2].name
        for who in ("owner", "owner", "other")
    )
    assert mine == again != theirs


def test_a_revocation_ends_open_watches_at_once(shared_server, methods, rules):
    token = shared_server.add_user("watcher")
    watcher = access.Caller(shared_server.addresses[1], token)
    code, details, job = watcher.call(
        methods["JobService/CreateJob"],
        access.module("job_service").CreateJobRequest(job=access.job(rules.ids)),
    )
    assert code == access.OK, details
    ends = []
    watch = access.module("job_service").WatchJobRequest(name=job.name)
    thread = threading.Thread(
        target=lambda: ends.append(
            watcher.call(methods["JobService/WatchJob"], watch, timeout=60)
        )
    )
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
    assert shared_server.admin("user", "revoke", "watcher").returncode == 0
    thread.join(10)
    assert ends[0][0] == "UNAUTHENTICATED"
    assert "watcher was revoked" in ends[0][1]


def test_a_renewed_token_is_the_only_one(shared_server, methods):
    old = shared_server.add_user("renewed", "--expires", "1d")
    new = shared_server.admin("user", "renew", "renewed").stdout.strip()
    whoami = methods["UserService/GetCaller"]
    request = access.module("user_service").GetCallerRequest()
    address = shared_server.addresses[1]
    assert access.Caller(address, old).call(whoami, request)[0] == "UNAUTHENTICATED"
    assert access.Caller(address, new).call(whoami, request)[2].user == "renewed"


def test_a_token_ends_with_its_time(shared_server, methods):
    token = shared_server.add_user("brief", "--expires", "1s")
    caller = access.Caller(shared_server.addresses[1], token)
    request = access.module("user_service").GetCallerRequest()

    def is_refused():
        code, details, _ = caller.call(methods["UserService/GetCaller"], request)
        return code == "UNAUTHENTICATED" and "user renew" in details

    service.wait_until(is_refused, "the end of the token", 10)


@pytest.mark.parametrize("token", ["", "x", "mp_" + "0" * 16 + "_" + "0" * 64])
def test_wrong_tokens_are_told_what_to_do(shared_server, methods, token):
    caller = access.Caller(shared_server.addresses[1])
    caller.metadata = (("authorization", f"Bearer {token}"),)
    request = access.module("user_service").GetCallerRequest()
    code, details, _ = caller.call(methods["UserService/GetCaller"], request)
    assert code == "UNAUTHENTICATED"
    assert "moeprobe-server user add" in details


def test_admins_list_users_and_their_tokens_go_to_files(shared_server, tmp_path):
    file = tmp_path / "token"
    added = shared_server.admin("user", "add", "filed", "--token-file", file)
    assert (added.returncode, added.stdout) == (0, "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    again = shared_server.admin("user", "add", "filed")
    assert again.returncode == 1
    assert "there is a user filed already" in again.stderr
    lines = shared_server.admin("user", "list").stdout.splitlines()
    assert [line.split()[:4] for line in lines if line.startswith("filed")] == [
        ["filed", "user", "let", "in"]
    ]


def test_no_token_is_in_any_file_of_the_server(shared_server, methods):
    token = shared_server.add_user("secretive")
    caller = access.Caller(shared_server.addresses[1], token)
    request = access.module("user_service").GetCallerRequest()
    assert caller.call(methods["UserService/GetCaller"], request)[0] == access.OK
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    access.Caller(shared_server.addresses[1], wrong).call(
        methods["UserService/GetCaller"], request
    )
    files = [f for f in pathlib.Path(shared_server.data_dir).rglob("*") if f.is_file()]
    assert files
    for file in files:
        content = file.read_bytes()
        for secret in (token, wrong, token[20:]):
            assert secret.encode() not in content, file


# --- Models that were trained

TRAINING = {
    "model": {"layers": 1, "width": 16, "heads": 2, "context": 12},
    "variants": [{"name": "dense", "block": "BLOCK_DENSE"}],
    "optimizer": {"batch": 4, "steps": 2},
    "probe": {"probes": {"jacobian": {}}, "nulls": {"random_weights": 0}},
}


class TrainedModels:
    """A server with a private experiment of the owner's, and who calls it."""

    def __init__(self, server, methods):
        self.server = server
        self.methods = methods
        tokens = {name: server.add_user(name) for name in ("owner", "other", "shared")}
        tokens["admin"] = server.add_user("admin", "--role", "admin")
        self.callers = {
            name: access.Caller(server.addresses[1], token)
            for name, token in tokens.items()
        }
        ids = io.BytesIO()
        np.save(ids, np.arange(48, dtype=np.int32))
        messages = access.upload(ids.getvalue(), display_name="ids.npy")
        messages[0].dataset.kind = access.module("dataset_service").Dataset.KIND_IDS
        self.ids = self.ok("owner", "DatasetService/UploadDataset", messages).name
        text = access.upload(b"To be, or not to be, that is the question. " * 40)
        self.text = self.ok("owner", "DatasetService/UploadDataset", text).name
        self.job = self.train("owner", shared_with=["shared"])
        service.wait_until(self.has_ended, "the end of the training")
        self.name = self.trained()[0]

    def call(self, who, name, request):
        method = self.methods[name]
        if isinstance(request, dict):
            request = access.message_class(method.input_type)(**request)
        return self.callers[who].call(method, request)

    def ok(self, who, name, request):
        code, details, answer = self.call(who, name, request)
        assert code == access.OK, details
        return answer

    def train(self, who, **fields):
        """Submits the experiment, private, and returns the name of the job."""
        private = access.module("access").VISIBILITY_PRIVATE
        job = access.module("job").Job(visibility=private, **fields)
        json_format.ParseDict(TRAINING | {"data": {"text": self.text}}, job.train)
        return self.ok(who, "JobService/CreateJob", {"job": job}).name

    def has_ended(self):
        job = self.ok("owner", "JobService/GetJob", {"name": self.job})
        assert job.state != job.STATE_FAILED, job.error
        return job.state == job.STATE_SUCCEEDED

    def trained(self):
        folders = self.server.data_dir.glob("trained/*/step-*")
        return sorted(str(path.relative_to(self.server.data_dir)) for path in folders)

    def jobs_with(self, name):
        """A request for each field that names a model."""
        for field in ("model", "baseline"):
            job = access.job(self.ids)
            job.analyze.model = "tiny-mixtral"
            job.analyze.data[0].sequence_length = 12
            job.analyze.probes.Clear()
            job.analyze.probes.jacobian.SetInParent()
            setattr(job.analyze, field, name)
            yield job
        job = access.module("job").Job()
        data = {"data": {"text": self.text, "vocabulary": name}}
        json_format.ParseDict(TRAINING | data, job.train)
        yield job

    def requests_with(self, name):
        """What to call with what, for every method that takes a model."""
        for job in self.jobs_with(name):
            yield "JobService/ValidateJob", {"job": job}
            yield "JobService/CreateJob", {"job": job}
        for method in ("LoadModel", "UnloadModel", "PinModel", "UnpinModel"):
            yield f"ServerService/{method}", {"name": name}

    def answers(self, who, name):
        """What is said, with `name` taken out."""
        for method, request in self.requests_with(name):
            answer = self.call(who, method, request)
            yield method, *(str(part).replace(name, "*") for part in answer)

    def listed(self, who):
        models = self.ok(who, "ServerService/ListModels", {"page_size": 1000})
        return [model.name for model in models.models]


@pytest.fixture
def trained_models(start_server, model_roots, methods):
    return TrainedModels(start_server(roots=model_roots[1:], options=TCP), methods)


def test_a_trained_model_is_none_for_who_may_not_see_its_job(trained_models):
    name = trained_models.name
    trained_models.ok("admin", "ServerService/PinModel", {"name": name})
    absent = "trained/0123456789abcdef/step-0"
    hidden = list(trained_models.answers("other", name))
    assert hidden == list(trained_models.answers("other", absent))
    assert [code for _, code, *_ in hidden] == [
        *[access.OK, "NOT_FOUND"] * 3,
        *["NOT_FOUND"] * 2,
        *["PERMISSION_DENIED"] * 2,
    ]
    assert name not in trained_models.listed("other")
    others = trained_models.listed("other")
    assert others[-1] < name  # what would follow their last page
    page = {"page_size": len(others)}
    listed = trained_models.ok("other", "ServerService/ListModels", page)
    assert listed.next_page_token == ""


@pytest.mark.parametrize("who", ["owner", "shared", "admin"])
def test_a_trained_model_is_there_for_who_may_see_its_job(trained_models, who):
    trained_models.ok("admin", "ServerService/PinModel", {"name": trained_models.name})
    assert trained_models.name in trained_models.listed(who)
    for method, code, details, _ in trained_models.answers(who, trained_models.name):
        assert code != "NOT_FOUND", (method, details)
        assert "no model" not in details


def test_who_trains_the_same_has_the_same_models(trained_models):
    name = trained_models.name
    job = next(trained_models.jobs_with(name))
    request = {"job": job}
    assert trained_models.call("other", "JobService/CreateJob", request)[0] != access.OK
    own = trained_models.train("other")
    analysis = trained_models.ok("other", "JobService/CreateJob", request).name
    for other in (own, trained_models.job):
        state = trained_models.ok("admin", "JobService/GetJob", {"name": other}).state
        assert state == access.module("job").Job.STATE_SUCCEEDED
        trained_models.ok("admin", "JobService/DeleteJob", {"name": other})

    # It runs on, for who has it, and lets them see the model.
    def has_ended():
        answer = trained_models.ok("other", "JobService/GetJob", {"name": analysis})
        assert answer.state != answer.STATE_FAILED, answer.error
        return answer.state == answer.STATE_SUCCEEDED

    service.wait_until(has_ended, "the end of the analysis")
    trained_models.ok("other", "ServerService/LoadModel", {"name": name})
    code, details, _ = trained_models.call(
        "owner", "ServerService/LoadModel", {"name": name}
    )
    assert code == access.OK, details


# --- Unix sockets


WHO = """
import os, sys
os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""


def run_as(uid, client, *arguments):
    program = str(service.PROGRAMS / "moeprobe-client")
    return subprocess.run(
        [sys.executable, "-c", WHO, str(uid), program, *map(str, arguments)],
        env=client.environment | {"MOEPROBE_SETTINGS": "/no/settings.yaml"},
        capture_output=True,
        text=True,
        timeout=service.SECONDS,
        check=False,
    )


@pytest.fixture
def open_server(start_server):
    """A server whose socket every account of the machine may use."""
    if os.getuid() != 0:
        pytest.skip("takes root, who can be anybody")
    server = start_server(workers=0, options=("--socket-mode", "0666"))
    pathlib.Path(server.sockets).chmod(0o711)
    return server


def test_the_server_trusts_the_uid_of_a_peer(open_server, make_client):
    client = make_client(open_server)
    own = json.loads(client.ok("whoami", "--json"))
    assert own == {"user": "root", "role": "admin", "proof": "peer"}
    other = json.loads(run_as(NOBODY, client, "whoami", "--json").stdout)
    assert other == {"user": "nobody", "role": "user", "proof": "peer"}
    nameless = json.loads(run_as(54321, client, "whoami", "--json").stdout)
    assert nameless["user"] == "uid-54321"


def test_another_account_sees_and_changes_what_it_may(
    open_server, make_client, short_request
):
    client = make_client(open_server)
    hidden = client.submit(short_request | {"visibility": "private"})
    lab = client.submit(short_request)
    assert run_as(NOBODY, client, "show", lab).returncode == 0
    absent = run_as(NOBODY, client, "show", hidden)
    assert (absent.returncode, f"no job {hidden}" in absent.stderr) == (1, True)
    cancelled = run_as(NOBODY, client, "cancel", lab)
    assert (cancelled.returncode, "root's" in cancelled.stderr) == (1, True)
    seen = json.loads(run_as(NOBODY, client, "list", "--json").stdout)
    assert [job["job"]["name"] for job in seen] == [f"jobs/{lab}"]
    open_server.admin("user", "add", "nobody", "--without-token", "--role", "admin")
    assert run_as(NOBODY, client, "cancel", hidden).returncode == 0


def test_a_revoked_account_is_not_let_in_on_a_socket(open_server, make_client):
    client = make_client(open_server)
    open_server.admin("user", "add", "nobody", "--without-token")
    assert run_as(NOBODY, client, "whoami").returncode == 0
    open_server.admin("user", "revoke", "nobody")
    refused = run_as(NOBODY, client, "whoami")
    assert (refused.returncode, "revoked" in refused.stderr) == (1, True)


IN_A_NAMESPACE = """
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf
mount --bind "$1/passwd" /etc/passwd
shift
exec "$@"
"""


class NamingServer(service.Server):
    """A server for which accounts have the names that a test gives them."""

    def __init__(self, folder, *arguments, **options):
        self.folder = folder
        folder.mkdir()
        self.ask("files")
        self.name("")
        super().__init__(folder / "data", *arguments, **options)
        pathlib.Path(self.sockets).chmod(0o711)

    def start(self):
        shell = ("unshare", "--mount", "sh", "-ec", IN_A_NAMESPACE, "sh", self.folder)
        self.command = [*shell, *self.command]
        super().start()

    def ask(self, sources):
        """Where accounts are looked up from now on."""
        (self.folder / "nsswitch.conf").write_text(f"passwd: {sources}\n")

    def name(self, line):
        """What there is beside root."""
        root = "root:x:0:0::/root:/bin/sh\n"
        (self.folder / "passwd").write_text(root + line)


@pytest.fixture
def naming_server(tmp_path, model_roots):
    # It comes with the C library, and finds no server that it could ask.
    if not list(pathlib.Path("/usr/lib").glob("*/libnss_hesiod.so.2")):
        pytest.skip("takes a name service that is down")
    done = subprocess.run(["unshare", "--mount", "true"], check=False)
    if os.getuid() != 0 or done.returncode != 0:
        pytest.skip("takes root, and mounts of its own")
    options = ("--socket-mode", "0666")
    folder = tmp_path / "naming"
    with NamingServer(folder, model_roots, workers=0, options=options) as server:
        yield server


def test_an_account_is_looked_up_for_each_connection(naming_server, make_client):
    client = make_client(naming_server)

    def whoami(uid):
        done = run_as(uid, client, "whoami", "--json")
        return json.loads(done.stdout)["user"] if done.returncode == 0 else None

    assert whoami(54321) == "uid-54321"
    naming_server.name("ann:x:54321:54321::/:/bin/sh\n")
    assert whoami(54321) == "ann"
    naming_server.admin("user", "add", "ann", "--without-token")
    naming_server.admin("user", "revoke", "ann")
    assert whoami(54321) is None
    # Who is known is known; of others nobody can say whether there is an account.
    naming_server.ask("files hesiod")
    naming_server.name("")
    assert whoami(54321) is None
    line = "user id 54321: its account cannot be looked up: No such file or directory"
    assert line in naming_server.log()
    assert whoami(0) == "root"
    naming_server.ask("files")
    naming_server.name("bob:x:54321:54321::/:/bin/sh\n")
    assert whoami(54321) == "bob"


def test_users_are_no_business_of_users(open_server, make_client):
    client = make_client(open_server)
    environment = client.environment | {"MOEPROBE_SERVER": "unused"}
    command = [sys.executable, "-c", WHO, str(NOBODY),
               str(service.PROGRAMS / "moeprobe-server"), "user", "add", "eve",
               "--data-dir", str(open_server.data_dir)]  # fmt: skip
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "eve" not in open_server.admin("user", "list").stdout


def test_sockets_are_for_their_account_unless_more_is_said(server):
    for path in (
        server.address.removeprefix("unix:"),
        server.data_dir / "admin.sock",
        server.data_dir / "worker.sock",
    ):
        mode = pathlib.Path(path).stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) & 0o077 == 0, path


def is_there(address, method):
    request = access.message_class(method.input_type)()
    sent = [request] if method.client_streaming else request
    return access.Caller(address).call(method, sent)[0] != "UNIMPLEMENTED"


def methods_of(name):
    services = access.module(name).DESCRIPTOR.services_by_name.values()
    return [method for service in services for method in service.methods]


def test_workers_users_and_the_own_account_have_sockets_of_their_own(server, methods):
    of_workers = f"unix:{server.data_dir}/worker.sock"
    own = f"unix:{server.data_dir}/admin.sock"
    for method in methods.values():
        assert not is_there(of_workers, method), method.full_name
    for method in methods_of("worker_service"):
        assert not is_there(server.address, method), method.full_name
        assert not is_there(own, method), method.full_name
    for method in methods_of("admin_service"):
        assert not is_there(of_workers, method), method.full_name
        assert not is_there(server.address, method), method.full_name
        assert is_there(own, method), method.full_name


# --- Ports


def start_refused(tmp_path, model_roots, *options):
    """Starts a server that says why it does not, and returns that."""
    command = [service.PROGRAMS / "moeprobe-server", "--data-dir", tmp_path / "refused",
               *(a for root in model_roots for a in ("--model-root", root)),
               "--workers", "0", *options]  # fmt: skip
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=service.SECONDS, check=False
    )
    assert run.returncode != 0
    return run.stderr


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0"])
def test_other_machines_are_kept_out_unless_a_flag_says_so(
    tmp_path, model_roots, address
):
    said = start_refused(tmp_path, model_roots, "--listen", address)
    assert "--tls-cert" in said
    assert "--allow-unencrypted-network" in said


def test_the_flag_lets_tokens_through_in_the_clear(start_server, methods):
    server = start_server(
        workers=0, options=("--listen", "0.0.0.0:0", "--allow-unencrypted-network")
    )
    address = f"127.0.0.1:{server.addresses[1].rpartition(':')[2]}"
    request = access.module("user_service").GetCallerRequest()
    whoami = methods["UserService/GetCaller"]
    assert access.Caller(address).call(whoami, request)[0] == "UNAUTHENTICATED"
    token = server.add_user("bob")
    assert access.Caller(address, token).call(whoami, request)[2].user == "bob"


def test_whoever_reaches_a_loopback_port_is_the_servers_own_user(start_server, methods):
    server = start_server(workers=0, options=("--listen", "127.0.0.1:0"))
    request = access.module("user_service").GetCallerRequest()
    whoami = methods["UserService/GetCaller"]
    code, details, caller = access.Caller(server.addresses[1]).call(whoami, request)
    assert code == access.OK, details
    users = access.module("user_service")
    assert caller.proof == users.Caller.PROOF_LOOPBACK
    assert caller.role == access.module("access").ROLE_USER
    wrong = access.Caller(server.addresses[1], "wrong").call(whoami, request)
    assert wrong[0] == "UNAUTHENTICATED"


# --- Private by default, and what is left from before there were users


def test_a_server_may_be_private_by_default(start_server, make_client, short_request):
    server = start_server(workers=0, options=("--private-by-default",))
    client = make_client(server)
    job = client.submit(short_request)
    assert "private" in client.ok("show", job)
    opened = client.submit(short_request | {"visibility": "lab", "seed": 1})
    assert "private" not in client.ok("show", opened)
    assert "its owner" in client.ok("info")


def test_a_request_says_who_may_see_it(server, make_client, short_request):
    client = make_client(server)
    job = client.submit(short_request | {"shared_with": ["bob"]}, "--wait")
    request = json.loads((client.fetch(job) / "result.json").read_text())["request"]
    assert request["visibility"] == "private"
    assert request["shared_with"] == ["bob"]
    shown = client.ok("show", job)
    assert "bob" in shown
    assert "root" in client.ok("list") or os.getuid() != 0


def test_results_are_shared_by_their_computation_not_by_their_jobs(
    start_server, methods, root, short_request, make_client
):
    server = start_server(options=TCP)
    ours = make_client(server)
    ours.submit(short_request | {"visibility": "private"}, "--wait")
    bob = access.Caller(server.addresses[1], server.add_user("bob"))
    ids = (root / "tests/fixtures/mixtral/ids.npy").read_bytes()
    messages = access.upload(ids, display_name="mine.npy")
    messages[0].dataset.kind = access.module("dataset_service").Dataset.KIND_IDS
    hidden = access.module("dataset_service").GetDatasetRequest(
        name=f"datasets/{messages[0].dataset.sha256}"
    )
    get = methods["DatasetService/GetDataset"]
    assert bob.call(get, hidden)[0] == "NOT_FOUND"
    dataset = bob.call(methods["DatasetService/UploadDataset"], messages)[2]
    assert (dataset.owner, dataset.display_name) == ("bob", "mine.npy")
    client = make_client(server)
    token = pathlib.Path(client.folder / "token")
    token.touch(0o600)
    token.write_text(server.admin("user", "renew", "bob").stdout)
    client.environment["MOEPROBE_TOKEN_FILE"] = str(token)
    client.environment["MOEPROBE_SERVER"] = server.addresses[1]
    job = client.submit(short_request)
    assert "succeeded, cached" in client.ok("show", job)
    assert client.ok("list").count("\n") == 2  # a header and one job


def test_grpc_errors_are_those_of_grpc():
    assert grpc.StatusCode[access.READ["other"]] is grpc.StatusCode.NOT_FOUND
