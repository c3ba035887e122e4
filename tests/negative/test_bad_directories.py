"""Model directories that lead out, lack something or are full of what is no file."""

import json
import os
import shutil
import socket

import numpy as np
import pytest
import tables
from bystander import undisturbed
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from target import assert_says, started
from unprivileged import Server, open_folder


def make(path, kind):
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as end:
            # A path may be too long for a socket, its folder's descriptor is not.
            folder = os.open(path.parent, os.O_PATH)
            end.bind(f"/proc/self/fd/{folder}/{path.name}")
            os.close(folder)


def place(path, thing, good):
    """Puts what a case describes where nothing stands."""
    if isinstance(thing, str) or "bytes" in thing:
        path.write_bytes(tables.content(thing))
    elif "json" in thing:
        path.write_text(json.dumps(thing["json"]))
    elif "shards" in thing:
        names = {f"t{i}": f"{i}.safetensors" for i in range(thing["shards"])}
        path.write_text(json.dumps({"weight_map": names}))
    elif "link" in thing:
        path.symlink_to(thing["link"])
    elif "copy" in thing:
        shutil.copy(good / thing["copy"], path)
    else:
        make(path, thing["make"])


@pytest.mark.parametrize("case", tables.cases("directories"))
def test_a_hostile_directory_is_refused(unharmed, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        placed = case.get("place", {})
        for name in {*case.get("drop", ()), *placed}:
            (folder / name).unlink(missing_ok=True)
        for name, thing in placed.items():
            place(folder / name, thing, unharmed.models / "good")
        assert_says(
            unharmed.refusal_of(folder), "FAILED_PRECONDITION", tables.words(case)
        )


@pytest.mark.parametrize("name", ["\udcff", "\x1b[31m", "a\nb"])
def test_a_directory_that_cannot_be_named_is_no_model(unharmed, name):
    """And those that can are listed all the same."""
    folder = unharmed.models / name
    folder.mkdir()
    shutil.copy(unharmed.models / "good" / "config.json", folder)
    try:
        assert unharmed.model_names() == ["good"]
    finally:
        shutil.rmtree(folder)


def test_a_link_inside_the_root_is_followed(unharmed):
    """As those of a Hugging Face cache."""
    with unharmed.spoiled_model("config.json") as folder:
        (folder / "model.safetensors").symlink_to("../good/model.safetensors")
        assert unharmed.validate(unharmed.analysis(folder.name)).HasField("job")


# Other characters that some normal form of Unicode takes for those of a name of the
# model, and names that are one in another form.
ALIKE = ["\uff4dodel.norm.weight", "e\u0301.weight", "\u00e9.weight"]


def spoil_names(folder, **renamed):
    """Gives tensors of a model other names, and it some that mean nothing."""
    path = folder / "model.safetensors"
    tensors = {
        renamed.get(name, name): values for name, values in load_file(path).items()
    }
    spare = dict.fromkeys(ALIKE, np.zeros(1, "f4"))
    save_file(spare | tensors, path)


def test_names_that_are_one_to_unicode_are_two(unharmed):
    """B13: names are bytes."""
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        spoil_names(folder)
        assert unharmed.validate(unharmed.analysis(folder.name)).HasField("job")


def test_a_name_that_only_unicode_takes_for_another_is_missing(unharmed):
    """B13."""
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        spoil_names(folder, **{"model.norm.weight": ALIKE[0]})
        words = ['tensor "model.norm.weight" is missing']
        assert_says(unharmed.refusal_of(folder), "FAILED_PRECONDITION", words)


def test_as_many_shards_as_there_may_be(unharmed):
    """B7: 4096, of which all but one have a number that no model asks for."""
    with unharmed.spoiled_model("config.json") as folder:
        good = unharmed.models / "good/model.safetensors"
        shutil.copy(good, folder / "0.safetensors")
        with safe_open(good, "np") as tensors:
            places = dict.fromkeys(tensors.keys(), "0.safetensors")
        for i in range(1, 4096):
            save_file({f"t{i}": np.zeros(1, "f4")}, folder / f"{i}.safetensors")
            places[f"t{i}"] = f"{i}.safetensors"
        index = folder / "model.safetensors.index.json"
        index.write_text(json.dumps({"weight_map": places}))
        with undisturbed(unharmed):
            assert unharmed.validate(unharmed.analysis(folder.name)).HasField("job")


@pytest.fixture(scope="module")
def unprivileged(root, api_stubs):
    """A target whose server cannot read everything."""
    with (
        open_folder() as folder,
        started(root, api_stubs, folder, make=Server) as target,
    ):
        yield target


# B11.
@pytest.mark.parametrize(
    ("name", "mode", "code", "words"),
    [
        (
            "model.safetensors",
            0,
            "FAILED_PRECONDITION",
            ["model.safetensors", "Permission denied"],
        ),
        ("config.json", 0, "FAILED_PRECONDITION", ["config.json", "Permission denied"]),
        (".", 0, "NOT_FOUND", ["there is no model"]),
        (".", 0o444, "NOT_FOUND", ["there is no model"]),
    ],
)
def test_what_may_not_be_read_is_refused(unprivileged, name, mode, code, words):
    with unprivileged.spoiled_model("config.json", "model.safetensors") as folder:
        (folder / name).chmod(mode)
        try:
            refusal = unprivileged.refusal_of(folder)
        finally:
            (folder / name).chmod(0o755)
    assert_says(refusal, code, words)
    unprivileged.assert_unharmed()
