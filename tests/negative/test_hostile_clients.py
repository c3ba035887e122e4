"""Clients that take what they can: the server stays small, and answers others."""

import contextlib
import hashlib
import signal
import subprocess
import sys
import threading
import time
from concurrent import futures

import frames
import grpc
import pytest
import service
from bystander import undisturbed
from target import SECONDS, assert_says, outcome, started
from test_bad_datasets import npy
from unfinished import Unfinished

MIB = 1 << 20
INFO = "ServerService/GetServerInfo"
UPLOADS_PER_USER = 16  # UploadPlaces::kMaxPerUser


@pytest.fixture(scope="module")
def target(root, api_stubs, tmp_path_factory):
    """The bad come to its socket, others to its port."""
    folder = tmp_path_factory.mktemp("hostile")
    options = ("--listen", "127.0.0.1:0")
    with started(root, api_stubs, folder, options=options) as target:
        with undisturbed(target):  # opens what stays open
            pass
        target.note_state()
        yield target


def announced(target, content, kind="KIND_IDS"):
    dataset = {
        "kind": kind,
        "display_name": "data",
        "sha256": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
    }
    return target.message(
        "dataset_service", "UploadDatasetRequest", {"dataset": dataset}
    )


def piece(target, content):
    return target.api.messages("dataset_service").UploadDatasetRequest(data=content)


def upload(target, messages):
    return outcome(lambda: target.api.datasets.UploadDataset(messages, timeout=SECONDS))


def test_uploads_are_not_held_in_memory(unharmed):
    """Each is 32 MiB and is refused for its last id, 16 at once.

    512 MiB in files; the server has at most a message of each that gRPC has read and
    the same as it was parsed, of 2 MiB here, and what malloc keeps of them: 128 MiB.
    """
    size = 32 * MIB
    header = f"{{'descr': '<i4', 'fortran_order': False, 'shape': ({size // 4},), }}"
    content = npy(header.encode(), bytes(size - 4) + b"\xff\xff\xff\xff")
    first = announced(unharmed, content)

    def messages():
        yield first
        for start in range(0, len(content), 2 * MIB):
            yield piece(unharmed, content[start : start + 2 * MIB])

    with (
        undisturbed(unharmed, 128 * MIB),
        futures.ThreadPoolExecutor(UPLOADS_PER_USER) as pool,
    ):
        sent = [
            pool.submit(upload, unharmed, messages()) for _ in range(UPLOADS_PER_USER)
        ]
        for found in sent:
            words = [f"token id {size // 4 - 1} is -1"]
            assert_says(found.result(), "INVALID_ARGUMENT", words)


def test_uploads_that_never_end_leave_room_for_calls(unharmed):
    """16 of them at once, each with a thread; then one user has no more."""
    content = b"text"
    end = threading.Event()
    blobs = unharmed.server.data_dir / "blobs"

    def have_begun():
        return len(list(blobs.glob("unfinished-*"))) == UPLOADS_PER_USER

    def messages():
        yield announced(unharmed, content, "KIND_TEXT")
        end.wait(SECONDS)
        yield piece(unharmed, content)

    with (
        undisturbed(unharmed),
        futures.ThreadPoolExecutor(UPLOADS_PER_USER) as pool,
    ):
        slow = [
            pool.submit(upload, unharmed, messages()) for _ in range(UPLOADS_PER_USER)
        ]
        try:
            service.wait_until(have_begun, "uploads that have begun")
            unharmed.answer_good_request()
            found = outcome(lambda: unharmed.upload("KIND_TEXT", content))
        finally:
            end.set()
        words = ["16 uploads of ", "the most at once", "try again when one of them"]
        assert_says(found, "RESOURCE_EXHAUSTED", words)
        assert [one.result() for one in slow] == [("OK", "")] * len(slow)
    unharmed.upload("KIND_TEXT", content)


