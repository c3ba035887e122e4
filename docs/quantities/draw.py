"""Draws the pictures of docs/quantities.md from one real result.

    moeprobe-client submit docs/quantities/request.yaml --wait
    moeprobe-client fetch JOB --out /tmp/quantities
    python docs/quantities/draw.py /tmp/quantities

The same files give the same pictures. Needs the Python package with its extra
`paper`.
"""

import math
import pathlib
import sys

import moeprobe
import numpy as np
from moeprobe.figures.colours import BLUE, COLOURS, GREEN, GREY, ORANGE
from moeprobe.figures.figure import (
    Axis,
    Bars,
    ColourScale,
    Figure,
    Histogram,
    Level,
    Line,
    Panel,
    Points,
    finite_limits,
    symmetric_limits,
)
from moeprobe.figures.panels import (
    heat_panel,
    pairs_of,
    shares_of,
    spectrum_line,
    without_diagonal,
)

FOLDER = pathlib.Path(__file__).resolve().parent
LAYER = 2
LAYERS = np.arange(4)
EXPERTS = np.arange(8)
PICTURES = {}


def picture(draw):
    """Registers a function of a result that makes the panel of its name."""
    PICTURES[draw.__name__] = draw
    return draw


def at(result, quantity, layer=LAYER):
    """Values of the model at a layer."""
    return result[quantity].value.sel(layer=layer).values


def dense(result, quantity):
    """Values of the baseline at the same layer."""
    return result.baseline[quantity].value.sel(layer=LAYER).values[0]


def panel(x, y, *marks):
    """A panel whose axes may be given by their labels."""
    axes = [a if isinstance(a, Axis) else Axis(a) for a in (x, y)]
    return Panel("", *axes, list(marks))


def by_expert(label, *marks):
    return panel(Axis("expert e", is_count=True), label, *marks)


def by_layer(label, *marks):
    return panel(Axis("layer", is_count=True), label, *marks)


def bars(values, label, *levels):
    return by_expert(label, Bars(EXPERTS, values, "experts", BLUE), *levels)


def level(value, name):
    return Level(float(value), name, GREY)


def heat(result, quantity, label, *, diverging=False):
    """A matrix over pairs of experts, and the scale of its colours."""
    matrix = at(result, quantity)
    shown = without_diagonal(matrix)
    limits = symmetric_limits(shown) if diverging else finite_limits(shown)
    return heat_panel("", matrix), ColourScale(label, limits, is_diverging=diverging)


def groups(names, values, label, colours=COLOURS):
    """Bars of several kinds beside each other, over experts or scores."""
    places = [np.arange(len(v)) + (i - 1) * 0.27 for i, v in enumerate(values)]
    marks = [
        Bars(*entry, width=0.27)
        for entry in zip(places, values, names, colours, strict=False)
    ]
    return panel(Axis("expert e", is_count=True), label, *marks)


def ranks(values, name, colour):
    return Line(np.arange(1, len(values) + 1), values, name, colour)


def log_ranks(label, *lines, y_is_log=True):
    return panel(Axis("rank i", is_log=True), Axis(label, is_log=y_is_log), *lines)


@picture
def expert_count(r):
    counts = at(r, "expert_count")
    return bars(counts, "tokens", level(counts.mean(), "even load"))


@picture
def gate_mean(r):
    return bars(at(r, "gate_mean"), "mean gate")


@picture
def routing_entropy(r):
    entropy = r["routing_entropy"].value.values
    line = Line(LAYERS, entropy, "entropy", BLUE, has_points=True)
    return by_layer("entropy in nats", line, level(math.log(8), "uniform: ln E"))


@picture
def coactivation(r):
    return heat(r, "coactivation", "tokens routed to both")


@picture
def repeat_rate(r):
    first, second = r["repeat_rate"].value.values.T
    return by_layer(
        Axis("share of tokens", (0, 1)),
        Line(LAYERS, first, "first choice", BLUE, has_points=True),
        Line(LAYERS, second, "one of the first two", ORANGE, has_points=True),
    )


