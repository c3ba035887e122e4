"""A real browser, headless, that opens a page and says what became of it."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import threading

PROGRAM = "chromium"
SECONDS = 120  # the longest that a page may take
# Says on the console what is asked for, once a condition holds.
WATCH = """
<script>
const watch = () => {
  if (%s) console.log("ANSWER " + JSON.stringify(%s));
  else setTimeout(watch, 5);
};
watch();
</script>
"""


@contextlib.contextmanager
def opened(path, height):
    """Yields the console's lines of a page in a browser that ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-port=0", "--enable-logging=stderr",
             f"--window-size=1200,{height}", f"--user-data-dir={profile}",
             path.as_uri()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )  # fmt: skip

        def end():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(browser.pid, signal.SIGKILL)

        timer = threading.Timer(SECONDS, end)
        timer.start()
        try:
            yield (line for line in browser.stderr if "CONSOLE" in line)
        finally:
            timer.cancel()
            end()
            browser.communicate()


def ask(path, condition, question, height=1000):
    """Returns what a page answers once a condition holds, and what it said before.

    Both are JavaScript. The page is a file of HTML; a copy of it is opened.
    """
    copy = path.with_name(f"watched-{path.name}")
    watch = WATCH % (condition, question)
    copy.write_text(path.read_text().replace("</body>", f"{watch}</body>"))
    said = []
    with opened(copy, height) as console:
        for line in console:
            if found := re.search(r'"ANSWER (.*)", source: ', line):
                return json.loads(found[1]), said
            said.append(line)
    raise AssertionError(f"{path} never came to {condition}: {said}")