@pytest.mark.parametrize("algorithm", ["Gzip", "Deflate"])
def test_a_message_that_grows_is_refused(unharmed, algorithm):
    """F24: 128 MiB of zeros in an eighth of one, and the limit is 4."""
    ask = unharmed.api.channel.unary_unary("/moeprobe.v1." + INFO)
    compression = getattr(grpc.Compression, algorithm)
    with undisturbed(unharmed):
        found = outcome(
            lambda: ask(bytes(128 * MIB), timeout=SECONDS, compression=compression)
        )
        words = [f"'{algorithm.lower()}' is disabled"]
        assert_says(found, "UNIMPLEMENTED", words)


@pytest.mark.parametrize("seconds", [0, 1e-6, 1e-3])
def test_calls_that_have_no_time_end(unharmed, seconds):
    """F12: 500 at once; which of them are in time is a race."""
    request = unharmed.message(
        "job_service", "ValidateJobRequest", {"job": unharmed.analysis()}
    )
    with undisturbed(unharmed):
        calls = [
            unharmed.api.jobs.ValidateJob.future(request, timeout=seconds)
            for _ in range(500)
        ]
        codes = {call.code().name for call in calls}
    assert codes <= {"DEADLINE_EXCEEDED", "OK"}


@pytest.mark.parametrize(
    ("text", "status"),
    [("0n", 4), ("99999999H", 0), ("", 0), ("x", 0), ("-1S", 0), ("1", 0)],
)
def test_times_as_a_library_would_not_write_them(unharmed, text, status):
    """F12: gRPC passes over what is no time, and keeps one that is over."""
    with undisturbed(unharmed), frames.connect(unharmed.server) as connection:
        headers = frames.call(INFO, ("grpc-timeout", text))
        connection.sendall(
            frames.PREFACE
            + frames.settings()
            + frames.frame(frames.HEADERS, frames.END_HEADERS, 1, headers)
            + frames.frame(frames.DATA, frames.END_STREAM, 1, frames.message())
        )
        assert frames.status_of(connection) == status


def cancel_upload(target):
    """Begins an upload, cancels it in the middle and returns how that ended."""
    content = bytes(4 * MIB)
    sent, over = threading.Event(), threading.Event()

    def messages():
        yield announced(target, content, "KIND_TEXT")
        yield piece(target, content[:MIB])
        sent.set()
        over.wait(SECONDS)

    call = target.api.datasets.UploadDataset.future(messages())
    call.add_done_callback(lambda _: sent.set())  # where it is refused before
    sent.wait(SECONDS)
    call.cancel()
    over.set()
    return call.code()


def test_uploads_that_are_cancelled_leave_nothing(unharmed):
    """F13: in the middle of what was announced, and no place of the sixteen."""
    with undisturbed(unharmed):
        for _ in range(100):
            # A slow server may have many before it to end still.
            service.wait_until(
                lambda: cancel_upload(unharmed) is grpc.StatusCode.CANCELLED, "a place"
            )


KILLED = """
import sys, time
import grpc
address, path, wire, count = sys.argv[1:]
channel = grpc.insecure_channel(address)
def endless():
    yield bytes.fromhex(wire)
    time.sleep(1000)
calls = [channel.stream_stream(path)(endless()) for _ in range(int(count))]
print("begun", flush=True)
time.sleep(1000)
"""


def test_a_client_that_is_killed_leaves_nothing(unharmed):
    """F13: with uploads under way, and halves of calls."""
    wire = announced(unharmed, bytes(MIB), "KIND_TEXT").SerializeToString().hex()
    method = "/moeprobe.v1.DatasetService/UploadDataset"
    arguments = [unharmed.server.address, method, wire, str(UPLOADS_PER_USER)]
    with undisturbed(unharmed):
        for _ in range(3):
            client = subprocess.Popen(
                [sys.executable, "-c", KILLED, *arguments],
                stdout=subprocess.PIPE,
                text=True,
            )
            assert client.stdout.readline() == "begun\n"
            client.send_signal(signal.SIGKILL)
            client.wait()
            client.stdout.close()
    unharmed.assert_unharmed()
    unharmed.upload("KIND_TEXT", b"text")


