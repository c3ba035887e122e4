"""Certificates that the server's own command makes, and what they are good for."""

import pathlib
import stat
import subprocess
import time

import access
import grpc
import pytest
import service


def cert(*arguments):
    run = subprocess.run(
        [service.PROGRAMS / "moeprobe-server", "cert", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=service.SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return [pathlib.Path(line) for line in run.stdout.splitlines()]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A CA, and certificates that it signed."""
    folder = tmp_path_factory.mktemp("tls")
    made = cert("ca", "--dir", folder)
    made += cert("server", "localhost", "127.0.0.1", "--dir", folder)
    for user in ("bob", "stranger"):
        made += cert("client", user, "--dir", folder)
    for file in made:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return folder


@pytest.fixture(scope="module")
def tls_server(files, tmp_path_factory, model_roots):
    options = (
        *("--listen", "127.0.0.1:0"),
        *("--tls-cert", files / "server.crt", "--tls-key", files / "server.key"),
        *("--client-ca", files / "ca.crt"),
    )
    data = tmp_path_factory.mktemp("tls-server") / "data"
    with service.Server(data, model_roots, workers=0, options=options) as server:
        server.admin("user", "add", "bob", "--without-token")
        yield server


@pytest.fixture(scope="module")
def whoami(root, api_stubs):
    assert api_stubs
    return access.methods(root)["UserService/GetCaller"]


def ask(server, whoami, ca, pair=None, token=None):
    """Asks over TLS who one is; returns the code, what was said, and the caller."""
    read = pathlib.Path.read_bytes
    key, chain = (read(pair.with_suffix(".key")), read(pair)) if pair else (None, None)
    credentials = grpc.ssl_channel_credentials(read(ca), key, chain)
    caller = access.Caller(server.addresses[1], token)
    caller.channel = grpc.secure_channel(server.addresses[1], credentials)
    request = access.module("user_service").GetCallerRequest()
    return caller.call(whoami, request, timeout=10)


def test_a_certificate_says_who_calls(tls_server, files, whoami):
    code, said, caller = ask(tls_server, whoami, files / "ca.crt", files / "bob.crt")
    assert code == access.OK, said
    assert caller.user == "bob"
    assert caller.proof == access.module("user_service").Caller.PROOF_CERTIFICATE


def test_a_token_goes_before_a_certificate(tls_server, files, whoami):
    token = tls_server.add_user("alice", "--role", "admin")
    ca, pair = files / "ca.crt", files / "bob.crt"
    assert ask(tls_server, whoami, ca, pair, token)[2].user == "alice"
    assert ask(tls_server, whoami, ca, pair, "wrong")[0] == "UNAUTHENTICATED"


def test_a_certificate_of_somebody_unknown_is_not_enough(tls_server, files, whoami):
    code, said, _ = ask(tls_server, whoami, files / "ca.crt", files / "stranger.crt")
    assert code == "UNAUTHENTICATED"
    assert '"stranger"' in said


def test_who_shows_no_certificate_gets_nowhere(tls_server, files, whoami):
    token = tls_server.add_user("carol")
    assert ask(tls_server, whoami, files / "ca.crt", None, token)[0] == "UNAVAILABLE"


def test_certificates_of_another_ca_get_nowhere(tls_server, files, whoami, tmp_path):
    cert("ca", "--dir", tmp_path)
    cert("client", "bob", "--dir", tmp_path)
    pair = tmp_path / "bob.crt"
    assert ask(tls_server, whoami, files / "ca.crt", pair)[0] == "UNAVAILABLE"
    # And clients do not take the server for one of theirs.
    ours = files / "bob.crt"
    assert ask(tls_server, whoami, tmp_path / "ca.crt", ours)[0] == "UNAVAILABLE"


def test_expired_certificates_get_nowhere(tls_server, files, whoami, tmp_path):
    for name in ("ca.crt", "ca.key"):
        (tmp_path / name).write_bytes((files / name).read_bytes())
    cert("client", "bob", "--dir", tmp_path, "--expires", "1s")
    time.sleep(2)
    pair = tmp_path / "bob.crt"
    assert ask(tls_server, whoami, files / "ca.crt", pair)[0] == "UNAVAILABLE"


def test_plain_calls_at_an_encrypted_port_get_nowhere(tls_server, whoami):
    caller = access.Caller(tls_server.addresses[1])
    request = access.module("user_service").GetCallerRequest()
    assert caller.call(whoami, request, timeout=10)[0] == "UNAVAILABLE"


def test_a_revoked_certificate_is_refused_at_once(tls_server, files, whoami):
    cert("client", "eve", "--dir", files)
    pair = files / "eve.crt"
    tls_server.admin("user", "add", "eve", "--without-token")
    assert ask(tls_server, whoami, files / "ca.crt", pair)[0] == access.OK
    tls_server.admin("user", "revoke", "eve")
    assert ask(tls_server, whoami, files / "ca.crt", pair)[0] == "UNAUTHENTICATED"


def test_the_client_uses_its_files_and_its_settings(tls_server, files, make_client):
    client = make_client(tls_server)
    address = tls_server.addresses[1]
    client.environment["MOEPROBE_SERVER"] = address
    tls = ("--ca", files / "ca.crt", "--cert", files / "bob.crt",
           "--key", files / "bob.key")  # fmt: skip
    assert client.ok("whoami", *tls) == "bob, user, known by a certificate\n"
    settings = client.folder / "client.yaml"
    settings.write_text(
        f"server: {address}\nca: {files}/ca.crt\ncert: {files}/bob.crt\n"
        f"key: {files}/bob.key\n"
    )
    client.environment["MOEPROBE_SETTINGS"] = str(settings)
    assert client.ok("whoami") == "bob, user, known by a certificate\n"
    del client.environment["MOEPROBE_SERVER"]
    assert client.ok("whoami") == "bob, user, known by a certificate\n"
    # They are for that server alone.
    status, _, said = client.run("whoami", "--server", tls_server.address)
    assert (status, said) == (0, "")


def test_the_client_refuses_secrets_that_others_can_read(tls_server, make_client):
    client = make_client(tls_server)
    token = client.folder / "token"
    token.write_text(tls_server.add_user("open"))
    token.chmod(0o644)
    status, _, said = client.run("whoami", "--token-file", token)
    assert (status, "chmod 600" in said) == (2, True)
    token.chmod(0o600)
    assert client.ok("whoami", "--token-file", token).startswith("open, user")
    status, _, said = client.run(
        "whoami", "--token-file", token, "--server", "lab.example.org:1"
    )
    assert (status, "--ca" in said) == (2, True)


def test_a_token_is_enough_where_no_certificate_is_asked_for(
    files, start_server, whoami
):
    server = start_server(
        workers=0,
        options=("--listen", "127.0.0.1:0", "--tls-cert", files / "server.crt",
                 "--tls-key", files / "server.key"),
    )  # fmt: skip
    ca = files / "ca.crt"
    assert ask(server, whoami, ca)[0] == "UNAUTHENTICATED"
    token = server.add_user("bob")
    assert ask(server, whoami, ca, None, token)[2].user == "bob"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tls-cert", "server.crt", "--tls-key", "ca.key"), "not the key"),
        (("--tls-cert", "none.crt", "--tls-key", "server.key"), "none.crt"),
        (("--tls-cert", "server.key", "--tls-key", "server.key"), "certificate"),
        (("--tls-cert", "server.crt"), "--tls-key"),
        (("--client-ca", "ca.crt"), "--tls-cert"),
    ],
)
def test_files_that_do_not_fit_are_named(files, tmp_path, model_roots, options, said):
    run = subprocess.run(
        [service.PROGRAMS / "moeprobe-server", "--data-dir", tmp_path / "d",
         "--model-root", model_roots[0], "--listen", "127.0.0.1:0", *options],
        cwd=files, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert run.returncode != 0
    assert said in run.stderr
