"""Requests are read as strictly as the C++ client reads them; no server."""

import numpy as np
import pytest
from moeprobe import RequestError
from moeprobe.request.request import read_request
from moeprobe.request.writer import request_dict, request_yaml

GOOD = """\
kind: analyze
name: a name
model: tiny-mixtral
data: {text: texts/jargon.txt, tokens: all, sequence_length: 128}
layers: early-middle-late
probes:
  jacobian: {average: [routed, gate], by_tokens: true}
  spectra: {tokens_per_expert: all}
routing: {select: all, temperature: 0.5}
sweep:
  routing.temperature: [0.25, 1]
  data.tokens: [128, all]
"""


EXPERIMENT = """\
kind: train
name: an experiment
model: {layers: 2, expert: gated_mlp, init: normal_0.02}
variants:
  soft: {block: moe, routing: {select: all}}
  "1.5": {}
  dense: {block: dense, match: total}
seeds: [3, 0]
data: {text: texts/jargon.txt, held_out: 0.25}
optimizer: {learning_rate: 3.0e-4, steps: 20}
probe: {every: 10, tokens: all, probes: {spectra: {tokens_per_expert: all}}}
swap_routing: [soft, "1.5"]
"""


def read(tmp_path, text):
    path = tmp_path / "request.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_request(path)


def error_of(tmp_path, text):
    with pytest.raises(RequestError) as found:
        read(tmp_path, text)
    return str(found.value).replace(f"{tmp_path}/", "")


def test_every_kind_of_field_is_read(tmp_path):
    spec = read(tmp_path, GOOD).job.analyze
    assert spec.model == "tiny-mixtral"
    assert spec.data[0].tokens == -1
    assert spec.layers.preset == 2
    assert list(spec.probes.jacobian.average) == [2, 3]
    assert spec.probes.jacobian.by_tokens
    assert not spec.probes.HasField("pca")
    assert spec.routing.temperature == 0.5
    assert list(spec.sweep[1].values) == ["128", "all"]
    assert not spec.HasField("seed")


def test_experiments_are_read(tmp_path):
    spec = read(tmp_path, EXPERIMENT).job.train
    assert [variant.name for variant in spec.variants] == ["soft", "1.5", "dense"]
    assert spec.variants[0].routing.select == 2
    assert not spec.variants[1].HasField("routing")
    assert spec.variants[2].match == 3
    assert list(spec.seeds) == [3, 0]
    assert spec.model.init == 1
    assert spec.optimizer.learning_rate == 3e-4
    assert spec.probe.tokens == -1
    assert spec.probe.probes.spectra.tokens_per_expert == -1
    assert list(spec.swap_routing) == ["soft", "1.5"]


def test_what_is_wrong_of_a_variant_has_its_place_in_the_file(tmp_path):
    request = read(tmp_path, EXPERIMENT)
    error = str(request.error_at("variants.dense.match", "wrong"))
    assert error.endswith("request.yaml:7:32: variants.dense.match: wrong")


@pytest.mark.parametrize("text", [GOOD, EXPERIMENT])
def test_what_is_written_reads_back_the_same(tmp_path, text):
    job = read(tmp_path, text).job
    assert read(tmp_path, request_yaml(request_dict(job))).job == job


