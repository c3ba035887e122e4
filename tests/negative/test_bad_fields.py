"""Every field of a request, out of bounds: the field is named, and nothing runs."""

import copy

import pytest
import tables
from target import assert_says


def base(target, kind):
    """A good request of a kind, as JSON has it."""
    if kind == "analyze":
        return target.analysis()
    train = {
        "variants": [{"name": "moe"}],
        "data": {"ids": target.ids, "held_out": 0.25},
    }
    if kind == "train":
        return {"train": train}
    shape = {"width": 16, "experts": 4, "expert_width": 8}
    mlp = {"task": "TRAINING_TASK_MLP", "data": {"synthetic": {}}, "model": shape}
    return {"train": train | mlp}


def entries():
    table = tables.read("fields")
    return [
        pytest.param(kind, entry, id=f"{kind} {entry['set']}")
        for kind, part in table.items()
        for entry in part
    ]


@pytest.mark.parametrize("kind", ["analyze", "train", "mlp"])
def test_what_is_changed_is_good(unharmed, kind):
    answer = unharmed.validate(base(unharmed, kind))
    assert answer.HasField("job"), answer.violations


@pytest.mark.parametrize(("kind", "case"), entries())
def test_a_wrong_field_is_named(unharmed, kind, case):
    job = tables.change(copy.deepcopy(base(unharmed, kind)), case["set"])
    refusal = unharmed.create(job)
    assert_says(refusal, case.get("code", "INVALID_ARGUMENT"), tables.words(case))
    assert case["field"] + ": " in refusal[1]
    answer = unharmed.validate(job)
    assert not answer.HasField("job")
    assert case["field"] in [violation.field for violation in answer.violations]


def bounded(descriptor):
    """Every number and choice in a message and in those it holds, by message."""
    found, waiting = set(), [descriptor]
    seen = set()
    while waiting:
        message = waiting.pop()
        seen.add(message)
        for field in message.fields:
            if field.message_type is not None:
                waiting += {field.message_type} - seen
            elif field.type not in (field.TYPE_BOOL, field.TYPE_STRING):
                found.add(f"{message.name}.{field.name}")
    return found


def changed(descriptor, tree):
    """The fields that JSON of a message sets, by message."""
    for name, value in tree.items():
        if name.isdigit():  # of a list
            yield from changed(descriptor, value)
            continue
        field = descriptor.fields_by_name[name]
        yield f"{descriptor.name}.{name}"
        entries = value if isinstance(value, list) else [value]
        for entry in entries:
            if field.message_type is not None and isinstance(entry, dict):
                yield from changed(field.message_type, entry)


def test_every_number_and_choice_of_a_request_has_a_case(target):
    job = target.api.messages("job").Job.DESCRIPTOR
    specs = [job.fields_by_name[name].message_type for name in ("analyze", "train")]
    own = {"Job.visibility", "Job.priority"}
    expected = set.union(*map(bounded, specs)) | own
    cases = [entry for part in tables.read("fields").values() for entry in part]
    found = {
        name for case in cases for name in changed(job, tables.change({}, case["set"]))
    }
    assert expected - found == set()
