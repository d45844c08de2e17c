#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tables and plots of the comparison in docs/fusion.md, from what compare_rules measures.

  compare.py PROGRAM update             writes all tables and plots anew (needs matplotlib)
  compare.py PROGRAM check [INCIDENT]...  ends with 1 when the tables of these incidents (all) are not
                                        what the simulation gives now

Tables stand between <!-- compare INCIDENT --> and <!-- end --> in docs/fusion.md. The same input gives
the same bytes: no dates, no random names.
"""
import csv
import io
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGE = os.path.join(TOP, "docs", "fusion.md")
PLOTS = os.path.join(TOP, "docs", "fusion")
INCIDENTS = os.path.join(TOP, "tests", "sim", "incidents")

RULES = {
    "sum": "sum of the limits",
    "min": "N x min",
    "ratio": "ratio",
    "our-sum": "ours with `limit_rule: sum`",
    "our-min": "ours with `limit_rule: min`",
    "share": "**ours**",
}
SHORT = ["sum", "min", "ratio", "share"]
COLOURS = {"sum": "#d55e00", "min": "#e69f00", "ratio": "#cc79a7", "share": "#0072b2"}

# Incident: from and to which minute it is drawn, and whether cells are shown.
DRAWN = {
    "unequal-shares": (25, 60, False),
    "weak-and-full": (0, 60, False),
    "cold-and-circulating": (10, 180, False),
    "runaway-ratio": (60, 180, False),
    "blocked-pack": (5, 90, False),
    "lost-pack": (25, 100, False),
    "rejoin-at-another-voltage": (5, 260, True),
}


def run(program, *words):
    os.environ.setdefault("ONEPACK_PROTOCOLS", os.path.join(TOP, "protocols"))
    done = subprocess.run([program, *words], check=True, stdout=subprocess.PIPE, text=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def path_of(incident):
    return os.path.join(INCIDENTS, incident + ".yaml")


def moved(row, exact):
    return f"{100 * float(row['moved_ah']) / float(exact['moved_ah']):.0f} %"


def peak(row):
    part = 100 * float(row["peak_a"]) / float(row["limit_a"])
    return f"{row['peak_a']} of {row['limit_a']} A ({part:.0f} %)"


def table(rows):
    """The block of one incident."""
    by_rule = {row["rule"]: row for row in rows}
    lines = ["| rule | worst moment of a pack | more than 5 % above it | charge moved | highest cell | BMS had to act | violations |",
             "|---|---|---|---|---|---|---|"]
    for rule, text in RULES.items():
        row = by_rule[rule]
        lines.append(f"| {text} | {peak(row)} | {row['above_s']} s | {moved(row, by_rule['exact'])} | {row['cell_max_v']} V | "
                     f"{row['protections']} times | {row['violations']} |")
    return lines


def row_of_others(incident, rows):
    """One line for an incident without a table of its own."""
    by_rule = {row["rule"]: row for row in rows}
    cells = []
    for rule in SHORT:
        row = by_rule[rule]
        above = f", {row['above_s']} s above" if row["above_s"] != "0" else ""
        cells.append(f"{moved(row, by_rule['exact'])}, {row['cell_max_v']} V{above}")
    return f"| `{incident}` | " + " | ".join(cells) + " |"


def split(rows):
    incidents = {}
    for row in rows:
        incidents.setdefault(row["incident"], []).append(row)
    return incidents


def find_block(page, name):
    found = re.search(rf"(?<=<!-- compare {re.escape(name)} -->\n).*?(?=<!-- end -->\n)", page, re.S)
    if not found:
        sys.exit(f"compare.py: docs/fusion.md has no place for {name}")
    return found


def replace_block(page, name, lines):
    found = find_block(page, name)
    return page[:found.start()] + "\n" + "\n".join(lines) + "\n\n" + page[found.end():]


def read_page():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def all_incidents():
    return sorted(name[:-5] for name in os.listdir(INCIDENTS) if name.endswith(".yaml"))


def check(program, incidents):
    page, wrong = read_page(), False
    for incident, rows in split(run(program, "figures", *map(path_of, incidents))).items():
        lines = table(rows) if incident in DRAWN else [row_of_others(incident, rows)]
        block = find_block(page, incident if incident in DRAWN else "others")[0].splitlines()
        for line in lines:
            if line not in block:
                wrong = True
                print(f"{incident}: not in docs/fusion.md, `./dev compare` writes it anew:\n  {line}")
    return wrong


def thin(times, values, count=120):
    """The lowest and the highest of each stretch, in their order, so that no peak is lost."""
    step = max(1, len(times) // count)
    out = []
    for i in range(0, len(times), step):
        part = list(zip(times[i:i + step], values[i:i + step]))
        ends = {min(part, key=lambda p: p[1]), max(part, key=lambda p: p[1])}
        out += sorted(ends)
    return [t for t, _ in out], [v for _, v in out]


def trace(program, rule, incident, first, last):
    rows = run(program, "trace", rule, path_of(incident))
    rows = [{k: float(v) for k, v in row.items()} for row in rows]
    return [row for row in rows if first * 60 <= row["t_s"] <= last * 60]


def line(axes, rows, value, **style):
    times, values = thin([row["t_s"] / 60 for row in rows], [value(row) for row in rows])
    axes.plot(times, values, **style)


def styles(rule):
    return {"color": COLOURS[rule], "label": {"share": "ours"}.get(rule, RULES[rule]),
            "linewidth": 2.0 if rule == "share" else 1.0, "zorder": 3 if rule == "share" else 2}


def draw(program, incident, first, last, cells):
    import matplotlib
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "onepack", "svg.fonttype": "none", "font.size": 9,
                                "axes.spines.top": False, "axes.spines.right": False, "path.simplify": True})
    import matplotlib.pyplot as pyplot
    figure, axes = pyplot.subplots(3 if cells else 2, 1, sharex=True, figsize=(8, 6.2 if cells else 4.6), facecolor="white")
    for rule in SHORT:
        rows = trace(program, rule, incident, first, last)
        line(axes[0], rows, lambda row: 100 * row["worst_a"] / row["worst_limit_a"], **styles(rule))
        line(axes[1], rows, lambda row: row["limit_a"], **styles(rule))
        if cells:
            line(axes[2], rows, lambda row: row["cell_max_v"], **styles(rule))
    exact = trace(program, "exact", incident, first, last)
    line(axes[1], exact, lambda row: row["possible_a"], color="black", linestyle=":", linewidth=1.2, label="exact maximum")
    axes[0].axhspan(100, max(105, axes[0].get_ylim()[1]), color="#d55e00", alpha=0.08, linewidth=0)
    axes[0].set_ylabel("fullest pack,\n% of its own limit")
    axes[1].set_ylabel("limit told to\nthe inverter, A")
    axes[0].set_ylim(bottom=0)
    axes[1].set_ylim(bottom=0)
    if cells:
        axes[2].set_ylabel("highest cell, V")
    axes[-1].set_xlabel("minutes")
    axes[-1].set_xlim(first, last)
    handles, labels = axes[1].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncol=5, frameon=False)
    figure.subplots_adjust(left=0.1, right=0.985, top=0.92, bottom=0.11, hspace=0.13)
    figure.savefig(os.path.join(PLOTS, incident + ".svg"), metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def update(program):
    incidents = split(run(program, "figures", *map(path_of, all_incidents())))
    page, others = read_page(), []
    for incident, rows in incidents.items():
        if incident in DRAWN:
            page = replace_block(page, incident, table(rows))
        else:
            others.append(row_of_others(incident, rows))
    head = ["| scenario | " + " | ".join(RULES[rule] for rule in SHORT) + " |", "|---|---|---|---|---|"]
    page = replace_block(page, "others", head + others)
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(page)
    os.makedirs(PLOTS, exist_ok=True)
    for incident, (first, last, cells) in DRAWN.items():
        draw(program, incident, first, last, cells)


def main():
    if len(sys.argv) == 3 and sys.argv[2] == "update":
        return update(sys.argv[1])
    if len(sys.argv) > 2 and sys.argv[2] == "check":
        return check(sys.argv[1], sys.argv[3:] or all_incidents())
    return __doc__


if __name__ == "__main__":
    sys.exit(main())
