"""Results of experiments: dimensions, curves, variants, figures and reports."""

import experiments
import moeprobe
import numpy as np
import pandas as pd
import pytest
from moeprobe import figures
from moeprobe.report import make_page
from moeprobe.request.described import loss_unit


@pytest.fixture(scope="module")
def result():
    return experiments.make()


def test_variants_seeds_and_steps_are_dimensions(result):
    value = result[experiments.PAIRS].value
    assert value.dims == ("variant", "seed", "step", "gates", "layer", "expert",
                          "other_expert")  # fmt: skip
    at = value.sel(variant="soft", seed=2, step=20, gates="top-2", layer=1)
    np.testing.assert_array_equal(
        at, result.arrays["soft/seed2/step20/gates-top-2/layer1/grassmann/routed"]
    )
    assert np.isnan(value.sel(variant="top-2", gates="top-2")).all()
    assert value.step.values.tolist() == [0, 10, 20]


def test_gates_are_a_dimension_only_where_some_are_swapped():
    plain = experiments.make(variants=("dense", "top-2"))
    assert "gates" not in plain[experiments.PAIRS].dims
    assert plain["training/held_out_loss"].value.dims == (
        "variant", "seed", "step", "evaluation",
    )  # fmt: skip


def test_the_table_says_which_run_a_mean_is_of(result):
    table = result.table()
    assert list(table.columns[-4:]) == ["variant", "seed", "step", "gates"]
    chosen = table[(table.variant == "soft") & (table.gates == "top-2")]
    assert set(chosen.seed) == {0, 1, 2}
    assert set(chosen.step) == {20}


def test_files_are_written_and_read_back(result, tmp_path):
    result.save(tmp_path)
    again = moeprobe.load(tmp_path)
    assert again.document == result.document
    pd.testing.assert_frame_equal(again.curves(), result.curves())
    summary = pd.read_csv(tmp_path / "summary.csv")
    assert set(summary.gates) == {"own", "top-2"}


def test_names_of_variants_stay_text():
    experiments.EXPERTS["1.5"] = 2
    result = experiments.make(variants=("1.5",), steps=(0,))
    assert set(result.curves().variant) == {"1.5"}
    assert result[experiments.PAIRS].variant.values.tolist() == ["1.5"]


def test_curves_go_over_steps(result):
    loss = result.curves("training/loss")
    assert loss.step.min() == 1
    assert loss.step.max() == 20
    assert len(loss) == 3 * 3 * 20
    one = loss[(loss.variant == "soft") & (loss.seed == 1)]
    np.testing.assert_allclose(one.value, np.linspace(4, 3, 20))
    means = result.curves(experiments.PAIRS)
    assert set(means.variant) == {"top-2", "soft"}
    own = means[(means.gates == "own") & (means.seed == 0) & (means.layer == 1)]
    assert own[own.variant == "soft"].value.tolist() == [2, 3, 4]
    usage = result.curves("training/expert_tokens")
    assert set(usage.expert) == {0, 1, 2, 3}
    assert set(usage.step) == {0, 10, 20}
    assert result.curves("nothing").empty


def test_variants_stand_side_by_side_at_the_last_step(result):
    means = result.variants()
    rows = means[(means.quantity == experiments.PAIRS) & (means.layer == 0)]
    assert list(zip(rows.variant, rows.gates, strict=True)) == [
        ("top-2", "own"), ("soft", "own"), ("soft", "top-2"),
    ]  # fmt: skip
    row = rows.iloc[0]
    assert (row.step, row.seeds) == (20, 3)
    assert row["mean"] == pytest.approx(4)
    assert row["std"] == pytest.approx(np.std([3, 4, 5], ddof=1))
    assert row.null_mean == pytest.approx(2)


def test_with_one_seed_the_deviation_is_over_pairs():
    means = experiments.make(seeds=(7,)).variants()
    assert set(means["std"]) == {0.25}


def test_there_are_no_curves_of_an_analysis():
    document = {"job": {"name": "jobs/1"}, "request": {"kind": "analyze"}}
    analysis = moeprobe.Result(document, {})
    for ask in (analysis.curves, analysis.variants):
        with pytest.raises(moeprobe.NotFoundError, match="only kind: train has steps"):
            ask()


def test_a_job_that_just_began_has_nothing_yet():
    result = experiments.make(steps=())
    assert result.curves().empty
    assert result.variants().empty
    assert "3 variants x 3 seeds" in make_page([result])


def test_a_job_that_runs_has_what_there_is(result):
    document = dict(result.document)
    document["summary"] = [
        layer for layer in document["summary"] if "step20/" not in layer["part"]
    ]
    arrays = {n: a for n, a in result.arrays.items() if "step20/" not in n}
    so_far = moeprobe.Result(document, arrays)
    assert so_far.curves("training/loss").step.max() == 10
    assert set(so_far.variants().step) == {10}
    assert figures.training_figures_of(so_far)
    assert "at step 10." in make_page([so_far])