@picture
def margin_histogram(r):
    # The last bin has no end.
    edges = at(r, "margin_edges")[:-1]
    counts = at(r, "margin_histogram")[:-1]
    histogram = Histogram(edges, counts, "tokens", BLUE)
    return panel("margin of the last chosen logit", "tokens", histogram)


@picture
def jacobian_norm(r):
    names = ("routed", "gate", "all")
    return groups(names, [at(r, f"jacobian_norm/{w}") for w in names], "‖J̄‖")


@picture
def jacobian_cosine(r):
    return heat(r, "jacobian_cosine/routed", "cosine", diverging=True)


@picture
def jacobian_cosine_corrected(r):
    plain = pairs_of(at(r, "jacobian_cosine/routed"))
    corrected = pairs_of(at(r, "jacobian_cosine_corrected/routed"))
    ends = np.array([plain.min(), plain.max()])
    return panel(
        "cosine of averages",
        "corrected",
        Points(plain, corrected, "pairs of experts", BLUE),
        Line(ends, ends, "the same", GREY, is_dashed=True),
    )


@picture
def jacobian_cosine_token(r):
    return heat(r, "jacobian_cosine/token", "mean cosine", diverging=True)


@picture
def jacobian_cosine_projected(r):
    cosines = at(r, "jacobian_cosine_projected/all")
    single = np.concatenate([pairs_of(cosine) for cosine in cosines])
    edges = np.linspace(-0.4, 0.4, 41)
    marks = [
        Histogram(edges, np.histogram(values, edges, density=True)[0], name, colour)
        for values, name, colour in (
            (pairs_of(at(r, "jacobian_cosine/all")), "whole matrices", ORANGE),
            (single, "single directions", BLUE),
        )
    ]
    return panel("cosine", "density of pairs", *marks)


@picture
def jacobian_variance_shares(r):
    shares = r["jacobian_variance_shares"].value.values.T
    bases = np.cumsum(shares, axis=0) - shares
    names = ("experts", "tokens", "both together")
    marks = [
        Bars(LAYERS, share, name, colour, base=base)
        for share, name, colour, base in zip(
            shares, names, COLOURS, bases, strict=False
        )
    ]
    return by_layer("share", *marks)


@picture
def singular_values(r):
    return log_ranks(
        "mean σᵢ",
        spectrum_line(at(r, "singular_values_mean"), "experts", BLUE),
        ranks(dense(r, "singular_values_mean"), "dense baseline", ORANGE),
    )


@picture
def singular_values_std(r):
    mean = at(r, "singular_values_mean")[0]
    std = at(r, "singular_values_std")[0]
    x = np.arange(1, len(mean) + 1)
    line = Line(x, mean, "mean ± std over tokens", BLUE, mean - std, mean + std)
    return log_ranks("σᵢ of expert 0", line, y_is_log=False)


def beside_dense(r, quantity, label):
    return bars(at(r, quantity), label, level(dense(r, quantity), "dense baseline"))


@picture
def leading_singular_value(r):
    return beside_dense(r, "leading_singular_value", "mean σ₁")


@picture
def stable_rank(r):
    return beside_dense(r, "stable_rank", "mean ‖J‖² / σ₁²")


@picture
def singular_value_decay(r):
    return beside_dense(r, "singular_value_decay", "exponent a")


@picture
def jacobian_norm_squared_mean(r):
    return bars(at(r, "jacobian_norm_squared_mean"), "mean ‖J‖²")


@picture
def jacobian_mean_singular_values(r):
    average = at(r, "jacobian_mean_singular_values/routed")[0]
    return log_ranks(
        "σᵢ of expert 0",
        ranks(at(r, "singular_values_mean")[0], "mean of single tokens'", BLUE),
        ranks(average, "of the averaged Jacobian", ORANGE),
    )


