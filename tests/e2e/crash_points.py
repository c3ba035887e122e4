"""The places at which a test may end a server or a worker, from the sources."""

import collections
import re

FOLDERS = ("core", "server", "spec", "storage")
PLACE = re.compile(r'\bCrashPoint\("([^"]*)"\)')


def in_sources(root):
    """Files in which each name stands, by name."""
    files = collections.defaultdict(list)
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.cc")):
            if path.name.endswith("_test.cc"):
                continue
            for name in PLACE.findall(path.read_text()):
                files[name].append(str(path.relative_to(root)))
    return dict(files)