def test_calls_that_end_in_their_middle_leave_nothing(unharmed):
    """F13: the connection goes after the headers, or in half a message."""
    begin = frames.PREFACE + frames.settings()
    headers = frames.frame(frames.HEADERS, frames.END_HEADERS, 1, frames.call(INFO))
    half = frames.frame(frames.DATA, 0, 1, b"\0\0\0\1\0half")
    with undisturbed(unharmed):
        for sent in (begin + headers, begin + headers + half):
            for _ in range(200):
                with frames.connect(unharmed.server) as connection:
                    connection.sendall(sent)


def wait_for_threads(target):
    """Those of this user were all taken for a moment."""
    service.wait_until(
        lambda: outcome(target.answer_good_request) == ("OK", ""),
        "an answer to the same user",
        10,
    )


def sent_calls(method, count, content=b""):
    """`count` whole calls, on streams of their own."""
    headers = frames.call(method)
    for stream in range(1, 2 * count, 2):
        yield frames.frame(frames.HEADERS, frames.END_HEADERS, stream, headers)
        data = frames.message(content)
        yield frames.frame(frames.DATA, frames.END_STREAM, stream, data)


def test_a_client_that_reads_nothing_costs_little(unharmed):
    """F14: 1000 calls on five connections whose windows are closed.

    None of their answers, some hundred bytes each, can go out.
    """
    sent = frames.PREFACE + frames.settings(window=0)
    sent += b"".join(sent_calls(INFO, 200))
    with undisturbed(unharmed), contextlib.ExitStack() as held:
        for _ in range(5):
            connection = held.enter_context(frames.connect(unharmed.server))
            connection.sendall(sent)
        time.sleep(1)
    wait_for_threads(unharmed)


def test_messages_that_never_end_are_bounded_together(unharmed):
    """F15: 100 on each of four connections, of 4 MiB each but for a byte: 1.6 GiB.

    gRPC may have 256 MiB of them, and what malloc makes of many small pieces.
    """
    with undisturbed(unharmed, 512 * MIB), contextlib.ExitStack() as held:
        for _ in range(4):
            connection = held.enter_context(frames.connect(unharmed.server))
            size = 4 * MIB - 1000
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                Unfinished(connection, "JobService/ValidateJob", 100, size).send(2)


def test_headers_that_never_end_cost_little(unharmed):
    """F15: 300 connections in the middle of a header, or of the preface."""
    block = frames.call(INFO)[:-5]
    begun = frames.PREFACE + frames.settings()
    begun += frames.frame(frames.HEADERS, 0, 1, block)
    with undisturbed(unharmed), contextlib.ExitStack() as held:
        for sent in (begun, begun[:-3], frames.PREFACE[:7]):
            for _ in range(100):
                connection = held.enter_context(frames.connect(unharmed.server))
                connection.sendall(sent)
        unharmed.answer_good_request()


@pytest.mark.parametrize("own", ["", "worker.sock", "admin.sock"])
def test_ten_thousand_connections_leave_nothing(unharmed, own):
    """F16, CVE-2023-4785."""
    with undisturbed(unharmed):
        for _ in range(10_000 if not own else 2_000):
            with frames.connect(unharmed.server, own):
                pass


def test_ten_thousand_calls_that_are_reset_at_once(unharmed):
    """F17, CVE-2023-44487.

    gRPC 1.51 bounds neither their number nor what waits for a thread: some 15 KB each.
    """
    headers = frames.call(INFO)
    reset = b"\0\0\0\x08"
    with (
        undisturbed(unharmed, 256 * MIB),
        frames.connect(unharmed.server) as connection,
    ):
        connection.sendall(frames.PREFACE + frames.settings())
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for stream in range(1, 20_000, 2):
                connection.sendall(
                    frames.frame(frames.HEADERS, 5, stream, headers)
                    + frames.frame(frames.RESET, 0, stream, reset)
                )
    wait_for_threads(unharmed)