@picture
def router_term(r):
    low, middle, high = np.quantile(
        r["router_term_ratio"].value.values, (0.25, 0.5, 0.75), axis=1
    )
    points = Points(LAYERS, middle, "median and quartiles of tokens", BLUE, low, high)
    return by_layer("|N| / |A + N|", points)


@picture
def eigenvalues(r):
    shares = [shares_of(at(r, f"pca/{c}/eigenvalues")) for c in ("routed", "all")]
    return panel(
        Axis("rank i", is_log=True),
        Axis("explained variance", (1e-5, 1), is_log=True),
        spectrum_line(shares[0], "experts", BLUE),
        spectrum_line(shares[1], "all tokens", ORANGE),
    )


def beside_all(r, name, label):
    all_tokens = at(r, f"pca/all/{name}")[0]
    return bars(at(r, f"pca/routed/{name}"), label, level(all_tokens, "all tokens"))


@picture
def effective_rank(r):
    return beside_all(r, "effective_rank", "effective rank")


@picture
def participation_ratio(r):
    return beside_all(r, "participation_ratio", "participation ratio")


@picture
def gap(r):
    return bars(at(r, "pca/routed/gap"), "(λₙ − λₙ₊₁) / λ₁")


@picture
def components(r):
    counts = at(r, "pca/routed/components").T
    names = [f"{share} %" for share in (50, 80, 90, 95)]
    marks = [
        Points(EXPERTS, count, name, colour)
        for count, name, colour in zip(counts, names, COLOURS, strict=False)
    ]
    return by_expert("components", *marks)


@picture
def grassmann(r):
    return heat(r, "grassmann/routed", "distance")


def distances_beside(r, *marks):
    """The distances of all pairs, and what to compare them with."""
    distances = pairs_of(at(r, "grassmann/routed"))
    edges = np.linspace(0, 1.05 * distances.max(), 25)
    counts = np.histogram(distances, edges)[0]
    histogram = Histogram(edges, counts, "between experts", BLUE)
    return panel(Axis("distance", (0, edges[-1])), "pairs", histogram, *marks)


@picture
def split_halves(r):
    between = pairs_of(at(r, "grassmann/routed/split_half_between"))
    within = at(r, "grassmann/routed/split_half_within")
    edges = np.linspace(0, 1.05 * between.max(), 25)
    counts = np.histogram(between, edges)[0]
    return panel(
        Axis("distance between halves", (0, edges[-1])),
        "pairs",
        Histogram(edges, counts, "between experts", BLUE),
        Points(within, np.full(len(within), 0.3), "within one", ORANGE),
    )


@picture
def random_subspaces(r):
    mean, std = at(r, "grassmann/random_subspaces")
    band = (float(mean - 2 * std), float(mean + 2 * std))
    name = "random subspaces, ± 2 std"
    expected = Level(float(mean), name, ORANGE, is_vertical=True, band=band)
    return distances_beside(r, expected)


@picture
def matched(r):
    of_all = at(r, "pca/matched/effective_rank")
    spread = 2 * at(r, "pca/matched/effective_rank_std")
    low, high = of_all - spread, of_all + spread
    return by_expert(
        Axis("effective rank"),
        Points(EXPERTS, at(r, "pca/routed/effective_rank"), "its own tokens", BLUE),
        Points(EXPERTS, of_all, "as many of all, ± 2 std", ORANGE, low, high, "square"),
    )


@picture
def principal_angles(r):
    angles = at(r, "principal_angles/routed")
    pairs = angles[np.triu_indices(len(angles), 1)]
    return panel(
        Axis("m", is_count=True),
        Axis("θₘ in radians", (0, 1.8)),
        spectrum_line(pairs, "pairs of experts: mean and range", BLUE),
        level(math.pi / 2, "orthogonal: π/2"),
    )


