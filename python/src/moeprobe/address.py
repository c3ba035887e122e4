"""Where a server listens."""

import os


def default_address() -> str:
    """Return MOEPROBE_SERVER, else the socket that a server uses by default."""
    if address := os.environ.get("MOEPROBE_SERVER"):
        return address
    if directory := os.environ.get("XDG_RUNTIME_DIR"):
        return f"unix:{directory}/moeprobe.sock"
    return f"unix:/tmp/moeprobe-{os.getuid()}.sock"
