"""The tokenizer's process: same ids as the package, and bad days."""

import json
import runpy
import subprocess
import sys

import numpy as np
import pytest
import tokenizers

WORDS = {
    "version": "1.0",
    "added_tokens": [],
    "normalizer": None,
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None,
    "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "cat": 1}},
}


def bpe(vocabulary, merges, **changes):
    model = {"type": "BPE", "vocab": vocabulary, "merges": merges}
    return WORDS | {"model": model, "pre_tokenizer": None} | changes


@pytest.fixture
def tokenize(root, tmp_path):
    """Runs the script; returns the process and the path of the ids."""

    def run(tokenizer, text, *options):
        json_path, text_path = tmp_path / "tokenizer.json", tmp_path / "text.txt"
        if isinstance(tokenizer, dict):
            tokenizer = json.dumps(tokenizer)
        if isinstance(tokenizer, str):
            json_path.write_text(tokenizer)
        else:
            json_path = tokenizer
        text_path.write_bytes(text if isinstance(text, bytes) else text.encode())
        script = root / "server/worker/tokenize_text.py"
        out = tmp_path / "ids.npy"
        command = [sys.executable, "-I", script, text_path, out, *options]
        with json_path.open("rb") as file:
            process = subprocess.run(
                command, stdin=file, capture_output=True, text=True, timeout=200
            )
        return process, out

    return run


def assert_one_line_error(process, out):
    assert process.returncode == 1, process
    assert process.stderr.strip(), "no message"
    assert "Traceback" not in process.stderr
    assert not out.exists()


def test_writes_int32(tokenize):
    _, out = tokenize(WORDS, "cat dog cat")
    ids = np.load(out)
    assert ids.dtype == np.int32
    assert ids.tolist() == [1, 0, 1]


def test_adds_special_tokens_as_the_file_says(tokenize):
    special = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}},
    }
    _, out = tokenize(WORDS | {"post_processor": special}, "cat")
    assert np.load(out).tolist() == [7, 1]


def test_ids_of_the_bundled_tokenizer_equal_the_packages(tokenize, root):
    path = root / "examples/models/tiny-mixtral/tokenizer.json"
    text = (root / "examples/texts/jargon.txt").read_text()[:20000] + "\0\r\n é 日本"
    _, out = tokenize(path, text)
    reference = tokenizers.Tokenizer.from_file(str(path)).encode(text).ids
    assert np.load(out).tolist() == reference


@pytest.mark.parametrize(
    "tokenizer",
    [
        pytest.param("", id="empty file"),
        pytest.param("{", id="cut JSON"),
        pytest.param("[" * 100_000, id="deep JSON"),
        pytest.param("{}", id="no model"),
        pytest.param(WORDS | {"pre_tokenizer": {"type": "Nope"}}, id="unknown step"),
        pytest.param(bpe({"a": 0}, [["a", "b"]]), id="merge of an absent token"),
        pytest.param(bpe({"a": -1}, []), id="negative id"),
        pytest.param(bpe({"a": 2**32}, []), id="id beyond 32 bits"),
    ],
)
def test_refuses_a_bad_tokenizer(tokenize, tokenizer):
    process, out = tokenize(tokenizer, "cat")
    assert_one_line_error(process, out)
    assert "tokenizer.json: not a tokenizer" in process.stderr


def test_refuses_ids_that_int32_cannot_hold(tokenize):
    process, out = tokenize(bpe({"a": 2**31}, []), "a")
    assert_one_line_error(process, out)


@pytest.mark.parametrize("text", [b"\xff", b"a\xc0\x80", b"\xed\xa0\x80", b"a\xf0\x9f"])
def test_refuses_text_that_is_not_utf8(tokenize, text):
    process, out = tokenize(WORDS, text)
    assert_one_line_error(process, out)
    assert "text.txt: not UTF-8 at byte" in process.stderr


@pytest.mark.parametrize("unit", ["a", " ", "\u0301", "\0"])
def test_takes_a_long_run_of_one_character(tokenize, root, unit):
    path = root / "examples/models/tiny-mixtral/tokenizer.json"
    process, out = tokenize(path, unit * 200_000, "--cpu-seconds", "30")
    assert process.returncode == 0, process.stderr
    assert len(np.load(out)) > 0


@pytest.mark.parametrize("unit", ["a", " ", "\u0301"])
def test_takes_10_mb_of_one_character(tokenize, root, unit):
    """In time that grows with the length: half a minute where the rest is busy."""
    path = root / "examples/models/tiny-mixtral/tokenizer.json"
    count = 10_000_000 // len(unit.encode())
    process, out = tokenize(path, unit * count, "--cpu-seconds", "120")
    assert process.returncode == 0, process.stderr
    assert len(np.load(out)) > 0


def test_a_pattern_that_backtracks_for_ever_ends_at_its_limit(tokenize):
    split = {
        "type": "Split",
        "pattern": {"Regex": "((a+)+)+$"},
        "behavior": "Isolated",
        "invert": False,
    }
    process, out = tokenize(
        WORDS | {"pre_tokenizer": split}, "a" * 5000 + "b", "--cpu-seconds", "2"
    )
    assert process.returncode != 0
    assert not out.exists()


def test_ends_where_its_memory_ends(tokenize):
    process, out = tokenize(WORDS, "cat " * 20_000_000, "--memory-bytes", str(2**28))
    assert process.returncode != 0
    assert "memory" in process.stderr
    assert not out.exists()


@pytest.mark.parametrize("name", ["mistral", "olmoe", "qwen2"])
def test_every_case_of_real_tokenizers(shared, root, name):
    """In this process: a thousand of them would take minutes to start."""
    script = runpy.run_path(str(root / "server/worker/tokenize_text.py"))
    folder = shared / "data/tokenizers" / name
    tokenizer = script["load_tokenizer"]((folder / "tokenizer.json").read_bytes())
    lines = (folder / "cases.jsonl").read_text().splitlines()
    assert len(lines) > 200
    for case in map(json.loads, lines):
        assert tokenizer.encode(case["text"]).ids == case["ids"], case["text"]


def test_ids_of_a_whole_text(shared, tokenize):
    model = shared / "fixtures/trained-mixtral"
    text = (shared / "data/text/wikitext2.test.raw.txt").read_bytes()
    _, out = tokenize(model / "tokenizer.json", text)
    known = np.load(model / "wikitext.ids.npy")
    assert np.array_equal(np.load(out)[: len(known)], known)