def test_figures_have_a_line_for_each_variant(result):
    drawn = figures.training_figures_of(result)
    assert [figure.name for figure in drawn] == [
        "loss-curves", "training-grassmann-routed", "usage-curves",
    ]  # fmt: skip
    losses, distances, usage = drawn
    names = [mark.name for mark in losses.panels[0].marks]
    assert names == ["dense", "top-2", "soft"]
    assert len(distances.panels) == 2
    soft, swapped = distances.panels[0].marks[1:]
    assert swapped.name == "soft as top-2"
    np.testing.assert_allclose(soft.y, [2, 3, 4])
    np.testing.assert_allclose(soft.high - soft.y, 1)
    np.testing.assert_allclose(usage.panels[0].marks[0].y, 1.6)  # 16 of 40, times 4
    assert not figures.sweep_figures_of(result)
    for figure in drawn:
        figure.plotly()
        figure.matplotlib()


def test_long_curves_are_thinned():
    result = experiments.make(steps=(0, 1000), seeds=(0,))
    line = figures.loss_curves(result).panels[0].marks[0]
    assert len(line.x) == 100
    assert line.x[0] == 5.5
    np.testing.assert_allclose(line.y.mean(), 2.5, atol=1e-12)


def test_one_run_of_an_experiment_can_be_drawn(result):
    last = result.cells.index(next(
        cell for cell in result.cells if cell["prefix"] == "soft/seed2/step20/"
    ))  # fmt: skip
    one = result.select(last)
    assert "layer0/grassmann/routed" in one.arrays
    assert not any("gates-" in name for name in one.arrays)
    assert len(one.provenance) == 1
    assert figures.figures_of(one)


def test_losses_say_what_they_are_numbers_of(result):
    assert figures.loss_curves(result).panels[0].y.label == "loss, nats"
    assert "held-out loss, nats" in make_page([result])
    assert loss_unit({"data": {"synthetic": {"objective": "classification"}}}) == "nats"


def test_a_report_over_one_seed_says_so_in_the_singular():
    assert "Over 1 seed, at step 20." in make_page([experiments.make(seeds=(0,))])


def test_a_report_shows_variants_and_curves(result):
    page = make_page([result])
    for text in (
        "dense, top-2, soft",
        "soft as top-2",
        "Over 3 seeds, at step 20.",
        "4.000 \N{PLUS-MINUS SIGN} 1.000",
        "0, random router",
        "Use of experts over training",
    ):
        assert text in page, text


def test_a_server_trains_what_a_dictionary_asks_for(client, root):
    words = (root / "examples/texts/jargon.txt").read_text()[:3000]
    request = {
        "kind": "train",
        "model": {"layers": 1, "width": 16, "heads": 2, "context": 16, "experts": 4,
                  "expert_width": 8, "expert": "gated_mlp"},
        "variants": {"dense": {"block": "dense"},
                     "soft": {"routing": {"select": "all"}},
                     "top-1": {"routing": {"top_k": 1}}},
        "seeds": [1, 2],
        "data": {"text": moeprobe.Text(words)},
        "optimizer": {"batch": 2, "steps": 4},
        "probe": {"every": 2, "tokens": 64, "probes": {"routing": {}, "jacobian": {}},
                  "nulls": {"random_router": 3, "random_weights": 2, "bootstrap": 0}},
        "swap_routing": ["top-1"],
    }  # fmt: skip
    assert client.validate(request).request["kind"] == "train"
    job = client.submit(request)
    result = job.result()
    assert result.request["model"]["init"] == "normal_0.02"
    assert job.status().subject == "3 variants x 2 seeds"
    cosine = result["jacobian_cosine/routed"].value
    assert dict(cosine.sizes) == {
        "variant": 3, "seed": 2, "step": 3, "gates": 2, "layer": 1, "expert": 4,
        "other_expert": 4,
    }  # fmt: skip
    loss = result.curves("training/loss")
    assert len(loss) == 3 * 2 * 4
    assert loss.value.between(4, 7).all()  # ln 256 is 5.5
    means = result.variants()
    cosines = means[means.quantity == "jacobian_cosine/routed"]
    assert set(zip(cosines.variant, cosines.gates, strict=True)) == {
        ("soft", "own"), ("soft", "top-1"), ("top-1", "own"),
    }  # fmt: skip
    assert cosines.random_weights_null_mean.notna().all()
    assert "soft as top-1" in make_page([result])


def test_a_server_trains_on_examples(client):
    """Task mlp: losses are squared errors, all else is as usual."""
    request = {
        "kind": "train",
        "task": "mlp",
        "model": {"width": 8, "experts": 3, "expert_width": 8},
        "variants": {"dense": {"block": "dense"}, "top-1": {"routing": {"top_k": 1}}},
        "data": {"synthetic": {"examples": 400, "outputs": 2}, "held_out": 0.5},
        "optimizer": {"batch": 16, "steps": 4},
        "probe": {"every": 2, "probes": {"routing": {}, "jacobian": {}},
                  "nulls": {"random_router": 3, "random_weights": 2, "bootstrap": 0}},
    }  # fmt: skip
    result = client.submit(request).result()
    assert result.request["data"]["synthetic"]["clusters"] == 8
    assert len(result.curves("training/loss")) == 2 * 4
    means = result.variants()
    assert set(means.variant[means.quantity == "held_out_loss"]) == {"dense", "top-1"}
    assert figures.loss_curves(result).panels[1].y.label == "loss, squared error"
    assert "held-out loss, squared error" in make_page([result])
    with pytest.raises(moeprobe.RequestError, match="no meaning for task mlp"):
        client.validate(request | {"model": {"heads": 2}})
