"""Where a server listens."""

import ipaddress
import os


def default_address() -> str:
    """Return MOEPROBE_SERVER, else the socket that a server uses by default."""
    if address := os.environ.get("MOEPROBE_SERVER"):
        return address
    if directory := os.environ.get("XDG_RUNTIME_DIR"):
        return f"unix:{directory}/moeprobe.sock"
    return f"unix:/tmp/moeprobe-{os.getuid()}.sock"


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
