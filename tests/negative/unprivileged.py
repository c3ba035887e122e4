"""Servers of an account that may not do everything, also where root runs the tests."""

import contextlib
import os
import pathlib
import shutil
import tempfile

import service

NOBODY = 65534
IDS = ("--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups")
# What stands before a command.
AS_NOBODY = ("setpriv", *IDS, "--") if os.getuid() == 0 else ()


def give_away(*paths):
    """Lets that account have files and folders, and all that is in them."""
    if not AS_NOBODY:
        return
    for path in paths:
        for entry in (path, *path.rglob("*")):
            os.chown(entry, NOBODY, NOBODY, follow_symlinks=False)


@contextlib.contextmanager
def open_folder():
    """A folder that every account reaches, unlike those of pytest."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="moeprobe-"))
    try:
        folder.chmod(0o755)
        give_away(folder)
        yield folder
    finally:
        shutil.rmtree(folder)


class Server(service.Server):
    """moeprobe-server as an account that reads only what it may."""

    def start(self):
        self.data_dir.mkdir(parents=True, exist_ok=True)
        give_away(self.data_dir, pathlib.Path(self.sockets))
        command = self.command
        self.command = [*AS_NOBODY, *command]
        try:
            super().start()
        finally:
            self.command = command
