"""Where the server is and who asks: files, environment and settings."""

import asyncio

import moeprobe
import moeprobe.aio
import pytest
import service
from moeprobe.connection import connection_of, stays_here
from moeprobe.settings import ConnectionFiles, read_settings, read_token

NETWORK = "lab.example.org:7600"


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch, tmp_path):
    for name in ("SERVER", "TOKEN_FILE", "CA", "CERT", "KEY"):
        monkeypatch.delenv(f"MOEPROBE_{name}", raising=False)
    monkeypatch.setenv("MOEPROBE_SETTINGS", str(tmp_path / "client.yaml"))


@pytest.fixture
def write(tmp_path):
    def write(name, text, mode=0o600):
        path = tmp_path / name
        path.write_text(text)
        path.chmod(mode)
        return path

    return write


def test_settings_name_a_server_and_files_beside_them(write, tmp_path):
    file = write(
        "client.yaml",
        "server: lab:1\ntoken_file: t\nca: /etc/ca.crt\ncert: c\nkey: k\n"
        "allow_unencrypted_network: true\n",
    )
    settings = read_settings(file)
    assert settings.server == "lab:1"
    assert settings.files == ConnectionFiles(
        tmp_path / "t",
        tmp_path / "/etc/ca.crt",
        tmp_path / "c",
        tmp_path / "k",
        allow_unencrypted_network=True,
    )
    assert read_settings(tmp_path / "none") == moeprobe.settings.Settings()


@pytest.mark.parametrize("text", ["token: x\n", "server: []\n", "- a\n", ""])
def test_settings_that_are_wrong_say_where(write, text):
    with pytest.raises(moeprobe.RequestError, match=r"client\.yaml:"):
        read_settings(write("client.yaml", text))


def test_settings_that_are_empty_lack_settings_not_a_request(write):
    with pytest.raises(moeprobe.RequestError, match="nothing, expected settings$"):
        read_settings(write("client.yaml", ""))


def test_a_token_is_read_from_a_file_that_nobody_else_can(write):
    assert read_token(write("t", "mp_1_2\n")) == "mp_1_2"
    for mode in (0o640, 0o604):
        with pytest.raises(moeprobe.AccessError, match="chmod 600"):
            read_token(write("t", "mp_1_2", mode))
    for text in ("", "two words", "a\nb"):
        with pytest.raises(moeprobe.RequestError, match="one token"):
            read_token(write("t", text))


def test_a_token_stays_on_this_machine_unless_it_is_encrypted(write):
    files = ConnectionFiles(token=write("t", "mp_1_2"))
    assert connection_of("127.0.0.1:1", files=files).token == "mp_1_2"
    with pytest.raises(moeprobe.AccessError, match="nothing is encrypted"):
        connection_of(NETWORK, files=files)
    with pytest.raises(moeprobe.AccessError, match="nothing is encrypted"):
        connection_of(NETWORK, "mp_1_2")
    encrypted = ConnectionFiles(token=files.token, ca=write("ca", "PEM"))
    assert connection_of(NETWORK, files=encrypted).tls == moeprobe.Tls(b"PEM")
    said = ConnectionFiles(token=files.token, allow_unencrypted_network=True)
    assert connection_of(NETWORK, files=said).token == "mp_1_2"


def test_loopback_is_known_by_all_its_names():
    here = ("unix:/a", "localhost:1", "127.8.8.8:1", "[::1]:1")
    assert [stays_here(address) for address in here] == [True] * 4
    assert not stays_here("127.0.0.1.example.org:1")


def test_the_environment_goes_before_settings(write, monkeypatch):
    write("client.yaml", "server: 127.0.0.1:1\ntoken_file: theirs\n")
    write("theirs", "settings")
    assert connection_of().address == "127.0.0.1:1"
    assert connection_of().token == "settings"
    monkeypatch.setenv("MOEPROBE_TOKEN_FILE", str(write("mine", "environment")))
    assert connection_of().token == "environment"
    assert connection_of(token="said").token == "said"


def test_settings_are_for_their_own_server_alone(write):
    write("client.yaml", "server: 127.0.0.1:1\ntoken_file: theirs\n")
    write("theirs", "settings")
    assert connection_of("127.0.0.1:1").token == "settings"
    assert connection_of("127.0.0.1:2").token is None


def test_a_key_goes_with_its_certificate(write):
    pem = write("pem", "PEM")
    with pytest.raises(moeprobe.AccessError, match="go together"):
        connection_of("a:1", files=ConnectionFiles(ca=pem, key=pem))
    files = ConnectionFiles(ca=pem, cert=pem, key=write("key", "PEM", 0o644))
    with pytest.raises(moeprobe.AccessError, match="chmod 600"):
        connection_of("a:1", files=files)


def test_secrets_are_in_no_text():
    tls = moeprobe.Tls(b"ca", b"cert", b"s3cret")
    connection = moeprobe.Connection("a:1", "s3cret", tls=tls)
    assert "s3cret" not in repr(connection)


@pytest.fixture(scope="module")
def lab(tmp_path_factory, model_roots):
    data = tmp_path_factory.mktemp("lab") / "data"
    options = ("--listen", "127.0.0.1:0", "--require-token")
    with service.Server(data, model_roots, workers=0, options=options) as server:
        yield server


def test_clients_say_who_they_are(lab, write, short_request):
    token = write("token", lab.add_user("bob"))
    files = ConnectionFiles(token=token)
    with moeprobe.Client(lab.addresses[1], files=files) as client:
        caller = client.whoami()
        assert (caller.user, caller.role, caller.proof) == ("bob", "user", "token")
        job = client.submit(short_request | {"shared_with": ["eve"]})
        status = job.status()
        assert (status.owner, status.visibility) == ("bob", "private")
        assert status.shared_with == ["eve"]
        assert status.request["visibility"] == "private"
        (dataset,) = client.datasets()
        assert (dataset.owner, dataset.visibility) == ("bob", "private")
        assert client.server_info().default_visibility == "lab"

    async def ask():
        async with moeprobe.aio.Client(lab.addresses[1], files=files) as client:
            return await client.whoami()

    assert asyncio.run(ask()) == caller
    with (
        moeprobe.Client(lab.addresses[1]) as client,
        pytest.raises(moeprobe.UnauthenticatedError, match="--token-file"),
    ):
        client.jobs()