LONG = ("x-long", "a" * 9000)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param([("te", "x"), LONG], id="te and 9 KB"),
        pytest.param([(":scheme", "x"), LONG], id="scheme and 9 KB"),
        pytest.param([("te", "x")], id="te"),
        pytest.param([(":scheme", "ftp")], id="scheme"),
        pytest.param([(":method", "DELETE"), LONG], id="method and 9 KB"),
        pytest.param([("content-type", "x"), LONG], id="type and 9 KB"),
    ],
)
def test_headers_that_are_wrong_and_long(unharmed, more):
    """F18, CVE-2023-1428: they once ended the program."""
    with undisturbed(unharmed), frames.connect(unharmed.server) as connection:
        headers = frames.frame(
            frames.HEADERS, frames.END_HEADERS, 1, frames.call(INFO, *more)
        )
        data = frames.frame(frames.DATA, frames.END_STREAM, 1, frames.message())
        connection.sendall(frames.PREFACE + frames.settings() + headers + data)
        connection.shutdown(1)
        assert frames.status_of(connection) != 0


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(b"\0\x7f" + b"\x80" * 16_000 + b"\0", id="padded length"),
        pytest.param(b"\xff" + b"\x80" * 16_000 + b"\0", id="padded index"),
        pytest.param(b"\x3f" + b"\x80" * 16_000 + b"\0", id="padded table size"),
        pytest.param(b"\0\x7f\xff\xff\xff\xff\x07", id="name of 2 GiB"),
        pytest.param(b"\0\xff\xff\xff\xff\xff\x07", id="Huffman name of 2 GiB"),
        pytest.param(b"\x20" * 16_000, id="16000 table sizes"),
        pytest.param(b"\x82" * 16_000, id="16000 methods"),
        pytest.param(b"\x40\1a\1b" * 4_000, id="4000 entries of the table"),
    ],
)
def test_headers_that_are_packed_to_cost_much(unharmed, block):
    """F18, CVE-2023-33953: 100 connections, 10 such frames each."""
    first = frames.frame(frames.HEADERS, 0, 1, block)
    more = frames.frame(frames.CONTINUATION, 0, 1, block) * 9
    with undisturbed(unharmed), contextlib.ExitStack() as held:
        for _ in range(100):
            connection = held.enter_context(frames.connect(unharmed.server))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(frames.PREFACE + frames.settings() + first + more)
        unharmed.answer_good_request()


def test_headers_that_go_on_for_ever_end(unharmed):
    """F18: 64 MiB of them, of a call that is never whole."""
    block = frames.field("x", "a" * 16_000)
    with undisturbed(unharmed), frames.connect(unharmed.server) as connection:
        connection.sendall(frames.PREFACE + frames.settings())
        connection.sendall(frames.frame(frames.HEADERS, 0, 1, frames.call(INFO)))
        more = frames.frame(frames.CONTINUATION, 0, 1, block)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(4_000):
                connection.sendall(more)


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(frames.frame(frames.PING, 0, 0, b"12345678"), id="pings"),
        pytest.param(frames.settings(), id="settings"),
    ],
)
def test_answers_that_nobody_reads_are_not_piled_up(unharmed, asked):
    """F19: 2 MiB of what wants an answer, on each of ten connections.

    The server stops to read where it cannot write. It once told each of 10,000 pings
    that there were too many, which took 500 MiB here.
    """
    with undisturbed(unharmed), contextlib.ExitStack() as held:
        for _ in range(10):
            connection = held.enter_context(frames.connect(unharmed.server))
            connection.settimeout(0.5)
            hung_up = (BrokenPipeError, ConnectionResetError, TimeoutError)
            with contextlib.suppress(*hung_up):
                connection.sendall(frames.PREFACE + frames.settings())
                connection.sendall(asked * (2 * MIB // len(asked)))
