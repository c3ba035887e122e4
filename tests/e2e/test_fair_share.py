"""Two users of one worker: whose job goes first."""

import json

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory


@pytest.fixture
def waiting_server(start_server):
    """A server on which nothing runs yet; users bring tokens."""
    return start_server(workers=0)


@pytest.fixture
def client_of(make_client):
    """Returns a client that is a user, who is made."""

    def make(server, name, *options):
        client = make_client(server)
        token = client.folder / "token"
        token.touch(0o600)
        token.write_text(server.add_user(name, *options))
        client.environment["MOEPROBE_TOKEN_FILE"] = str(token)
        return client

    return make


def admin_of(server, api_stubs):
    return api_stubs(f"unix:{server.data_dir}/admin.sock")


def let_run(server):
    """Restarts the server with a worker."""
    assert server.stop() == 0
    server.command[server.command.index("--workers") + 1] = "1"
    server.start()


def start_times(server, client, api_stubs, jobs):
    """When each job started, once all have ended."""
    for job in jobs:
        client.run("watch", job)
    api = api_stubs(server.address)
    return [api.job(job).start_time.ToNanoseconds() for job in jobs]


def test_a_first_job_goes_before_a_neighbours_sweep(
    waiting_server, client_of, api_stubs, short_request
):
    alice = client_of(waiting_server, "alice")
    bob = client_of(waiting_server, "bob")
    sweep = [alice.submit(short_request | {"seed": seed}) for seed in range(4)]
    first = bob.submit(short_request | {"seed": 9})
    let_run(waiting_server)
    times = start_times(waiting_server, alice, api_stubs, [*sweep, first])
    assert sorted(times)[:2] == [times[0], times[-1]]


def test_jobs_say_where_they_stand(waiting_server, client_of, short_request):
    alice = client_of(waiting_server, "alice")
    bob = client_of(waiting_server, "bob")
    *before, last = (alice.submit(short_request | {"seed": seed}) for seed in range(3))
    first = bob.submit(short_request | {"seed": 9})
    assert "queued, 1 ahead, start unknown" in bob.ok("show", first)
    assert "queued, 3 ahead, start unknown" in bob.ok("list")
    shown = json.loads(alice.ok("show", last, "--json"))["job"]
    assert shown["queue_position"] == 3
    assert "estimated_start" not in shown
    watch = bob.start("watch", last)
    assert watch.stdout.readline() == f"job {last}: queued\n"
    assert watch.stdout.readline() == f"job {last}: queued, 3 ahead, start unknown\n"
    bob.ok("cancel", first)
    for job in before:
        alice.ok("cancel", job)
    # Of the places between, how many have a line depends on the machine.
    moved = next(line for line in watch.stdout if "ahead" not in line)
    assert moved == f"job {last}: queued, start unknown\n"
    alice.ok("cancel", last)
    assert watch.wait(60) == 1


def add_files(file, pool):
    """Adds a .proto file and what it imports, as it was before there were places."""
    for imported in file.dependencies:
        add_files(imported, pool)
    copy = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(copy)
    for message in copy.message_type:
        for index, field in reversed(list(enumerate(message.field))):
            if (message.name, field.name) == ("JobEvent", "place"):
                del message.field[index]
    pool.Add(copy)


def test_who_knows_of_no_places_hears_the_rest(
    waiting_server, make_client, api_stubs, short_request
):
    client, api = make_client(waiting_server), api_stubs(waiting_server.address)
    pool = descriptor_pool.DescriptorPool()
    add_files(api.messages("job").DESCRIPTOR, pool)
    event = pool.FindMessageTypeByName("moeprobe.v1.JobEvent")
    watch = api.channel.unary_stream(
        "/moeprobe.v1.JobService/WatchJob",
        request_serializer=lambda request: request.SerializeToString(),
        response_deserializer=message_factory.GetMessageClass(event).FromString,
    )
    job = client.submit(short_request)
    request = api.messages("job_service").WatchJobRequest(name=f"jobs/{job}")
    events = watch(request, timeout=120)
    queued, place = next(events), next(events)
    assert (queued.sequence, queued.WhichOneof("event")) == (1, "state")
    assert (place.sequence, place.WhichOneof("event")) == (0, None)
    client.ok("cancel", job)
    *_, cancelled = events
    assert cancelled.state == api.messages("job").Job.STATE_CANCELLED


def test_priorities_go_before_shares(
    waiting_server, client_of, api_stubs, short_request
):
    alice = client_of(waiting_server, "alice")
    ada = client_of(waiting_server, "ada", "--role", "admin")
    low = alice.submit(short_request | {"priority": "low", "seed": 1})
    normal = alice.submit(short_request | {"seed": 2})
    high = ada.submit(short_request | {"priority": "high", "seed": 3})
    assert "priority  low" in alice.ok("show", low)
    assert "priority" not in alice.ok("show", normal)
    let_run(waiting_server)
    times = start_times(waiting_server, alice, api_stubs, [high, normal, low])
    assert times == sorted(times)
    request = json.loads(alice.ok("show", low, "--json"))["request"]
    assert request["priority"] == "low"


def test_high_priority_is_for_admins(waiting_server, client_of, short_request):
    bob = client_of(waiting_server, "bob")
    request = bob.write_request(short_request | {"priority": "high"})
    status, _, errors = bob.run("submit", request)
    assert (status, "high is for admins" in errors) == (1, True)
    status, out, errors = bob.run("submit", request, "--dry-run")
    assert status != 0
    assert "high is for admins" in out + errors


def test_users_have_weights_and_what_they_had(
    server, client_of, api_stubs, short_request
):
    alice = client_of(server, "alice")
    client_of(server, "bob")
    assert server.admin("user", "weight", "bob", "2.5").returncode == 0
    unknown = server.admin("user", "weight", "nobody-here", "2")
    assert (unknown.returncode, "there is no user" in unknown.stderr) == (1, True)
    assert server.admin("user", "weight", "bob", "0").returncode != 0
    alice.submit(short_request, "--wait")
    lines = server.admin("user", "list").stdout.splitlines()
    assert lines[0].split()[4:6] == ["WEIGHT", "RECENT"]
    assert [line.split()[5] for line in lines if line.startswith("bob")] == ["2.5"]
    api = admin_of(server, api_stubs)
    page = api.users.ListUsers(api.messages("user_service").ListUsersRequest())
    recent = {user.name: user.recent_seconds for user in page.users}
    assert recent["users/alice"] > 0
    assert recent["users/bob"] == 0


@pytest.mark.parametrize("weight", [0, -1, 1000, float("nan"), float("inf")])
def test_weights_out_of_range_are_refused(server, api_stubs, weight):
    server.add_user("bob")
    api = admin_of(server, api_stubs)
    request = api.messages("user_service").SetUserWeightRequest(
        name="users/bob", weight=weight
    )
    with pytest.raises(grpc.RpcError) as refused:
        api.users.SetUserWeight(request)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "expected 0.01 to 100" in refused.value.details()
