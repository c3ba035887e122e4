"""The dashboard as its users start it, and a browser."""

import contextlib
import os
import select
import subprocess
import sys

from playwright.sync_api import expect, sync_playwright

SECONDS = 120  # the longest that anything here may take
# What the installed command does.
MAIN = "import sys; from moeprobe.command_line import main; sys.exit(main())"
CHROMIUM = "/usr/bin/chromium"
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
