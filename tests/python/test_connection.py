"""Tokens, deadlines and patience, against a server made of one handler."""

import concurrent.futures
import threading
import time

import grpc
import moeprobe
import pytest
from moeprobe.v1 import server_service_pb2


class Handler(grpc.GenericRpcHandler):
    """Answers GetServerInfo after a while, and keeps what calls carry."""

    def __init__(self, seconds=0):
        self.seconds = seconds
        self.seen = []

    def service(self, details):
        self.seen.append(dict(details.invocation_metadata))

        def answer(_request, _context):
            time.sleep(self.seconds)
            return server_service_pb2.ServerInfo(version="9")

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=server_service_pb2.GetServerInfoRequest.FromString,
            response_serializer=server_service_pb2.ServerInfo.SerializeToString,
        )


@pytest.fixture
def address(tmp_path):
    return f"unix:{tmp_path}/socket"


@pytest.fixture
def start(address):
    servers = []

    def begin(handler):
        server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        server.add_generic_rpc_handlers([handler])
        server.add_insecure_port(address)
        server.start()
        servers.append(server)

    yield begin
    for server in servers:
        server.stop(None)


def test_a_token_goes_with_every_call(address, start):
    handler = Handler()
    start(handler)
    with moeprobe.Client(address, "secret") as client:
        assert client.server_info().version == "9"
    with moeprobe.Client(address) as client:
        client.server_info()
    assert handler.seen[0]["authorization"] == "Bearer secret"
    assert "authorization" not in handler.seen[1]


def test_an_answer_that_takes_too_long_is_not_waited_for(address, start):
    start(Handler(seconds=1))
    connection = moeprobe.Connection(address, deadline=0.1)
    with (
        moeprobe.Client(connection=connection) as client,
        pytest.raises(moeprobe.DeadlineError) as found,
    ):
        client.server_info()
    assert isinstance(found.value, TimeoutError)


def test_a_server_that_comes_late_is_found(address, start):
    timer = threading.Timer(0.5, start, [Handler()])
    timer.start()
    connection = moeprobe.Connection(address, patience=30)
    with moeprobe.Client(connection=connection) as client:
        assert client.server_info().version == "9"
    timer.join()
