"""A way to a server that is long, or breaks off in the middle of an answer."""

import contextlib
import math
import pathlib
import shutil
import socket
import tempfile
import threading
import time

PIECE = 4096


class Proxy:
    """Passes bytes between clients and a server on a Unix socket.

    Once `limit` bytes came from the server, calls `on_break` and closes the
    connection they came on; later connections last. `broken` says whether it
    came to that. `seconds`: what a connection takes to get through. A context
    manager.
    """

    def __init__(self, target, limit=math.inf, on_break=None, seconds=0):
        self.target = target.removeprefix("unix:")
        self.left = limit
        self.on_break = on_break
        self.seconds = seconds
        self.broken = False
        self.folder = tempfile.mkdtemp(prefix="moeprobe-")
        path = pathlib.Path(self.folder) / "proxy.sock"
        self.address = f"unix:{path}"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):  # the listener is closed
            while True:
                client, _ = self.listener.accept()
                self.connect(client)

    def connect(self, client):
        time.sleep(self.seconds)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(self.target)
        except OSError:
            client.close()
            return
        for source, sink, meter in (
            (client, server, lambda _: None),
            (server, client, self.count),
        ):
            threading.Thread(
                target=pump, args=(source, sink, meter), daemon=True
            ).start()

    def count(self, size):
        self.left -= size
        if self.left <= 0 and not self.broken:
            self.broken = True
            self.on_break()
            raise ConnectionAbortedError

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def pump(source, sink, meter):
    """Passes bytes on until either side ends; `meter` may end it, too."""
    with contextlib.suppress(OSError):
        while data := source.recv(PIECE):
            meter(len(data))
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
