"""Results: named dimensions, tables, cells, and numbers as text."""

import json
import math
import random

import moeprobe
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from moeprobe.result.cells import CellIndex
from moeprobe.result.exact_number import exact_number
from moeprobe.result.names import place_of


def test_a_quantity_is_a_dataset_with_named_dimensions(full_result):
    cosine = full_result["jacobian_cosine/routed"]
    assert cosine.value.dims == ("layer", "expert", "other_expert")
    assert cosine.layer.values.tolist() == [0, 1, 2]
    assert cosine.interval.dims == ("layer", "bound")
    assert cosine.null_mean.dims == ("layer",)
    name = "layer1/jacobian_cosine/routed"
    np.testing.assert_array_equal(
        cosine.value.sel(layer=1).values, full_result.arrays[name]
    )
    low = cosine.interval.sel(layer=1, bound="low").item()
    assert low == full_result.arrays[f"{name}/interval"][0]


@pytest.mark.parametrize(
    ("quantity", "dimensions"),
    [
        ("nll", ()),
        ("expert_count", ("layer", "expert")),
        ("pca/routed/eigenvalues", ("layer", "expert", "component")),
        ("pca/routed/components", ("layer", "expert", "share")),
        ("pca/routed/basis", ("layer", "expert", "feature", "component")),
        ("principal_angles/routed", ("layer", "expert", "other_expert", "angle")),
        ("singular_values_mean", ("layer", "expert", "rank")),
        ("redundancy_scores", ("layer", "pair", "score")),
    ],
)
def test_dimensions_say_what_they_count(full_result, quantity, dimensions):
    assert full_result[quantity].value.dims == dimensions


def test_no_dimension_is_without_a_name(full_result):
    for part in (full_result.model, full_result.baseline):
        for quantity, dataset in part.items():
            assert not [d for d in dataset.dims if str(d).startswith("axis")], quantity


def test_what_is_of_the_shared_expert_alone_does_not_count_experts():
    document = {"job": {"name": "jobs/1"}, "summary": [], "provenance": []}
    shapes = {
        "singular_values_mean": (3,),
        "jacobian_mean_singular_values/all": (3,),
        "leading_singular_value": (),
        "jacobian_norm/all": (),
        "jacobian_cosine/all": (6,),
    }
    arrays = {f"layer0/shared/{name}": np.ones(s) for name, s in shapes.items()}
    result = moeprobe.Result(document, arrays)
    found = {name: result[f"shared/{name}"].value.dims for name in shapes}
    assert found == {
        "singular_values_mean": ("layer", "rank"),
        "jacobian_mean_singular_values/all": ("layer", "rank"),
        "leading_singular_value": ("layer",),
        "jacobian_norm/all": ("layer",),
        "jacobian_cosine/all": ("layer", "expert"),
    }


def test_the_baseline_stands_beside_the_model(full_result):
    assert full_result.baseline["pca/all/effective_rank"].value.shape == (2, 1)
    assert full_result["pca/all/effective_rank"].value.shape == (3, 1)


def test_a_name_that_is_near_is_named(full_result):
    with pytest.raises(moeprobe.NotFoundError, match="did you mean 'gate_mean'"):
        full_result["gate_means"]


def test_the_table_has_means_intervals_and_nulls(full_result):
    table = full_result.table()
    chosen = (table.part == "model") & (table.layer == 1)
    row = table[chosen & (table.quantity == "jacobian_cosine/routed")].iloc[0]
    matrix = full_result["jacobian_cosine/routed"].value.sel(layer=1).values
    pairs = matrix[np.triu_indices(6, 1)]
    # Sums in another order differ in the last bits.
    assert row["mean"] == pytest.approx(pairs.mean(), rel=1e-12)
    assert row["std"] == pytest.approx(pairs.std(), rel=1e-12)
    assert row["interval_low"] < row["interval_high"]
    assert 0 < row["p"] <= 1
    assert set(table.part) == {"model", "baseline"}


def test_cells_and_data_sets_are_dimensions(client, ids):
    request = {
        "model": "mixtral",
        "baseline": "qwen3",
        "data": [{"ids": ids, "sequence_length": 64},
                 {"ids": ids[:256], "sequence_length": 64}],
        "layers": [0, 1],
        "probes": {"jacobian": {"average": ["routed"]}},
        "sweep": {"routing.top_k": [1, 2], "routing.temperature": [0.5, 1, 2]},
        "nulls": {"random_router": 0, "bootstrap": 0},
    }  # fmt: skip
    result = client.submit(request).result()
    norm = result["jacobian_norm/routed"].value
    outer = ("routing.top_k", "routing.temperature", "data", "layer")
    assert norm.dims == (*outer, "expert")
    at = {"routing.top_k": 2, "routing.temperature": 0.5, "data": 1, "layer": 1}
    name = "sweep3/data1/layer1/jacobian_norm/routed"
    np.testing.assert_array_equal(norm.sel(at), result.arrays[name])
    one = result.select(cell=3, data=1)
    np.testing.assert_array_equal(
        one["jacobian_norm/routed"].value.sel(layer=1), result.arrays[name]
    )
    assert set(one.table().part) == {"model", "baseline"}
    table = result.table()
    assert sorted(set(table["routing.temperature"])) == [0.5, 1, 2]
    assert result.baseline["jacobian_norm/routed"].value.shape == (2, 3, 2, 2, 1)


