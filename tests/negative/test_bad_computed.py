"""Tokenizers and weights that a worker finds wrong: the job fails by one line."""

import copy
import json

import grpc
import numpy as np
import pytest
import tables
from target import SECONDS, assert_says, started

TOKENIZER = {
    "version": "1.0",
    "truncation": None,
    "padding": None,
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {
        "type": "WordLevel",
        "vocab": {"a": 0, "b": 1, "[UNK]": 2},
        "unk_token": "[UNK]",
    },
}


def end_of(target, job):
    """Code and message of a job that runs to its end."""
    request = target.message("job_service", "CreateJobRequest", {"job": job})
    name = target.api.jobs.CreateJob(request, timeout=SECONDS).name
    *_, last = target.api.watch(name)
    return last.error.code, last.error.message


def run(target, folder, text=None):
    """The end of an analysis of a model, of the good ids or of a text."""
    job = target.analysis(folder.name)
    job["analyze"] |= {"layers": {"layers": [0]}, "probes": {"routing": {}}}
    if text is not None:
        job["analyze"]["data"] = [{"text": text, "sequence_length": 64}]
    return end_of(target, job)


@pytest.fixture(scope="module")
def target(root, api_stubs, tmp_path_factory):
    """A server with a worker, which has seen the good model and a text."""
    folder = tmp_path_factory.mktemp("computed")
    with started(root, api_stubs, folder, workers=1) as target:
        text = target.upload("KIND_TEXT", b"a b " * 100, display_name="text")
        target.text = text.name
        with target.spoiled_model("config.json", "model.safetensors") as good:
            (good / "tokenizer.json").write_text(json.dumps(TOKENIZER))
            assert run(target, good, target.text) == (0, "")
            assert run(target, good) == (0, "")
        target.note_state()
        yield target


CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def check(end, case):
    code, message = end
    expected = case.get("code", "FAILED_PRECONDITION")
    assert_says((CODES[code], message), expected, tables.words(case))


@pytest.mark.parametrize("case", tables.cases("computed", "tokenizers"))
def test_a_bad_tokenizer_fails_the_job(unharmed, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        path = folder / "tokenizer.json"
        if "file" in case:
            path.write_bytes(tables.content(case["file"]))
        else:
            changes = copy.deepcopy(case["set"])
            path.write_text(
                json.dumps(tables.change(copy.deepcopy(TOKENIZER), changes))
            )
        text = unharmed.text
        if "text" in case:
            text = unharmed.upload("KIND_TEXT", tables.content(case["text"])).name
            unharmed.note_state()
        check(run(unharmed, folder, text), case)


@pytest.mark.parametrize("case", tables.cases("computed", "weights"))
def test_weights_that_are_no_numbers_fail_the_job(unharmed, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        path = folder / "model.safetensors"
        content = path.read_bytes()
        start = 8 + int.from_bytes(content[:8], "little")
        numbers = np.full((len(content) - start) // 4, case["value"], "<f4")
        path.write_bytes(content[:start] + numbers.tobytes())
        check(run(unharmed, folder), case)
