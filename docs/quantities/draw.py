"""Draws the pictures of docs/quantities.md from one real result.

    moeprobe-client submit docs/quantities/request.yaml --wait
    moeprobe-client fetch JOB --out /tmp/quantities
    python docs/quantities/draw.py /tmp/quantities/arrays.npz

The same arrays give the same files. Needs requirements.txt beside it.
"""

import pathlib
import sys

import matplotlib
import numpy as np
from matplotlib import pyplot as plt

FOLDER = pathlib.Path(__file__).resolve().parent
LAYER = "layer2/"
BASELINE = "baseline/layer2/"
# Okabe and Ito's colours: told apart by every kind of eye.
BLUE, ORANGE, GREEN, PINK, SKY, GREY = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#777777",
)
COLOURS = [BLUE, ORANGE, GREEN, PINK, SKY]
STYLE = {
    "figure.figsize": (3.4, 2.5),
    "figure.constrained_layout.use": True,
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "moeprobe",
}
PICTURES = {}


def picture(draw):
    """Registers a function of (axes, arrays) that draws `draw.__name__`.svg."""
    PICTURES[draw.__name__] = draw
    return draw


def upper(matrix):
    return matrix[np.triu_indices(len(matrix), 1)]


def heat(axes, matrix, label, diverging=False, limit=None):
    """A matrix over pairs of experts, without its diagonal."""
    shown = np.ma.masked_where(np.eye(len(matrix), dtype=bool), matrix)
    if diverging:
        limit = limit or np.abs(shown).max()
        image = axes.imshow(shown, cmap="PuOr", vmin=-limit, vmax=limit)
    else:
        image = axes.imshow(shown, cmap="cividis")
    axes.set(xlabel="expert e′", ylabel="expert e")
    axes.spines[:].set_visible(False)
    axes.figure.colorbar(image, label=label)


def bars(axes, values, label, colour=BLUE):
    axes.bar(range(len(values)), values, color=colour, width=0.7)
    axes.set(xlabel="expert e", ylabel=label, xticks=range(len(values)))


