"""Configurations that are wrong: the key, what it is and what it should be."""

import json
import shutil

import pytest
import tables
from target import assert_says


def spoil(folder, case):
    path = folder / "config.json"
    if "file" in case:
        path.write_bytes(tables.content(case["file"]))
        return
    config = tables.change(json.loads(path.read_text()), case.get("set", {}))
    for key in case.get("drop", ()):
        del config[key]
    path.write_text(json.dumps(config))


@pytest.mark.parametrize("case", tables.cases("configs"))
def test_a_wrong_configuration_is_refused(unharmed, root, case):
    with unharmed.spoiled_model("config.json", "model.safetensors") as folder:
        if "family" in case:
            fixture = root / "tests/fixtures" / case["family"]
            shutil.copytree(fixture, folder, dirs_exist_ok=True)
        spoil(folder, case)
        assert_says(
            unharmed.refusal_of(folder), "FAILED_PRECONDITION", tables.words(case)
        )
