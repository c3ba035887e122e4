"""HTTP/2 in bytes, for connections that use it as no library would."""

import re
import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RESET, SETTINGS, PING, CONTINUATION = 0, 1, 3, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4
INITIAL_WINDOW_SIZE = 4


def frame(kind, flags, stream, payload=b""):
    length = struct.pack(">I", len(payload))[1:]
    return length + struct.pack(">BBI", kind, flags, stream) + payload


def settings(**values):
    known = {"window": INITIAL_WINDOW_SIZE}
    pairs = (struct.pack(">HI", known[key], n) for key, n in values.items())
    return frame(SETTINGS, 0, 0, b"".join(pairs))


def integer(value, bits):
    """A number of HPACK in the last bits of a byte, and in more."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([value])
    value -= most
    rest = [most]
    while value >= 0x80:
        rest.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*rest, value])


def field(name, value):
    """A header that no table remembers."""
    name, value = name.encode(), value.encode()
    return b"\0" + integer(len(name), 7) + name + integer(len(value), 7) + value


def call(method, *more):
    """The headers of a call: `more` of them, as pairs, behind what there has to be."""
    pairs = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", f"/moeprobe.v1.{method}"),
        (":authority", "localhost"),
        ("content-type", "application/grpc"),
    ]
    names = {name for name, _ in more}
    if "te" not in names:
        pairs.append(("te", "trailers"))
    pairs = [pair for pair in pairs if pair[0] not in names]
    return b"".join(field(*pair) for pair in [*pairs, *more])


def message(content=b""):
    """A message of gRPC, not compressed."""
    return b"\0" + struct.pack(">I", len(content)) + content


def connect(server, own=""):
    """A connection to where the server listens, or to a socket of its directory."""
    path = str(server.data_dir / own) if own else server.address.partition(":")[2]
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    connection.settimeout(10)
    return connection


def status_of(connection):
    """The status in what comes; -1 if the server hangs up without one."""
    heard = b""
    while True:
        # The first answer on a connection spells out the header's name.
        if found := re.search(rb"grpc-status[\x01\x02](\d+)", heard):
            return int(found[1])
        try:
            more = connection.recv(1 << 16)
        except ConnectionResetError:
            more = b""
        if not more:
            return -1
        heard += more