def line_of(axes, value, text):
    axes.axhline(value, color=GREY, linestyle="--", linewidth=1)
    axes.annotate(
        text, (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom",
        color=GREY,
    )  # fmt: skip


@picture
def expert_count(axes, a):
    counts = a[LAYER + "expert_count"]
    bars(axes, counts, "tokens")
    line_of(axes, counts.mean(), "even load")


@picture
def gate_mean(axes, a):
    bars(axes, a[LAYER + "gate_mean"], "mean gate")


@picture
def routing_entropy(axes, a):
    values = [a[f"layer{layer}/routing_entropy"] for layer in range(4)]
    axes.plot(range(4), values, "o-")
    line_of(axes, np.log(8), "uniform: ln E")
    axes.set(xlabel="layer", ylabel="entropy in nats", xticks=range(4), ylim=(0, 2.4))


@picture
def coactivation(axes, a):
    heat(axes, a[LAYER + "coactivation"], "tokens routed to both")


@picture
def repeat_rate(axes, a):
    rates = np.array([a[f"layer{layer}/repeat_rate"] for layer in range(4)])
    axes.plot(range(4), rates[:, 0], "o-", label="first choice")
    axes.plot(range(4), rates[:, 1], "s-", label="one of the first two")
    axes.set(xlabel="layer", ylabel="share of tokens", xticks=range(4), ylim=(0, 1))
    axes.legend()


@picture
def margin_histogram(axes, a):
    # The last bin has no end.
    edges = a[LAYER + "margin_edges"][:-1]
    axes.stairs(a[LAYER + "margin_histogram"][:-1], edges, fill=True)
    axes.set(xlabel="margin of the last chosen logit", ylabel="tokens")


@picture
def jacobian_norm(axes, a):
    for i, weighting in enumerate(("routed", "gate", "all")):
        values = a[LAYER + "jacobian_norm/" + weighting]
        place = np.arange(len(values)) + (i - 1) * 0.27
        axes.bar(place, values, width=0.27, label=weighting)
    axes.set(xlabel="expert e", ylabel="‖J̄‖", xticks=range(8))
    axes.legend(ncols=3, loc="lower center")


@picture
def jacobian_cosine(axes, a):
    heat(axes, a[LAYER + "jacobian_cosine/routed"], "cosine", diverging=True)


@picture
def jacobian_cosine_corrected(axes, a):
    plain = upper(a[LAYER + "jacobian_cosine/routed"])
    axes.plot(plain, upper(a[LAYER + "jacobian_cosine_corrected/routed"]), "o", ms=3)
    axes.axline((plain.min(),) * 2, slope=1, color=GREY, linestyle="--", linewidth=1)
    axes.set(xlabel="cosine of averages", ylabel="corrected")


@picture
def jacobian_cosine_token(axes, a):
    heat(axes, a[LAYER + "jacobian_cosine/token"], "mean cosine", diverging=True)


@picture
def jacobian_cosine_projected(axes, a):
    cosines = a[LAYER + "jacobian_cosine_projected/all"]
    single = np.concatenate([upper(cosine) for cosine in cosines])
    bins = np.linspace(-0.4, 0.4, 41)
    density = {"density": True, "histtype": "step"}
    axes.hist(single, bins, label="single directions", **density)
    whole = upper(a[LAYER + "jacobian_cosine/all"])
    axes.hist(whole, bins, label="whole matrices", **density)
    axes.set(xlabel="cosine", ylabel="density of pairs")
    axes.legend()


@picture
def jacobian_variance_shares(axes, a):
    shares = np.array([a[f"layer{i}/jacobian_variance_shares"] for i in range(4)])
    bottom = np.zeros(4)
    for i, name in enumerate(("experts", "tokens", "both together")):
        axes.bar(range(4), shares[:, i], bottom=bottom, label=name)
        bottom += shares[:, i]
    axes.set(xlabel="layer", ylabel="share", xticks=range(4), ylim=(0, 1.25))
    axes.legend(ncols=3, loc="upper center", columnspacing=0.8)


@picture
def singular_values(axes, a):
    mean = a[LAYER + "singular_values_mean"]
    ranks = np.arange(1, mean.shape[1] + 1)
    for e, values in enumerate(mean):
        axes.plot(ranks, values, color=BLUE, alpha=0.5, label=None if e else "experts")
    dense = a[BASELINE + "singular_values_mean"][0]
    axes.plot(ranks[: len(dense)], dense, color=ORANGE, label="dense baseline")
    axes.set(xlabel="rank i", ylabel="mean σᵢ", xscale="log", yscale="log")
    axes.legend()


@picture
def singular_values_std(axes, a):
    mean = a[LAYER + "singular_values_mean"][0]
    std = a[LAYER + "singular_values_std"][0]
    ranks = np.arange(1, len(mean) + 1)
    axes.plot(ranks, mean)
    axes.fill_between(ranks, mean - std, mean + std, alpha=0.3, linewidth=0)
    axes.set(xlabel="rank i", ylabel="σᵢ of expert 0", xscale="log")


@picture
def leading_singular_value(axes, a):
    bars(axes, a[LAYER + "leading_singular_value"], "mean σ₁")
    line_of(axes, a[BASELINE + "leading_singular_value"][0], "dense baseline")


@picture
def stable_rank(axes, a):
    bars(axes, a[LAYER + "stable_rank"], "mean ‖J‖² / σ₁²")
    line_of(axes, a[BASELINE + "stable_rank"][0], "dense baseline")


@picture
def singular_value_decay(axes, a):
    bars(axes, a[LAYER + "singular_value_decay"], "exponent a")
    line_of(axes, a[BASELINE + "singular_value_decay"][0], "dense baseline")


@picture
def jacobian_norm_squared_mean(axes, a):
    bars(axes, a[LAYER + "jacobian_norm_squared_mean"], "mean ‖J‖²")


@picture
def jacobian_mean_singular_values(axes, a):
    token = a[LAYER + "singular_values_mean"][0]
    average = a[LAYER + "jacobian_mean_singular_values/routed"][0]
    ranks = np.arange(1, len(token) + 1)
    axes.plot(ranks, token, label="mean of single tokens'")
    axes.plot(ranks, average, label="of the averaged Jacobian")
    axes.set(xlabel="rank i", ylabel="σᵢ of expert 0", xscale="log", yscale="log")
    axes.legend()


@picture
def router_term(axes, a):
    values = [a[f"layer{layer}/router_term_ratio"] for layer in range(4)]
    axes.boxplot(values, positions=range(4), medianprops={"color": ORANGE})
    axes.set(xlabel="layer", ylabel="|N| / |A + N|", ylim=(0, None))


@picture
def eigenvalues(axes, a):
    values = a[LAYER + "pca/routed/eigenvalues"]
    share = values / values.sum(1, keepdims=True)
    ranks = np.arange(1, share.shape[1] + 1)
    axes.plot(ranks, share.T, color=BLUE, alpha=0.5)
    reference = a[LAYER + "pca/all/eigenvalues"][0]
    axes.plot(ranks, reference / reference.sum(), color=ORANGE)
    axes.plot([], [], color=BLUE, label="experts")
    axes.plot([], [], color=ORANGE, label="all tokens")
    axes.set(xlabel="rank i", ylabel="explained variance", xscale="log", yscale="log")
    axes.set_ylim(1e-5, 1)
    axes.legend()


@picture
def effective_rank(axes, a):
    bars(axes, a[LAYER + "pca/routed/effective_rank"], "effective rank")
    line_of(axes, a[LAYER + "pca/all/effective_rank"][0], "all tokens")


@picture
def participation_ratio(axes, a):
    bars(axes, a[LAYER + "pca/routed/participation_ratio"], "participation ratio")
    line_of(axes, a[LAYER + "pca/all/participation_ratio"][0], "all tokens")


@picture
def gap(axes, a):
    bars(axes, a[LAYER + "pca/routed/gap"], "(λₙ − λₙ₊₁) / λ₁")


@picture
def components(axes, a):
    counts = a[LAYER + "pca/routed/components"]
    for i, share in enumerate((50, 80, 90, 95)):
        axes.plot(counts[:, i], "o", color=COLOURS[i], label=f"{share} %")
    axes.set(xlabel="expert e", ylabel="components", xticks=range(8), ylim=(0, None))
    axes.legend(ncols=4, loc="upper center", handletextpad=0, columnspacing=0.8)


@picture
def grassmann(axes, a):
    heat(axes, a[LAYER + "grassmann/routed"], "distance")


@picture
def principal_angles(axes, a):
    angles = a[LAYER + "principal_angles/routed"]
    pairs = angles[np.triu_indices(len(angles), 1)]
    axes.plot(range(1, 6), pairs.T, color=BLUE, alpha=0.3)
    line_of(axes, np.pi / 2, "orthogonal: π/2")
    axes.set(xlabel="m", ylabel="θₘ in radians", xticks=range(1, 6), ylim=(0, 1.8))


@picture
def significance(axes, a):
    names = [f"layer{layer}/jacobian_cosine/routed" for layer in range(4)]
    mean = np.array([upper(a[name]).mean() for name in names])
    low, high = np.array([a[name + "/interval"] for name in names]).T
    null = np.array([a[name + "/null_mean"] for name in names])
    std = np.array([a[name + "/null_std"] for name in names])
    axes.errorbar(range(4), mean, (mean - low, high - mean), fmt="o", capsize=3,
                  label="mean, 95 % interval")  # fmt: skip
    axes.errorbar(np.arange(4) + 0.15, null, 2 * std, fmt="s", capsize=3,
                  label="random router, ± 2 std")  # fmt: skip
    axes.set(xlabel="layer", ylabel="Jacobian cosine", xticks=range(4))
    axes.legend()


@picture
def output_similarity(axes, a):
    heat(axes, a[LAYER + "output_similarity"], "mean cosine", diverging=True)


@picture
def output_norm(axes, a):
    bars(axes, a[LAYER + "output_norm"], "mean |f|")


@picture
def weight_overlap(axes, a):
    for i, side in enumerate(("input", "output")):
        values = np.sort(upper(a[LAYER + "weight_overlap/" + side]))[::-1]
        axes.plot(np.arange(1, len(values) + 1), values, "o", ms=3, label=side)
    line_of(axes, a[LAYER + "weight_overlap/floor"], "random: r/d")
    axes.set(xlabel="pair of experts", ylabel="overlap", ylim=(0, None))
    axes.legend()


@picture
def redundancy_pairs(axes, a):
    scores = a[LAYER + "redundancy_scores"]
    axes.scatter(scores[:, 0], scores[:, 1], c=range(len(scores)), cmap="cividis")
    for rank in range(3):
        pair = ", ".join(map(str, a[LAYER + "redundancy_pairs"][rank]))
        axes.annotate(pair, scores[rank, :2], xytext=(4, -4),
                      textcoords="offset points")  # fmt: skip
    axes.set(xlabel="alignment", ylabel="output similarity")


@picture
def interventions(axes, a):
    similarity = a[LAYER + "intervention_scores"][:, 1]
    for kind, mark in (("average", "o"), ("replace", "s"), ("ablate", "^")):
        delta = a[LAYER + "intervention_delta_nll/" + kind]
        axes.plot(similarity, delta, mark, ms=3, label=kind)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(xlabel="output similarity", ylabel="added loss in nats")
    axes.legend()


@picture
def rank_correlation(axes, a):
    names = ["alignment", "outputs", "Grassmann", "weights"]
    for i, kind in enumerate(("average", "replace", "ablate")):
        values = a[LAYER + "intervention_rank_correlation/" + kind]
        axes.bar(np.arange(4) + (i - 1) * 0.27, values, width=0.27, label=kind)
    axes.axhline(0, color=GREY, linewidth=0.8)
    axes.set(ylabel="Spearman's ρ", ylim=(-1, 1))
    axes.set_xticks(range(4), names)
    axes.legend(ncols=3, loc="upper center")


@picture
def nll(axes, a):
    names = ["model", "baseline"]
    axes.barh(names, [a["nll"], a["baseline/nll"]], color=[BLUE, ORANGE], height=0.5)
    axes.set(xlabel="next-token loss in nats")


def main():
    with np.load(sys.argv[1]) as arrays, plt.rc_context(STYLE):
        for name, draw in PICTURES.items():
            figure, axes = plt.subplots()
            draw(axes, arrays)
            figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    main()