@picture
def significance(r):
    cosine = r["jacobian_cosine/routed"]
    mean = np.array([pairs_of(matrix).mean() for matrix in cosine.value.values])
    low, high = cosine.interval.values.T
    null, spread = cosine.null_mean.values, 2 * cosine.null_std.values
    beside = LAYERS + 0.15
    name = "random router, ± 2 std"
    return by_layer(
        "Jacobian cosine",
        Points(LAYERS, mean, "mean, 95 % interval", BLUE, low, high),
        Points(beside, null, name, ORANGE, null - spread, null + spread, "square"),
    )


@picture
def random_weights(r):
    distance = r["grassmann/routed"]
    mean = np.array([pairs_of(matrix).mean() for matrix in distance.value.values])
    marks = [Points(LAYERS, mean, "mean", BLUE)]
    for i, (kind, name, symbol) in enumerate(
        (
            ("", "random router", "square"),
            ("random_weights_", "never trained", "triangle"),
        )
    ):
        null = distance[f"{kind}null_mean"].values
        spread = 2 * distance[f"{kind}null_std"].values
        place, label = LAYERS + 0.12 * (i + 1), f"{name}, ± 2 std"
        ends = (null - spread, null + spread)
        marks.append(Points(place, null, label, COLOURS[i + 1], *ends, symbol))
    return by_layer("Grassmann distance", *marks)


@picture
def output_similarity(r):
    return heat(r, "output_similarity", "mean cosine", diverging=True)


@picture
def output_norm(r):
    return bars(at(r, "output_norm"), "mean |f|")


@picture
def weight_overlap(r):
    marks = []
    for side, colour in (("input", BLUE), ("output", ORANGE)):
        values = np.sort(pairs_of(at(r, f"weight_overlap/{side}")))[::-1]
        marks.append(Points(np.arange(1, len(values) + 1), values, side, colour))
    floor = level(at(r, "weight_overlap/floor"), "random: r/d")
    return panel("pair of experts", "overlap", *marks, floor)


@picture
def redundancy_pairs(r):
    alignment, outputs = at(r, "redundancy_scores")[:, :2].T
    pairs = at(r, "redundancy_pairs")[:3].astype(int)
    closest = "; ".join(f"{a}, {b}" for a, b in pairs)
    return panel(
        "alignment",
        "output similarity",
        Points(alignment[3:], outputs[3:], "pairs of experts", BLUE),
        Points(alignment[:3], outputs[:3], f"closest: {closest}", ORANGE),
    )


KINDS = ("average", "replace", "ablate")


@picture
def interventions(r):
    similarity = at(r, "intervention_scores")[:, 1]
    symbols = ("circle", "square", "triangle")
    marks = [
        Points(similarity, at(r, f"intervention_delta_nll/{k}"), k, c, symbol=symbol)
        for k, c, symbol in zip(KINDS, (BLUE, ORANGE, GREEN), symbols, strict=True)
    ]
    return panel("output similarity", "added loss in nats", *marks)


@picture
def rank_correlation(r):
    values = [at(r, f"intervention_rank_correlation/{kind}") for kind in KINDS]
    made = groups(KINDS, values, Axis("Spearman's ρ", (-1, 1)))
    scores = ("alignment", "outputs", "distance", "weights")
    return Panel(
        "", Axis("", ticks=(0, 1, 2, 3), tick_names=scores), made.y, made.marks
    )


@picture
def nll(r):
    losses = np.array([r["nll"].value.item(), r.baseline["nll"].value.item()])
    names = Axis("", ticks=(0, 1), tick_names=("model", "baseline"))
    label = "next-token loss in nats"
    return panel(names, label, Bars(np.arange(2), losses, "loss", BLUE, width=0.5))


def main():
    result = moeprobe.load(sys.argv[1])
    for name, draw in PICTURES.items():
        made = draw(result)
        shown, colours = made if isinstance(made, tuple) else (made, None)
        figure = Figure(name, name, "", [shown], columns=1, colours=colours)
        figure.save(FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
