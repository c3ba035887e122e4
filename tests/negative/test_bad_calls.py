"""Every method of the API, called with names, pages and bytes that are none."""

import base64
import itertools

import access
import grpc
import pytest
import stubs
import tables
from target import SECONDS, assert_says, outcome

TABLE = tables.read("calls")


@pytest.fixture(scope="module")
def methods(root, api_stubs):
    assert api_stubs
    return access.methods(root)


def call(target, method, wire):
    """Code and message of a call whose request, or only message, is these bytes."""
    kind = f"{'stream' if method.client_streaming else 'unary'}_"
    kind += "stream" if method.server_streaming else "unary"
    send = getattr(target.api.channel, kind)(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=bytes,
        response_deserializer=bytes,
    )
    sent = iter([wire]) if method.client_streaming else wire

    def run():
        answer = send(sent, timeout=SECONDS)
        if method.server_streaming:
            list(answer)

    return outcome(run)


def request(target, method, fields):
    """The bytes of a request that has these fields."""
    file = method.input_type.file.name.rpartition("/")[2].removesuffix(".proto")
    fields = tables.written_out(fields)
    if fields.get("job") == "good":
        fields["job"] = target.analysis()
    return target.message(file, method.input_type.name, fields).SerializeToString()


def names(which):
    return [
        pytest.param(rule, name, method, id=f"{method} {str(name)[:40]!r}")
        for rule in TABLE["names"]
        for method in rule["methods"]
        for name in rule[which]
    ]


def of_field(field, value):
    return tables.change({}, {field: value})


@pytest.mark.parametrize(("rule", "name", "method"), names("malformed"))
def test_what_is_no_name_is_refused(unharmed, methods, rule, name, method):
    wire = request(unharmed, methods[method], of_field(rule["field"], name))
    found = call(unharmed, methods[method], wire)
    assert_says(found, "INVALID_ARGUMENT", [rule["says"]])


@pytest.mark.parametrize(("rule", "name", "method"), names("absent"))
def test_what_is_not_there_is_not_found(unharmed, methods, rule, name, method):
    wire = request(unharmed, methods[method], of_field(rule["field"], name))
    found = call(unharmed, methods[method], wire)
    assert_says(found, "NOT_FOUND", ["there is no " + rule["kind"]])


@pytest.mark.parametrize("directory", TABLE["backups"])
def test_what_is_no_new_directory_gets_no_backup(unharmed, directory):
    fields = {"directory": directory}
    wire = unharmed.message("admin_service", "CreateBackupRequest", fields)
    with grpc.insecure_channel(
        f"unix:{unharmed.server.data_dir}/admin.sock", stubs.OWN_CONNECTION
    ) as channel:
        send = channel.unary_unary("/moeprobe.v1.AdminService/CreateBackup")
        found = outcome(lambda: send(wire.SerializeToString(), timeout=SECONDS))
    words = ["directory: ", "expected the absolute path of a new directory"]
    assert_says(found, "INVALID_ARGUMENT", words)


def pages(key):
    return list(itertools.product(TABLE["pages"]["methods"], TABLE["pages"][key]))


@pytest.mark.parametrize(("method", "size"), pages("sizes"))
def test_pages_of_less_than_nothing_are_refused(unharmed, methods, method, size):
    wire = request(unharmed, methods[method], {"page_size": size})
    found = call(unharmed, methods[method], wire)
    words = [f"page_size: {size} is negative", "expected 0 to 1000"]
    assert_says(found, "INVALID_ARGUMENT", words)


@pytest.mark.parametrize("method", TABLE["pages"]["methods"])
def test_pages_of_more_than_all_are_cut(unharmed, methods, method):
    wire = request(unharmed, methods[method], {"page_size": 2**31 - 1})
    assert call(unharmed, methods[method], wire) == ("OK", "")


@pytest.mark.parametrize(("method", "token"), pages("tokens"))
def test_what_is_no_page_token_is_refused(unharmed, methods, method, token):
    wire = request(unharmed, methods[method], {"page_token": token})
    words = ["page_token: ", "is not the next_page_token of this method"]
    assert_says(call(unharmed, methods[method], wire), "INVALID_ARGUMENT", words)


def token_of(method, key):
    return base64.urlsafe_b64encode(f"{method}\n{key}".encode()).decode().rstrip("=")


