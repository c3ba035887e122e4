"""Callers who are not who they say: turned away by every method, and told why."""

import access
import grpc
import pytest
import tables
from target import SECONDS, assert_says, outcome, started

OPTIONS = ("--listen", "127.0.0.1:0", "--require-token")


@pytest.fixture(scope="module")
def target(root, api_stubs, tmp_path_factory):
    """A server that asks for tokens on a port, and trusts its socket."""
    folder = tmp_path_factory.mktemp("guarded")
    with started(root, api_stubs, folder, options=OPTIONS) as target:
        yield target


@pytest.fixture(scope="module")
def tokens(target):
    """By the names that the table has for them."""
    token = target.server.add_user("good")
    renewed = target.server.add_user("renewed")
    assert target.server.admin("user", "renew", "renewed").returncode == 0
    revoked = target.server.add_user("revoked")
    assert target.server.admin("user", "revoke", "revoked").returncode == 0
    return {
        "token": token,
        "id": token[:20],
        "cut": token[:-1],
        "renewed": renewed,
        "revoked": revoked,
    }


@pytest.fixture(scope="module")
def callers(target, root):
    """A function for each method that calls it with nothing but metadata."""
    channel = grpc.insecure_channel(target.server.addresses[1])

    def caller(method):
        kind = f"{'stream' if method.client_streaming else 'unary'}_"
        kind += "stream" if method.server_streaming else "unary"
        send = getattr(channel, kind)(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=bytes,
            response_deserializer=bytes,
        )

        def call(metadata):
            sent = iter([b""]) if method.client_streaming else b""
            answer = send(sent, timeout=SECONDS, metadata=metadata)
            if method.server_streaming:
                list(answer)

        return call

    callers = {name: caller(m) for name, m in access.methods(root).items()}
    outcome(lambda: callers["UserService/GetCaller"](()))  # opens the connection
    target.note_state()
    yield callers
    channel.close()


def test_a_good_token_is_let_in(unharmed, callers, tokens):
    metadata = (("authorization", f"Bearer {tokens['token']}"),)
    assert outcome(lambda: callers["UserService/GetCaller"](metadata)) == ("OK", "")


@pytest.mark.parametrize("case", tables.cases("tokens"))
def test_who_proves_nothing_is_turned_away_by_every_method(
    unharmed, callers, tokens, case
):
    metadata = []
    for key, value in tables.written_out(case["metadata"]):
        filled = value
        for name, token in tokens.items():
            filled = filled.replace("{" + name + "}", token)
        metadata.append((key, filled.encode() if key.endswith("-bin") else filled))
    for call in callers.values():
        found = outcome(lambda call=call: call(metadata))
        code = case.get("code", "UNAUTHENTICATED")
        assert_says(found, code, tables.words(case))
        assert tokens["token"] not in found[1]


@pytest.mark.parametrize("size", [8192, 100_000, 1_000_000])
def test_metadata_above_8_kib_are_refused(unharmed, size):
    """F2: by gRPC."""
    with grpc.insecure_channel(unharmed.server.addresses[1]) as channel:
        call = channel.unary_unary(
            "/moeprobe.v1.UserService/GetCaller",
            request_serializer=bytes,
            response_deserializer=bytes,
        )
        metadata = (("x-long", "a" * size),)
        found = outcome(lambda: call(b"", timeout=SECONDS, metadata=metadata))
    words = ["received initial metadata size exceeds limit"]
    assert_says(found, "RESOURCE_EXHAUSTED", words)
