"""What a user has written down once: which server, and how to reach it."""

from __future__ import annotations

import dataclasses
import os
import pathlib

from moeprobe.errors import AccessError, RequestError
from moeprobe.request.source import TextSource
from moeprobe.request.value import Value
from moeprobe.request.yaml_tree import read_yaml

_OTHERS = 0o077
_LONGEST_TOKEN = 4096
_FLAG = "allow_unencrypted_network"


@dataclasses.dataclass(frozen=True)
class ConnectionFiles:
    """Files that say who calls, and by which the server is known.

    `token`: who calls. `ca`: who signed the server's certificate; encrypts. `cert`
    and `key`: the caller's own certificate. All but the token are PEM.
    """

    token: pathlib.Path | None = None
    ca: pathlib.Path | None = None
    cert: pathlib.Path | None = None
    key: pathlib.Path | None = None
    # A token may go where others on the network can read it.
    allow_unencrypted_network: bool = False

    def or_else(self, other: ConnectionFiles) -> ConnectionFiles:
        """Return these, and those of `other` where there are none."""
        own_cert = self.cert or self.key
        return ConnectionFiles(
            token=self.token or other.token,
            ca=self.ca or other.ca,
            cert=self.cert if own_cert else other.cert,
            key=self.key if own_cert else other.key,
            allow_unencrypted_network=self.allow_unencrypted_network
            or other.allow_unencrypted_network,
        )


@dataclasses.dataclass(frozen=True)
class Settings:
    """A server, "" for the default one, and the files that are meant for it."""

    server: str = ""
    files: ConnectionFiles = dataclasses.field(default_factory=ConnectionFiles)


def settings_file() -> pathlib.Path:
    """Return MOEPROBE_SETTINGS, else moeprobe/client.yaml where settings are kept."""
    if file := os.environ.get("MOEPROBE_SETTINGS"):
        return pathlib.Path(file)
    home = os.environ.get("XDG_CONFIG_HOME")
    folder = pathlib.Path(home) if home else pathlib.Path.home() / ".config"
    return folder / "moeprobe/client.yaml"


def read_settings(file: pathlib.Path) -> Settings:
    """Read settings: no settings where there is no file.

    Its keys are server, token_file, ca, cert, key and allow_unencrypted_network;
    paths are relative to it. Raises RequestError, with file, line and column, for
    anything else.
    """
    try:
        source = TextSource(file.read_bytes(), os.fspath(file))
    except FileNotFoundError:
        return Settings()
    found: dict[str, str | pathlib.Path | bool] = {}

    def take_server(value: Value) -> None:
        found["server"] = value.text()

    def take_flag(value: Value) -> None:
        found[_FLAG] = value.boolean()

    def take_path(name: str, value: Value) -> None:
        found[name] = file.parent / value.text()

    names = {"token_file": "token", "ca": "ca", "cert": "cert", "key": "key"}
    Value(read_yaml(source, "settings"), "", source).read_fields(
        {
            "server": take_server,
            _FLAG: take_flag,
            **{
                key: lambda value, name=name: take_path(name, value)  # type: ignore[misc]
                for key, name in names.items()
            },
        }
    )
    server = str(found.pop("server", ""))
    return Settings(server, ConnectionFiles(**found))  # type: ignore[arg-type]


def files_of_environment() -> ConnectionFiles:
    """Return what MOEPROBE_TOKEN_FILE, _CA, _CERT and _KEY name."""

    def path(name: str) -> pathlib.Path | None:
        found = os.environ.get(f"MOEPROBE_{name}")
        return pathlib.Path(found) if found else None

    return ConnectionFiles(path("TOKEN_FILE"), path("CA"), path("CERT"), path("KEY"))


def read_private(file: pathlib.Path) -> bytes:
    """Read a file that nobody but its owner can. Raises AccessError otherwise."""
    if file.stat().st_mode & _OTHERS:
        raise AccessError(
            f"{file}: others than its owner can read it; chmod 600 it, and think of "
            "it as known to them"
        )
    return file.read_bytes()


def read_token(file: pathlib.Path) -> str:
    """Read a token. Raises AccessError if others can, RequestError if it is none."""
    token = read_private(file).decode("ascii", errors="replace").strip()
    is_token = token.isascii() and token.isprintable() and " " not in token
    if not token or len(token) > _LONGEST_TOKEN or not is_token:
        raise RequestError(f"{file}: expected one token, and nothing else")
    return token
