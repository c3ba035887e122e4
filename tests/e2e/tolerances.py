"""How near an analysis must come to the independent answers, end to end."""

import numpy as np

ABSOLUTE = {
    "nll": 1e-4,
    "gate_mean": 1e-4,
    "routing_entropy": 1e-4,
    "jacobian_cosine": 1e-4,
    "grassmann": 5e-3,
    "principal_angles": 5e-3,
    "router_term_ratio": 1e-4,
}
RELATIVE = {
    "jacobian_norm": 1e-4,
    "effective_rank": 1e-3,
    "participation_ratio": 1e-3,
    "jacobian_norm_squared_mean": 2e-4,
    "stable_rank": 2e-4,
}
# Of the largest: the oracles of some fixtures hold the zeros behind the rank.
OF_THE_LEADING = {"singular_values_mean": 1e-4, "singular_values_std": 1e-4}
# Part of the answers, not of what the tests ask for.
NOT_ASKED = {
    "gates",
    "hidden",
    "repeat_rate",
    "sequence_length",
    "skip_first",
}


def quantity(name):
    """The part of an array's name that says what it is."""
    parts = name.split("/")
    if parts[0].startswith("layer"):
        parts = parts[1:]
    if parts[0] == "shared":
        parts = parts[1:]
    return parts[-1] if parts[0] == "pca" else parts[0]


def difference(name, found, wanted):
    """Returns how far `found` is off, as a share of what is allowed."""
    kind = quantity(name)
    found, wanted = np.asarray(found), np.asarray(wanted)
    if kind in OF_THE_LEADING:
        rank = found.shape[-1]
        assert not np.any(wanted[..., rank:] > 1e-9), f"{name}: only {rank} values"
        wanted = wanted[..., :rank]
    assert found.shape == wanted.shape, f"{name}: {found.shape}, not {wanted.shape}"
    off = np.abs(found - wanted)
    if kind in ("expert_count", "coactivation", "components"):
        return 0.0 if np.array_equal(found, wanted) else np.inf
    if kind == "eigenvalues":
        return np.max(off / wanted[..., :1]) / 1e-3
    if kind in OF_THE_LEADING:
        leading = wanted[..., :1] if kind.endswith("mean") else np.max(wanted)
        return np.max(off / leading) / OF_THE_LEADING[kind]
    if kind == "gap":
        return np.max(off) / 2e-3  # of two eigenvalues
    if kind in RELATIVE:
        return np.max(off / np.abs(wanted)) / RELATIVE[kind]
    return np.max(off) / ABSOLUTE[kind]


def assert_agree(found, wanted):
    """Compares every array of `wanted` that tests ask for."""
    names = [n for n in wanted if quantity(n) not in NOT_ASKED]
    assert names, "nothing to compare"
    missing = [n for n in names if n not in found]
    assert not missing, f"missing: {missing}"
    off = {n: difference(n, found[n], wanted[n]) for n in names}
    # A NaN is no agreement either.
    wrong = {n: f"{d:.3g} times the tolerance" for n, d in off.items() if not d <= 1}
    assert not wrong, wrong
