"""Messages that lack their last byte, on many streams of a connection."""

import struct
import time

import frames

WINDOW_UPDATE = 8
INITIAL_WINDOW, MAX_FRAME = 65535, 16384


class Unfinished:
    """What is sent, as far as the server's windows allow."""

    def __init__(self, connection, method, streams, size):
        self.connection = connection
        self.body = frames.message(bytes(size))[:-1]
        self.sent = dict.fromkeys(range(1, 2 * streams, 2), 0)
        self.allowed = dict.fromkeys(self.sent, 0)  # beyond what all may
        self.initial = self.window = INITIAL_WINDOW
        self.came = b""
        headers = frames.call(method)
        self.going = frames.PREFACE + frames.settings()
        for stream in self.sent:
            self.going += frames.frame(
                frames.HEADERS, frames.END_HEADERS, stream, headers
            )

    def send(self, seconds):
        """Goes on for so long, or until all is sent or refused."""
        self.connection.settimeout(0)
        end = time.monotonic() + seconds
        while self.sent and time.monotonic() < end:
            try:
                self.hear(self.connection.recv(1 << 16))
            except BlockingIOError:
                time.sleep(0.001)
            if len(self.going) < 1 << 20:
                self.add_data()
            try:
                count = self.connection.send(self.going)
                self.going = self.going[count:]
            except BlockingIOError:
                pass

    def hear(self, came):
        self.came += came
        while len(self.came) >= 9:
            length, kind, flags, stream = struct.unpack(">IBBI", b"\0" + self.came[:9])
            if len(self.came) < 9 + length:
                return
            self.take(kind, flags, stream, self.came[9 : 9 + length])
            self.came = self.came[9 + length :]

    def take(self, kind, flags, stream, payload):
        if kind == frames.SETTINGS and not flags:
            for key, value in struct.iter_unpack(">HI", payload):
                if key == frames.INITIAL_WINDOW_SIZE:
                    self.initial = value
            self.going += frames.frame(frames.SETTINGS, 1, 0)
        elif kind == frames.PING and not flags:
            self.going += frames.frame(frames.PING, 1, 0, payload)
        elif kind == WINDOW_UPDATE and stream == 0:
            self.window += int.from_bytes(payload, "big")
        elif kind == WINDOW_UPDATE and stream in self.allowed:
            self.allowed[stream] += int.from_bytes(payload, "big")
        elif kind in (frames.RESET, frames.HEADERS):  # refused
            self.sent.pop(stream, None)

    def add_data(self):
        for stream, sent in list(self.sent.items()):
            allowed = self.initial + self.allowed[stream] - sent
            part = self.body[sent : sent + min(allowed, self.window, MAX_FRAME)]
            if allowed > 0 and self.window > 0 and part:
                self.going += frames.frame(frames.DATA, 0, stream, part)
                self.sent[stream] += len(part)
                self.window -= len(part)
            elif sent == len(self.body):
                del self.sent[stream]
