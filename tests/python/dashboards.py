"""The dashboard as its users start it, a browser, and a server that wants tokens."""

import concurrent.futures
import contextlib
import os
import select
import shutil
import subprocess
import sys
import tempfile

import grpc
from playwright.sync_api import expect, sync_playwright

SECONDS = 120  # the longest that anything here may take
# What the installed command does.
MAIN = "import sys; from moeprobe.command_line import main; sys.exit(main())"
CHROMIUM = "/usr/bin/chromium"
STREAMS = {"WatchJob", "ReadArrays"}
expect.set_options(timeout=SECONDS * 1000)


class Dashboard:
    """`moeprobe dashboard` in a process of its own; a context manager.

    `package`: the folder that the package is installed in.
    """

    def __init__(self, package, server, *options):
        self.process = subprocess.Popen(
            [sys.executable, "-c", MAIN, "dashboard", "--server", server, "--port", "0",
             *options],
            env=os.environ | {"PYTHONPATH": str(package)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        ready, _, _ = select.select([self.process.stdout], [], [], SECONDS)
        line = self.process.stdout.readline() if ready else "nothing"
        assert line.startswith("dashboard at http://127.0.0.1:"), line
        self.address = line.split()[-1].rstrip("/")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        """Ends it, and returns what it said on stderr."""
        self.process.terminate()
        return self.process.communicate(timeout=SECONDS)[1]


@contextlib.contextmanager
def chromium():
    """Yields a browser that opens pages."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


class Page:
    """A page of a dashboard, and what it did that no page may do.

    `page` is Playwright's; `wrongs` holds errors, requests to elsewhere, breaches
    of the content security policy, and dialogs.
    """

    def __init__(self, browser, address, **options):
        self.address = address
        self.wrongs = []
        self.page = browser.new_page(base_url=address, **options)
        self.page.on("pageerror", lambda error: self.wrongs.append(str(error)))
        self.page.on("dialog", self._refuse)
        self.page.on("request", self._watch)
        self.page.on("console", self._listen)

    def _refuse(self, dialog):
        self.wrongs.append(f"dialog {dialog.message}")
        dialog.dismiss()

    def _watch(self, request):
        own = (self.address + "/", "data:", "blob:")
        if not request.url.startswith(own):
            self.wrongs.append(f"request {request.url}")

    def _listen(self, message):
        if "Content Security Policy" in message.text:
            self.wrongs.append(message.text)


def forward(channel, method, kind):
    """A call of any method, whose messages are bytes."""
    if kind == "UploadDataset":
        return channel.stream_unary(method)
    if kind in STREAMS:
        return channel.unary_stream(method)
    return channel.unary_unary(method)


class TokenServer(grpc.GenericRpcHandler):
    """Passes calls that carry a token on to a server, and refuses all others."""

    def __init__(self, target, token):
        self.expected = ("authorization", f"Bearer {token}")
        self.channel = grpc.insecure_channel(target)
        self.folder = tempfile.mkdtemp(prefix="moeprobe-")
        self.address = f"unix:{self.folder}/token.sock"
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(8))
        self.server.add_generic_rpc_handlers((self,))
        self.server.add_insecure_port(self.address)
        self.server.start()

    def service(self, details):
        kind = details.method.rpartition("/")[2]
        knows = self.expected in [tuple(item) for item in details.invocation_metadata]
        send = forward(self.channel, details.method, kind)

        def answer(request, context):
            if not knows:
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "no such token")
            try:
                return send(request)
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())

        if kind == "UploadDataset":
            return grpc.stream_unary_rpc_method_handler(answer)
        if kind in STREAMS:
            return grpc.unary_stream_rpc_method_handler(answer)
        return grpc.unary_unary_rpc_method_handler(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(None)
        self.channel.close()
        shutil.rmtree(self.folder, ignore_errors=True)
