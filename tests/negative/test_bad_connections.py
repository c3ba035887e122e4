"""Connections that do not speak gRPC: they end, and others go on."""

import contextlib
import socket

import pytest
import tables
from bystander import undisturbed


@pytest.mark.parametrize("own", ["", "worker.sock", "admin.sock"])
@pytest.mark.parametrize("case", tables.cases("connections"))
def test_what_is_not_grpc_ends(unharmed, case, own):
    server = unharmed.server
    path = str(server.data_dir / own) if own else server.address.partition(":")[2]
    with undisturbed(unharmed), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        # The server may hang up before it has heard all.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(tables.content(case["sent"]))


def test_a_thousand_connections_that_say_nothing_leave_nothing(unharmed):
    path = unharmed.server.address.partition(":")[2]
    with undisturbed(unharmed):
        for _ in range(1000):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(path)
