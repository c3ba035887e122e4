"""Tokenizers and weights that a worker finds wrong: the job fails by one line."""

import copy
import json
import os

import grpc
import numpy as np
import pytest
import service
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
        # That of a job goes just after its end is told.
        service.wait_until(lambda: not target.list_scratch(), "no scratch files")
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


@pytest.mark.parametrize("case", tables.cases("computed", "odd"))
def test_an_odd_tokenizer_is_taken(unharmed, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        changes = copy.deepcopy(case["set"])
        tokenizer = tables.change(copy.deepcopy(TOKENIZER), changes)
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        assert run(unharmed, folder, unharmed.text) == (0, "")


def test_a_word_of_1_mb_is_taken(unharmed):
    """D8."""
    tokenizer = copy.deepcopy(TOKENIZER)
    tokenizer["model"]["vocab"]["x" * 1_000_000] = 3
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer))
        assert run(unharmed, folder, unharmed.text) == (0, "")


def test_a_tokenizer_of_ten_million_words_is_refused(unharmed):
    """D6: a file above 256 MiB, here with a hole, is refused by the server."""
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER))
        os.truncate(folder / "tokenizer.json", (1 << 28) + 1)
        job = unharmed.analysis(folder.name)
        job["analyze"]["data"] = [{"text": unharmed.text, "sequence_length": 64}]
        words = ["tokenizer.json is no file of at most 268435456 bytes"]
        assert_says(unharmed.create(job), "FAILED_PRECONDITION", words)


@pytest.mark.parametrize("size", [0, 1, 1000])
def test_a_model_of_another_tokenizer_wants_ids(unharmed, size):
    """D13: a tokenizer.model, cut or not, is not read."""
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        (folder / "tokenizer.model").write_bytes(b"\x0a\x0e\x0a\x05<unk>"[:size])
        job = unharmed.analysis(folder.name)
        job["analyze"]["data"] = [{"text": unharmed.text, "sequence_length": 64}]
        words = ["has no tokenizer.json; give token ids instead"]
        assert_says(unharmed.create(job), "FAILED_PRECONDITION", words)


def fill(path, value):
    """Makes every weight of a file the same number."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    numbers = np.full((len(content) - start) // 4, value, "<f4")
    path.write_bytes(content[:start] + numbers.tobytes())


@pytest.mark.parametrize("case", tables.cases("computed", "weights"))
def test_weights_that_are_no_numbers_fail_the_job(unharmed, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        fill(folder / "model.safetensors", case["value"])
        check(run(unharmed, folder), case)


@pytest.mark.parametrize("case", tables.cases("computed", "small"))
def test_weights_that_are_hardly_numbers_are_taken(unharmed, case):
    """B14."""
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        fill(folder / "model.safetensors", case["value"])
        assert run(unharmed, folder) == (0, "")
