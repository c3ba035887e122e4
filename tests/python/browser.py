"""A real browser, headless, that opens one page and says what became of it."""

import html
import re
import shutil
import subprocess

PROGRAM = shutil.which("chromium")
# Virtual milliseconds that the page's scripts may take.
BUDGET = 20000


def _run(*arguments):
    return subprocess.run(
        [
            PROGRAM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-extensions",
            "--hide-scrollbars",
            f"--virtual-time-budget={BUDGET}",
            *arguments,
        ],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )


class Page:
    """What a browser made of a file, once its scripts have run."""

    def __init__(self, path, width=1200, height=2000):
        size = f"--window-size={width},{height}"
        ran = _run(size, "--enable-logging=stderr", "--dump-dom", path.as_uri())
        self.dom = ran.stdout
        self.messages = re.findall(r"CONSOLE.*", ran.stderr)

    @property
    def title(self):
        return html.unescape(re.search("<title>(.*?)</title>", self.dom, re.DOTALL)[1])

    @property
    def drawn_plots(self):
        return len(re.findall('class="plot js-plotly-plot"', self.dom))


def take_picture(path, out, width=1200, height=1600):
    """Writes what a window of this size shows of a page as PNG."""
    _run(f"--window-size={width},{height}", f"--screenshot={out}", path.as_uri())