@pytest.mark.parametrize(("method", "other"), pages("others"))
def test_page_tokens_of_other_methods_are_refused(unharmed, methods, method, other):
    if method.endswith("/" + other):
        other += "s"
    wire = request(unharmed, methods[method], {"page_token": token_of(other, "1")})
    words = ["page_token: ", "is not the next_page_token of this method"]
    assert_says(call(unharmed, methods[method], wire), "INVALID_ARGUMENT", words)


@pytest.mark.parametrize(
    "method", ["JobService/ListJobs", "DatasetService/ListDatasets"]
)
@pytest.mark.parametrize("key", TABLE["pages"]["keys"])
def test_page_tokens_that_are_made_up_are_refused(unharmed, methods, method, key):
    token = token_of(method.partition("/")[2], key)
    wire = request(unharmed, methods[method], {"page_token": token})
    words = ["page_token: ", "is not the next_page_token of this method"]
    assert_says(call(unharmed, methods[method], wire), "INVALID_ARGUMENT", words)


@pytest.mark.parametrize("method", TABLE["pages"]["methods"])
@pytest.mark.parametrize("key", TABLE["pages"]["places"])
def test_page_tokens_of_other_places_begin_elsewhere(unharmed, methods, method, key):
    """F9: a token is a place in an order, and no right to anything."""
    token = token_of(method.partition("/")[2], key)
    wire = request(unharmed, methods[method], {"page_token": token})
    assert call(unharmed, methods[method], wire) == ("OK", "")


@pytest.mark.parametrize("case", tables.cases("calls", "calls"))
def test_a_wrong_call_is_refused(unharmed, methods, case):
    method = methods[case["call"]]
    wire = (
        tables.content(case["wire"])
        if "wire" in case
        else request(unharmed, method, case["with"])
    )
    code = case.get("code", "INVALID_ARGUMENT")
    assert_says(call(unharmed, method, wire), code, tables.words(case))


@pytest.mark.parametrize("case", tables.cases("calls", "bytes"))
def test_bytes_that_are_no_message_are_refused_by_every_method(unharmed, methods, case):
    for name, method in methods.items():
        found = call(unharmed, method, tables.content(case["wire"]))
        assert found[0] == code_of_no_message(method), (name, found)


# gRPC answers bytes that are no message before any code of ours sees them: by
# INTERNAL but for two of its ways to serve a call.
NO_MESSAGE = {"UploadDataset": "INVALID_ARGUMENT", "WatchJob": "UNIMPLEMENTED"}


def code_of_no_message(method):
    return NO_MESSAGE.get(method.name, "INTERNAL")


def texts(descriptor, path=(), above=()):
    """Paths of field numbers to every text in a message."""
    for field in descriptor.fields:
        step = (*path, field.number)
        if field.type == field.TYPE_STRING:
            yield step
        elif field.message_type is not None and descriptor not in above:
            yield from texts(field.message_type, step, (*above, descriptor))


def varint(number):
    low = number & 0x7F
    return bytes([low]) if number < 0x80 else bytes([low | 0x80]) + varint(number >> 7)


def nested(path, content):
    """The bytes of a message with `content` at the end of a path."""
    for number in reversed(path):
        content = varint(number << 3 | 2) + varint(len(content)) + content
    return content


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"a\xe2\x82"])
def test_no_text_of_any_request_may_be_anything_but_utf8(unharmed, methods, text):
    count = 0
    for name, method in methods.items():
        for path in texts(method.input_type):
            found = call(unharmed, method, nested(path, text))
            assert found[0] == code_of_no_message(method), (name, path, found)
            count += 1
    assert count > 50


def test_a_message_above_4_mib_is_refused(unharmed, methods):
    for name, method in methods.items():
        found = call(unharmed, method, nested([15], bytes(4 << 20)))
        assert found[0] == "RESOURCE_EXHAUSTED", (name, found)


def test_unknown_fields_are_passed_over(unharmed, methods):
    job = unharmed.message(
        "job_service", "ValidateJobRequest", {"job": unharmed.analysis()}
    )
    wire = job.SerializeToString() + b"\x78\x01" * 1_000_000
    assert call(unharmed, methods["JobService/ValidateJob"], wire) == ("OK", "")
