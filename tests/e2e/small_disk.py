"""A disk of its own for a test, in memory, that has little room or none."""

import contextlib
import os
import subprocess

import pytest

PAGE_BYTES = 4096


@contextlib.contextmanager
def mounted(folder, size_bytes, names=0):
    """Mounts one on a new folder; needs the right to. `names`: of files, at most."""
    folder.mkdir()
    options = f"size={size_bytes},nr_inodes={names},mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no right to mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder):
    """Takes all the room there is, and returns the file that has it."""
    path = folder / "filling"
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(PAGE_BYTES))
    return path


class Room:
    """All the room that a disk has, to be given back by and by."""

    def __init__(self, folder, pages):
        """`pages`: that are given back at once."""
        self.path = fill(folder)
        self.step = pages * PAGE_BYTES

    def give(self):
        size = self.path.stat().st_size
        os.truncate(self.path, max(size - self.step, 0))

    def give_all(self):
        self.path.unlink()


class Names:
    """All the files that a disk can still have, to be given back one by one."""

    def __init__(self, folder):
        self.folder = folder / "names"
        self.folder.mkdir()
        self.count = 0
        with contextlib.suppress(OSError):
            while True:
                self.path(self.count).touch(exist_ok=False)
                self.count += 1

    def path(self, number):
        return self.folder / str(number)

    def give(self):
        if self.count > 0:
            self.count -= 1
            self.path(self.count).unlink()

    def give_all(self):
        while self.count > 0:
            self.give()
        self.folder.rmdir()