def test_layers_of_other_shapes_are_filled_with_nan():
    document = {"job": {"name": "jobs/1"}, "summary": [], "provenance": []}
    arrays = {"layer0/gate_mean": np.ones(2), "layer3/gate_mean": np.ones(3)}
    value = moeprobe.Result(document, arrays)["gate_mean"].value
    np.testing.assert_array_equal(value, [[1, 1, np.nan], [1, 1, 1]])
    assert value.layer.values.tolist() == [0, 3]


def test_quantities_of_later_versions_are_kept():
    document = {"job": {"name": "jobs/1"}, "summary": [], "provenance": []}
    arrays = {"layer0/shared/new": np.ones((2, 3)), "layer0/other": np.ones(2)}
    result = moeprobe.Result(document, arrays)
    assert result["shared/new"].value.dims == ("layer", "axis0", "axis1")


@pytest.mark.parametrize("name", ["result.nc", "result.zarr"])
def test_exported_trees_read_back(client, short_request, tmp_path, name):
    request = short_request | {"baseline": "qwen3", "probes": {"pca": {}}}
    result = client.submit(request).result()
    result.export(tmp_path / name)
    result.export(tmp_path / name)  # replaces what is there
    engine = {"result.nc": "h5netcdf", "result.zarr": "zarr"}[name]
    with xr.open_datatree(tmp_path / name, engine=engine) as tree:
        assert json.loads(tree.attrs["result"]) == result.document
        assert len(tree["model"].children) == len(result.model)
        found = tree["model/grassmann.routed"].to_dataset()
        xr.testing.assert_equal(found, result["grassmann/routed"])
        rank = tree["baseline/pca.all.effective_rank"].value
        assert rank.dims == ("layer", "expert")


def test_exports_of_other_kinds(full_result, tmp_path):
    for name in ("a.npz", "a.csv", "a.json"):
        full_result.export(tmp_path / name)
    with np.load(tmp_path / "a.npz") as arrays:
        assert arrays.files == list(full_result.arrays)
    assert len(pd.read_csv(tmp_path / "a.csv")) == len(full_result.table())
    assert json.loads((tmp_path / "a.json").read_text()) == full_result.document
    with pytest.raises(ValueError, match="'a.xls' ends with none of .npz"):
        full_result.export(tmp_path / "a.xls")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("nll", (0, 0, False, -1, "nll")),
        ("baseline/layer2/a/b", (0, 0, True, 2, "a/b")),
        ("sweep3/data1/baseline/layer12/p", (3, 1, True, 12, "p")),
    ],
)
def test_names_have_places(name, place):
    assert tuple(place_of(name)) == place


def test_names_belong_to_the_cell_with_the_longest_prefix():
    prefixes = ("soft/seed0/step5/", "soft/seed0/step5/gates-top-2/")
    index = CellIndex([{"prefix": prefix} for prefix in prefixes])
    assert index.split("soft/seed0/step5/layer0/x") == (0, "layer0/x")
    assert index.split("soft/seed0/step5/gates-top-2/layer0/x") == (1, "layer0/x")
    assert index.split("soft/seed0/step50/x") == (-1, "soft/seed0/step50/x")
    name = "soft/seed0/step5/gates-top-2/layer2/a/b"
    assert tuple(index.place_of(name)) == (1, 0, False, 2, "a/b")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0.0, "0"), (-0.0, "-0"), (1.0, "1"), (0.0001, "1e-04"), (0.001, "0.001"),
     (1e22, "1e+22"), (123456789012345680.0, "123456789012345680"), (1.5e-7, "1.5e-07"),
     (-2.25, "-2.25"), (math.nan, "nan"), (100000.0, "1e+05"), (12345.0, "12345")],
)  # fmt: skip
def test_numbers_are_as_short_as_in_cpp(number, text):
    assert exact_number(number) == text


def test_numbers_read_back_exactly():
    random.seed(0)
    for _ in range(2000):
        number = random.gauss(0, 1) * 10 ** random.randint(-20, 20)
        assert float(exact_number(number)) == number