@pytest.mark.parametrize("text", [GOOD, EXPERIMENT])
def test_a_dictionary_says_the_same_as_a_file(tmp_path, text):
    job = read(tmp_path, text).job
    assert read_request(request_dict(job)).job == job


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: m\ndata: {ids: a, tokns: 3}\n",
         'request.yaml:2:16: unknown key "tokns" in data; did you mean "tokens"?'),
        ("model: m\nmodel: n\n", 'request.yaml:2:1: duplicate key "model"'),
        ("model: m\ndata: {ids: a, sequence_length: 0x80}\n",
         'request.yaml:2:33: data.sequence_length: found "0x80", '
         "expected an integer in plain decimal digits"),
        ("model: m\ndata: {ids: a, tokens: '3'}\n",
         'request.yaml:2:24: data.tokens: found the text "3", '
         "expected an integer, or all"),
        ("model: m\ndata: {ids: a, tokens: -3}\n",
         'request.yaml:2:24: data.tokens: found "-3", '
         f"expected an integer from 0 to {2**63 - 1}, or all"),
        ("model: &x m\n", "request.yaml:1:8: anchors (&) are not allowed"),
        ("model: *x\n", "request.yaml:1:8: aliases (*) are not allowed"),
        ("model: !!str m\n", "request.yaml:1:8: tags (!) are not allowed"),
        ("<<: {}\n", "request.yaml:1:1: merge keys (<<) are not allowed"),
        ("%YAML 1.2\n---\nmodel: m\n",
         "request.yaml:1:1: directives (%) are not allowed"),
        ("model: m\n---\nmodel: n\n",
         "request.yaml:2:1: a second document is not allowed"),
        ("\tmodel: m\n", "request.yaml:1:1: found a tab, expected spaces to indent"),
        ("model:\n", "request.yaml:1:1: model: found null, expected text"),
        ("", "request.yaml:1:1: found nothing, expected a request"),
        ("[1]\n", "request.yaml:1:1: found a list, expected a mapping"),
        ("kind: trian\n",
         'request.yaml:1:7: kind: found "trian", expected analyze or train'),
        ("kind: train\nvariants: {}\n",
         "request.yaml:2:11: variants: found no variant, expected one such as"),
        ("kind: train\nvariants: {a: {blok: moe}}\n",
         'request.yaml:2:16: unknown key "blok" in variants.a; did you mean "block"?'),
        ("kind: train\nvariants: {a: {name: b}}\n",
         'request.yaml:2:16: unknown key "name" in variants.a'),
        ("kind: train\ndata: {vocabulary: bytes}\n",
         "request.yaml:2:7: data: found neither text nor ids nor synthetic, expected "
         "one of them"),
        ("kind: train\ndata: {text: t, synthetic: {}}\n",
         "request.yaml:2:7: data: found both text and synthetic, expected one of them"),
        ("kind: train\ndata: {synthetic: {teacher: own}}\n",
         'request.yaml:2:29: data.synthetic.teacher: found "own", expected per_cluster '
         "or shared"),
        ("kind: train\nmodel: {init: normal}\n",
         'request.yaml:2:15: model.init: found "normal", expected normal_0.02 or '
         "torch"),
        ("kind: train\nprobe: {probes: {}}\n",
         "request.yaml:2:17: probe.probes: found no probe, expected at least one"),
        ("model: m\ndata: {}\n",
         "request.yaml:2:7: data: found neither text nor ids, expected one of them"),
        ("model: m\ndata: {text: a, ids: b}\n",
         "request.yaml:2:7: data: found both text and ids, expected one of them"),
        ("model: m\ndata: {text: ~/a}\n",
         'request.yaml:2:14: data.text: "~" is not expanded in "~/a"; write the whole '
         "path, or one relative to this file"),
        ("precision: float23\n",
         'request.yaml:1:12: precision: found "float23", expected float32 or '
         "bfloat16; did you mean float32?"),
        ("nll: yes\n",
         'request.yaml:1:6: nll: found "yes", expected true or false; write true '
         "without quotes"),
        ("probes: {jacobian: {average: []}}\n",
         "request.yaml:1:30: probes.jacobian.average: found an empty list, "
         "expected at least one entry"),
        ("probes: {jacobian: {average: [all, all]}}\n",
         "request.yaml:1:36: probes.jacobian.average[1]: found all twice, "
         "expected it once"),
        ("sweep: {routing.temprature: [1]}\n",
         'request.yaml:1:9: unknown key "routing.temprature" in sweep; did you mean '
         '"routing.temperature"?'),
        ("sweep: {routing.temperature: [0.2>]}\n",
         'request.yaml:1:31: sweep.routing.temperature[0]: found "0.2>", expected a '
         "number in decimal digits"),
        ("sweep: {data.tokens: [some]}\n",
         'request.yaml:1:23: sweep.data.tokens[0]: found "some", expected an integer, '
         "or all"),
        ("a: {b: [c\n", "not YAML: "),
        (b"model: \xff\n", "request.yaml:1:8: found the byte 0xFF, expected UTF-8"),
        ("model: \0\n", "request.yaml:1:8: control character U+0000 is not allowed"),
        ("x" * (1 << 20) + "y", "request.yaml:1:1: the file is larger than 1 MiB"),
        ("name: " + "[" * 20 + "]" * 20, "more than 16 levels are not allowed"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_column_and_key(tmp_path, text, message):
    assert message in error_of(tmp_path, text)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"modle": "m"}, 'request: unknown key "modle"; did you mean "model"?'),
        ({"seed": 1.5}, 'request: seed: found "1.5", expected an integer'),
        ({"seed": object()}, "request: seed: found object, expected what YAML can"),
        ({3: 4}, "request: root: found the key 3, expected text"),
        ({"seed": None}, "request: seed: found null, expected an integer"),
        ({"nll": 1}, 'request: nll: found "1", expected true or false'),
    ],
)
def test_a_dictionary_is_read_as_strictly(request_, message):
    with pytest.raises(RequestError, match="^request: ") as found:
        read_request(request_)
    assert message in str(found.value)


def test_numbers_of_numpy_are_numbers():
    read = read_request({"seed": np.int32(3), "layers": (np.int64(1), 2)})
    assert read.job.analyze.seed == 3
    assert list(read.job.analyze.layers.layers) == [1, 2]


def test_a_file_that_is_not_there_is_no_request(tmp_path):
    with pytest.raises(RequestError, match="cannot read .*none.yaml: No such file"):
        read_request(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("data[0].tokens", "4:40"),
        ("probes.jacobian.average[1]", "7:32"),
        ("sweep.routing.temperature[0]", "11:25"),
        ("nulls.bootstrap", "1:1"),
    ],
)
def test_a_violation_is_found_as_near_as_it_was_written(tmp_path, path, place):
    error = read(tmp_path, GOOD).error_at(path, "wrong")
    assert str(error).endswith(f"request.yaml:{place}: {path}: wrong")
