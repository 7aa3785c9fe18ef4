"""The comparison as a picture: time against size, one small diagram for each workload."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, prod
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from measure import Outcome
from report import LABELS

COLUMNS = 5
STYLES = {
    "expert": ("expert's NumPy", "black", "--"),
    "matgrad": (LABELS["matgrad"], "tab:red", "-"),
    "jax": (LABELS["jax"], "tab:blue", "-"),
    "torch": (LABELS["torch"], "tab:orange", "-"),
    "autograd": (LABELS["autograd"], "tab:green", "-"),
}


def draw(outcomes: Sequence[Outcome], file: Path) -> None:
    """Draw the times of all systems against the size of the inputs, on logarithmic axes, into a file."""
    mpl.rcParams["svg.fonttype"] = "none"
    names = list(dict.fromkeys(outcome.work.name for outcome in outcomes))
    columns = min(COLUMNS, len(names))
    lines = ceil(len(names) / columns)
    figure = Figure(figsize=(3.1 * columns, 2.5 * lines + 0.5), layout="constrained")
    grid = figure.subplots(lines, columns, squeeze=False)
    shown: dict[str, Line2D] = {}
    for axes, name in zip(grid.flat, names, strict=False):
        rows = [outcome for outcome in outcomes if outcome.work.name == name]
        for system, (label, colour, dashes) in STYLES.items():
            points = [(prod(row.size), row.systems[system].time * 1e3) for row in rows if system in row.systems]
            if points:
                (line,) = axes.plot(*zip(*points, strict=True), dashes, color=colour, marker=".", label=label)
                shown.setdefault(label, line)
        axes.set_title(name, fontsize=8)
        axes.set_xscale("log")
        axes.set_yscale("log")
        ticks = [prod(row.size) for row in rows]
        axes.set_xticks(ticks, ["×".join(map(str, row.size)) for row in rows])
        axes.set_xticks([], minor=True)
        axes.tick_params(labelsize=7)
    for axes in list(grid.flat)[len(names) :]:
        axes.set_visible(False)
    figure.supylabel("milliseconds", fontsize=9)
    figure.legend(list(shown.values()), list(shown), loc="outside upper center", ncols=len(shown), fontsize=9)
    figure.savefig(file)
