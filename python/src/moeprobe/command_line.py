"""The command line: `moeprobe report`, `export` and `dashboard`."""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sys
from collections.abc import Sequence

from moeprobe.client import Client
from moeprobe.connection import Connection, connection_of
from moeprobe.errors import MoeprobeError
from moeprobe.result.result import Result, load
from moeprobe.settings import ConnectionFiles

_FAILED = 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="moeprobe",
        description="Reports of what a moeprobe-server has computed.",
        epilog="MOEPROBE_SERVER, MOEPROBE_TOKEN_FILE, MOEPROBE_CA, MOEPROBE_CERT and "
        "MOEPROBE_KEY, or the settings in ~/.config/moeprobe/client.yaml, say once for "
        "all which server is meant and who you are to it.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    report = commands.add_parser(
        "report",
        help="write a page with tables, figures and provenance of jobs",
        description="Writes one self-contained HTML page that opens offline.",
    )
    report.add_argument(
        "jobs",
        nargs="+",
        metavar="JOB",
        help="a number such as 17, or a folder that `moeprobe-client fetch` wrote",
    )
    report.add_argument(
        "-o", "--out", default="report.html", metavar="FILE", help="%(default)s"
    )
    _add_server(report)
    report.set_defaults(run=_report)
    _add_export(commands)
    _add_dashboard(commands)
    return parser


def _add_server(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--server",
        metavar="ADDRESS",
        help="unix:PATH or HOST:PORT; else what MOEPROBE_SERVER or the settings name, "
        "else your own socket on this machine",
    )
    files = {
        "--token-file": "who you are to the server, as its admin gave it to you",
        "--ca": "encrypts; who signed the server's certificate, PEM",
        "--cert": "your certificate, PEM",
        "--key": "your certificate's key, PEM",
    }
    for name, help_text in files.items():
        command.add_argument(name, type=pathlib.Path, metavar="FILE", help=help_text)
    command.add_argument(
        "--allow-unencrypted-network",
        action="store_true",
        help="send the token where others on the network can read it",
    )


def _connection(arguments: argparse.Namespace) -> Connection:
    """Return how the server that is meant is reached."""
    files = ConnectionFiles(
        arguments.token_file,
        arguments.ca,
        arguments.cert,
        arguments.key,
        arguments.allow_unencrypted_network,
    )
    return connection_of(arguments.server, files=files)


def _add_export(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    export = commands.add_parser(
        "export",
        help="write a job as netCDF, zarr, npz, CSV or JSON",
        description="Writes what a job has found in the format of the file's name.",
    )
    export.add_argument("jobs", nargs=1, metavar="JOB", help="as in `report`")
    export.add_argument(
        "-o", "--out", required=True, metavar="FILE", help=".nc .zarr .npz .csv .json"
    )
    _add_server(export)
    export.set_defaults(run=_export)


def _add_dashboard(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    dashboard = commands.add_parser(
        "dashboard",
        help="serve pages with jobs, results and comparisons to browsers",
        description="Shows a server's jobs and results in browsers on this machine.",
    )
    _add_server(dashboard)
    dashboard.add_argument("--host", default="127.0.0.1", help="%(default)s")
    dashboard.add_argument(
        "--port", type=int, default=8050, help="%(default)s; 0: any that is free"
    )
    dashboard.add_argument(
        "--require-token",
        action="store_true",
        help="everybody logs in with a token, which goes with their calls",
    )
    dashboard.add_argument(
        "--open-to-network",
        action="store_true",
        help="allow a --host that other machines reach; nothing is encrypted: put a "
        "proxy with TLS in front",
    )
    dashboard.add_argument(
        "--name",
        action="append",
        default=[],
        help="a name that browsers may call the dashboard by, such as that of a proxy",
    )
    dashboard.set_defaults(run=_dashboard)


def _results(arguments: argparse.Namespace) -> list[Result]:
    """Return what there is of each job; one that runs is not waited for."""
    if all(pathlib.Path(job).is_dir() for job in arguments.jobs):
        return [load(job) for job in arguments.jobs]
    with Client(connection=_connection(arguments)) as client:
        return [
            load(job)
            if pathlib.Path(job).is_dir()
            else client.job(job).result(wait=False)
            for job in arguments.jobs
        ]


def _report(arguments: argparse.Namespace) -> None:
    from moeprobe.report import write_report  # noqa: PLC0415 (an extra)

    write_report(_results(arguments), arguments.out)
    print(f"Report is in {arguments.out}")  # noqa: T201


def _export(arguments: argparse.Namespace) -> None:
    _results(arguments)[0].export(arguments.out)


def _dashboard(arguments: argparse.Namespace) -> None:
    from moeprobe.dashboard import Settings, serve  # noqa: PLC0415 (an extra)

    settings = Settings(
        connection=_connection(arguments),
        require_token=arguments.require_token,
        host=arguments.host,
        port=arguments.port,
        open_to_network=arguments.open_to_network,
        names=tuple(arguments.name),
    )
    with contextlib.suppress(KeyboardInterrupt):
        serve(settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status: 0, 1 failed, 2 wrong usage."""
    try:
        parsed = _parser().parse_args(arguments)
        parsed.run(parsed)
    except ModuleNotFoundError as error:
        advice = (
            f"`moeprobe {parsed.command}` needs an extra: "
            "pip install './python[all]' in a checkout"
        )
        print(f"moeprobe: {error}; {advice}", file=sys.stderr)  # noqa: T201
        return _FAILED
    except (MoeprobeError, OSError, ValueError) as error:
        print(f"moeprobe: {error}", file=sys.stderr)  # noqa: T201
        return _FAILED
    return 0
