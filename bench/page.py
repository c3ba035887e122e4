"""Renders results as docs/benchmarks.md."""

import json

INTRODUCTION = """\
# Benchmarks

Rendered by `bench/run.py render` from `bench/results.jsonl`; see
`bench/README.md` for how to measure. Ours and the peer's take turns on the same
machine; a ratio is the median of the ratios of such pairs. Memory is anonymous
resident memory at its peak: what cannot be dropped and read again.
"""
TABLE_HEAD = """\
| figure | ours | peer | ratio | goal | |
|---|---:|---:|---:|---:|---|"""


def latest(path):
    """The last result of each row, in the order rows first appeared."""
    rows = {}
    for line in path.read_text().splitlines():
        row = json.loads(line)
        rows[row["row"]] = row
    return list(rows.values())


def format_number(value):
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        digits = max(0, 3 - len(str(int(abs(value)))))
        return f"{value:,.{digits}f}" if abs(value) >= 1 else f"{value:.3g}"
    return f"{value:.1e}"


def format_value(value, unit):
    if value is None:
        return ""
    if unit == "bytes":
        return f"{value / 1e9:.2f} GB"
    return f"{format_number(value)} {unit}".strip()


def format_goal(row):
    if row["goal"] is None:
        return ""
    relation, bound = row["goal"]
    unit = "×" if row["ratio"] is not None else row["unit"]
    return f"{relation} {format_value(bound, unit)}"


def verdict(row):
    if row["goal"] is None:
        return ""
    return "met" if row["met"] else "**missed**"


def table_line(row):
    cells = (
        row["title"],
        format_value(row["ours"], row["unit"]),
        format_value(row["peer"], row["unit"]),
        format_value(row["ratio"], "×"),
        format_goal(row),
        verdict(row),
    )
    return f"| {' | '.join(cells)} |"


def unique(values):
    return list(dict.fromkeys(values))


def circumstances(rows):
    """Machines and versions; one line each unless rows differ."""
    lines = [f"* {machine}" for machine in unique(row["machine"] for row in rows)]
    return lines + [
        "* " + ", ".join(f"{name} {number}" for name, number in versions)
        for versions in unique(tuple(row["versions"].items()) for row in rows)
    ]


def commands(rows):
    """What was run, when and at which commit, once for rows that share it."""
    groups = {}
    for row in rows:
        key = (row["date"], row["commit"], *row["commands"])
        groups.setdefault(key, []).append(row["title"])
    for (date, commit, *lines), titles in groups.items():
        yield f"{'; '.join(titles)} ({date}, commit {commit}):"
        yield "\n".join(["```sh", *lines, "```"])


def profile(row):
    """Where an analysis spent its time, as table lines."""
    steps = row["profile"]
    total = sum(steps.values())
    for step, seconds in sorted(steps.items(), key=lambda item: -item[1]):
        yield f"| {row['title']} | {step} | {seconds:.1f} s | {seconds / total:.0%} |"


def render(rows):
    parts = [INTRODUCTION, "\n".join([TABLE_HEAD, *map(table_line, rows)])]
    parts += ["## Machine and versions", "\n".join(circumstances(rows))]
    profiles = [line for row in rows if "profile" in row for line in profile(row)]
    if profiles:
        head = "| analysis | step | time | share |\n|---|---|---:|---:|"
        parts += ["## Where analyses spend their time", "\n".join([head, *profiles])]
    parts += ["## Commands", *commands(rows)]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"
