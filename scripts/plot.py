#!/usr/bin/env python3
"""Draws results files: scripts/plot.py FILES… --out=DIR, or --check=DIR to hold the pictures there against the files.

Everything is drawn from the files alone. Colours are Okabe and Ito's (the blue a shade lighter), text is a grey that
has the same contrast on white as on near-black, and the background is transparent, so that a picture fits a light page
and a dark one.
"""

import argparse
import filecmp
import json
import math
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Where scripts/setup.sh --plots puts the version that the committed pictures were drawn with: another one may place a
# letter elsewhere.
TOOLS = ROOT / "build" / "tools"
if any(TOOLS.glob("lib/python3*/site-packages/matplotlib")) and Path(sys.prefix) != TOOLS:
    os.execv(TOOLS / "bin" / "python3", [str(TOOLS / "bin" / "python3"), *sys.argv])
try:
    import matplotlib
except ImportError:
    print("scripts/plot.py: there is no matplotlib; scripts/setup.sh --plots installs it.", file=sys.stderr)
    sys.exit(3)

matplotlib.use("svg")
from matplotlib import pyplot as plt
from matplotlib.patches import Rectangle

SCHEMAS = ("flash-steps/results/1", "flash-steps/results/2")
PUBLISHED = ROOT / "docs" / "results" / "published.json"
FIRST_RELEASE = ROOT / "docs" / "results" / "variants" / "against_standard" / "first_release.json"
STEPS = sorted(path.stem for path in (ROOT / "kernels").glob("[0-9][0-9]_*.cu"))
LADDER = [*(path.stem for path in sorted((ROOT / "kernels" / "primer").glob("p[0-9]*.cu"))), *STEPS,
          *(path.stem for path in sorted((ROOT / "kernels" / "beyond").glob("[0-9]*.cu")))]

KERNELS = {*LADDER, *(path.stem for path in (ROOT / "kernels" / "variants").glob("v[0-9]*.cu"))}

INK = "#767b84"
BLUE, VERMILLION, GREEN, PURPLE, ORANGE = "#1a80c4", "#d55e00", "#009e73", "#cc79a7", "#e69f00"
MEASURED_COLOURS = (VERMILLION, PURPLE, ORANGE)
PUBLISHED_COLUMNS = (("a100_seqlen_4096", "A100, published", BLUE),
                     ("rtx3090_seqlen_4096", "RTX 3090, published", GREEN))
BASELINES = (("fa2", "FlashAttention-2", (0, (5, 2))), ("cudnn", "cuDNN", (0, (1.2, 1.6))),
             ("standard", "standard, unfused", (0, (5, 2, 1, 2))))
CHOSEN_STEPS = (("01", BLUE), ("02", GREEN), ("09", PURPLE), ("16", VERMILLION))
RANKED_STEPS = ("07", "16")
# Of FlashAttention's first release: dropout and padding or not, and the colour.
SERIES = (("dropout and padding", True, True, BLUE), ("padding", False, True, GREEN),
          ("neither", False, False, VERMILLION))
PUBLISHED_SEQLEN = 4096
SECTOR_BYTES = 32
ELEMENT_BYTES = 2

plt.rcParams.update(
    {
        "svg.hashsalt": "flash-steps",
        "svg.fonttype": "none",
        "font.family": "DejaVu Sans",
        "font.size": 9,
        "text.color": INK,
        "text.parse_math": False,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.linewidth": 0.6,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.color": INK,
        "ytick.color": INK,
        "xtick.major.width": 0.6,
        "ytick.major.width": 0.6,
        "xtick.major.size": 3,
        "ytick.major.size": 0,
        "grid.color": INK,
        "grid.alpha": 0.22,
        "grid.linewidth": 0.6,
        "lines.linewidth": 2,
        "lines.solid_capstyle": "round",
    }
)
# Text is laid out in matplotlib's own font, the widest of these, so that none overflows where the picture is shown.
FONTS = "-apple-system, 'Segoe UI', 'Helvetica Neue', Helvetica, Arial, 'DejaVu Sans', sans-serif"


class BadFile(Exception):
    """What is wrong with a file, as a sentence that names the file and the field."""


class Field:
    """A value of a JSON file that knows its way there, so that a complaint can name it."""

    def __init__(self, value, file, path=""):
        self.value, self.file, self.path = value, file, path

    def fail(self, text):
        raise BadFile(f"{self.file}: {self.path or 'the file'} {text}.")

    def _as(self, kind, name):
        if not isinstance(self.value, kind) or (isinstance(self.value, bool) and kind is not bool):
            self.fail(f"should be {name}")
        return self.value

    def __getitem__(self, key):
        path = f"{self.path}.{key}" if self.path else key
        if key not in self.object():
            raise BadFile(f"{self.file}: {path} is missing.")
        return Field(self.value[key], self.file, path)

    def __iter__(self):
        for i, value in enumerate(self._as(list, "a list")):
            yield Field(value, self.file, f"{self.path}[{i}]")

    def object(self):
        return self._as(dict, "an object")

    def text(self):
        return self._as(str, "text")

    def flag(self):
        return self._as(bool, "true or false")

    def number(self):
        value = self._as((int, float), "a number")
        return value if math.isfinite(value) and value >= 0 else self.fail(f"is {value}, which no measurement gives")

    def count(self):
        value = self._as(int, "a whole number")
        return value if value > 0 else self.fail(f"is {value}; it should be at least 1")

    def __bool__(self):
        return self.value is not None


def read_json(path):
    try:
        return Field(json.loads(Path(path).read_text(encoding="utf-8")), path)
    except OSError as error:
        raise BadFile(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise BadFile(f"{path}: is not JSON, not even text.") from None
    except json.JSONDecodeError as error:
        raise BadFile(f"{path}: is not JSON, or cut short, at line {error.lineno} ({error.msg}).") from None


def read_problem(problem):
    shape = {key: problem[key].count() for key in ("batch", "heads", "seqlen", "head_dim")}
    there = lambda key: key in problem.object()
    return shape | {
        "dtype": problem["dtype"].text(),
        "pass": problem["pass"].text() if there("pass") else "forward",
        "mask": problem["mask"].text() if there("mask") else "none",
        "dropout": problem["dropout"].number() if there("dropout") else 0,
        "padding": problem["padding"].number() if there("padding") else 0,
    }


def read_timing(timing):
    if not timing:
        return None
    return {
        "tflops": timing["tflops"].number(),
        "median_ms": timing["median_ms"].number(),
        "sm_clock_mhz": timing["sm_clock_mhz"].number(),
        "throttled": timing["throttled"].flag(),
        "full_budget": timing["full_budget"].flag(),
    }


def read_counters(counters):
    if not counters:
        return None
    shared = [counters[key] for key in ("ldmatrix", "cp_async", "shared_load", "shared_store")]
    count = lambda key: counters[key]["instructions"].number()
    return {
        "conflicts": sum(pipe["bank_conflicts"].number() for pipe in shared),
        "wavefronts": sum(pipe["wavefronts"].number() for pipe in shared),
        "moved_bytes": SECTOR_BYTES * sum(
            counters[key]["sectors"].number() for key in ("cp_async", "global_load", "global_store")
        ),
        "distinct_bytes": counters["hbm_bytes_read"].number() + counters["hbm_bytes_written"].number(),
        "mma": count("mma"),
        "ldmatrix": count("ldmatrix"),
        "other": sum(
            count(key)
            for key in ("cp_async", "shared_load", "shared_store", "global_load", "global_store", "shuffle", "barrier")
        ),
    }


def read_peak(run):
    """Peak bytes of the device's memory; files from before it was recorded have none."""
    return run["memory"]["peak_bytes"].number() if "memory" in run.object() and run["memory"] else None


def read_percent(fa2):
    """Of the pairs, unless FlashAttention-2's time is a stored one."""
    return (fa2["paired_percent"] or fa2["percent"]).number()


def read_verdict(validation):
    """Whether the output was right; schema 1 had a flag, in which a hazard was a mistake, too."""
    if "passed" in validation.object():
        return validation["passed"].flag()
    return validation["verdict"].text() == "right"


def read_run(run):
    kernel = run["kernel"].text()
    if kernel not in KERNELS:
        run["kernel"].fail(f'is "{kernel}", which is none of the kernels in kernels/')
    baselines = run["baselines"]
    fa2 = baselines["fa2"] if baselines and "fa2" in baselines.object() else None
    return {
        "kernel": kernel,
        "config": run["config"].text(),
        "problem": read_problem(run["problem"]),
        "passed": read_verdict(run["validation"]),
        "writes_lse": "tensors" in run["validation"].object() and "lse" in run["validation"]["tensors"].object(),
        "timing": read_timing(run["timing"]),
        "percent": read_percent(fa2) if fa2 else None,
        "stored_in": fa2["stored_in"].text() if fa2 and fa2["stored_in"] else None,
        "peak_bytes": read_peak(run),
        "counters": read_counters(run["counters"]),
    }


def read_baseline(run):
    unavailable = run["unavailable"].text() if run["unavailable"] else None
    return {
        "name": run["baseline"].text(),
        "problem": read_problem(run["problem"]),
        "unavailable": unavailable,
        "timing": None if unavailable else read_timing(run["timing"]),
        "peak_bytes": None if unavailable else read_peak(run),
    }


def read_results(path):
    root = read_json(path)
    if (schema := root["schema"].text()) not in SCHEMAS:
        root["schema"].fail(f'is "{schema}"; {" and ".join(SCHEMAS)} can be drawn')
    device = root["device"]
    return {
        "stem": Path(path).stem,
        "date": root["meta"]["date"].text(),
        "gpu": device["name"].text(),
        "sm_max_mhz": device["clocks"]["sm_max_mhz"].number(),
        "memory_bytes": device["memory_bytes"].number(),
        "ceiling": device["mma_ceiling_tflops"].number()
        if "mma_ceiling_tflops" in device.object() and device["mma_ceiling_tflops"] else None,
        "runs": [read_run(run) for run in root["runs"]],
        "baselines": [read_baseline(run) for run in root["baselines"]],
    }


def read_published():
    """The published percentages at seqlen 4096: label, colour, step → percent."""
    root = read_json(os.path.relpath(PUBLISHED))
    columns = [column.text() for column in root["columns"]]
    rows = {step: list(root["percent"][step]) for step in STEPS}
    for step, row in rows.items():
        if len(row) != len(columns):
            root["percent"][step].fail(f"has {len(row)} numbers for {len(columns)} columns")
    for column, _, _ in PUBLISHED_COLUMNS:
        if column not in columns:
            root["columns"].fail(f'has no "{column}"')
    return [(label, colour, {step: row[columns.index(column)].number() for step, row in rows.items()})
            for column, label, colour in PUBLISHED_COLUMNS]


def sweeps_of(files):
    """One sweep a GPU and dtype; where two files hold the same run of the same GPU, the newer one's counts."""
    sweeps = {}
    for file in sorted(files, key=lambda file: file["date"]):
        for dtype in sorted({run["problem"]["dtype"] for run in file["runs"]}):
            sweep = sweeps.setdefault(
                (file["gpu"], dtype),
                {"gpu": file["gpu"], "dtype": dtype, "stems": {}, "ceiling": None, "runs": {}, "baselines": {},
                 "other_chapters": []}
            )
            of_dtype = [run for run in file["runs"] if run["problem"]["dtype"] == dtype]
            others = [run for run in of_dtype if run["kernel"] not in STEPS]
            sweep["other_chapters"] += [run for run in others if run["passed"]]
            # Steps of the sixteen and baselines were measured again there, to compare with: their own file counts.
            if others:
                continue
            sweep["sm_max_mhz"], sweep["memory_bytes"] = file["sm_max_mhz"], file["memory_bytes"]
            sweep["ceiling"] = file["ceiling"] or sweep["ceiling"]
            runs = {(run["kernel"], run["config"], *run["problem"].values()): run for run in of_dtype}
            if runs.keys() & sweep["runs"].keys():
                print(f"{' and '.join([*sweep['stems'], file['stem']])} are of one device, {sweep['gpu']}: of a run in "
                      "both the newer counts.", file=sys.stderr)
            sweep["stems"][file["stem"]] = len(runs)
            sweep["runs"] |= runs
            for baseline in file["baselines"]:
                if baseline["problem"]["dtype"] == dtype:
                    sweep["baselines"][baseline["name"], *baseline["problem"].values()] = baseline
    sweeps = {key: sweep for key, sweep in sweeps.items() if sweep["runs"]}
    for sweep in sweeps.values():
        main_stem = max(sweep["stems"], key=sweep["stems"].get)
        sweep["suffix"] = main_stem + ("" if sweep["dtype"] == "fp16" else f"_{sweep['dtype']}")
        while any(sweep["suffix"] == other.get("suffix") for other in sweeps.values() if other is not sweep):
            sweep["suffix"] += "_2"
        sweep["all_runs"] = [run for run in sweep["runs"].values() if run["passed"]]
        sweep["all_baselines"] = list(sweep["baselines"].values())
        problems = main_problems(sweep["runs"].values())
        sweep["runs"] = [run for run in sweep["runs"].values() if run["passed"] and run["problem"] in problems]
        sweep["baselines"] = [run for run in sweep["baselines"].values() if run["problem"] in problems]
    return list(sweeps.values())


def main_problems(runs):
    """Of each seqlen the problem with the most runs: a line must not mix batches or heads."""
    problems = {}
    for run in runs:
        problems.setdefault(run["problem"]["seqlen"], []).append(run["problem"])
    return [max(group, key=group.count) for group in problems.values()]


def timed(sweep, seqlen):
    return [run for run in sweep["runs"] if run["timing"] and run["problem"]["seqlen"] == seqlen]


def best_run(sweep, step, seqlen):
    """The fastest config; those measured with a few samples only to be ranked do not take part."""
    runs = [run for run in timed(sweep, seqlen) if run["kernel"].startswith(step) and run["timing"]["full_budget"]]
    return max(runs, key=lambda run: (run["percent"] or 0, run["timing"]["tflops"]), default=None)


def describe(problem, batch=None):
    """The shape and dtype of a problem; with a text for the batch, of problems that differ in batch and seqlen."""
    seqlen = "" if batch else f"seqlen {problem['seqlen']}, "
    batch = batch or f"batch {problem['batch']}"
    return f"{batch}, heads {problem['heads']}, {seqlen}head_dim {problem['head_dim']}, {problem['dtype']}"


def batches(runs):
    batch_of = {run["problem"]["seqlen"]: run["problem"]["batch"] for run in runs}
    usual = max(batch_of.values())
    others = [f"{batch} at {seqlen}" for seqlen, batch in sorted(batch_of.items()) if batch != usual]
    return f"batch {usual}" + (f" ({', '.join(others)})" if others else "")


def clocks(sweep, runs):
    """A remark for runs whose clocks power or heat held down: their TFLOP/s are those of that clock."""
    held = [run["timing"]["sm_clock_mhz"] for run in runs if run["timing"]["throttled"]]
    if not held:
        return ""
    low, high = f"{min(held):.0f}", f"{max(held):.0f}"
    span = f"at {low}" if low == high else f"between {low} and {high}"
    return f"Power or heat held the SM clock {span} MHz; the card's maximum is {sweep['sm_max_mhz']:.0f} MHz."


def figure(width, height, title, subtitle, **subplots):
    """A figure of so many inches, with its title and subtitle flush left and room for them."""
    fig, axes = plt.subplots(figsize=(width, height), **subplots)
    fig.text(0.16 / width, 1 - 0.16 / height, title, size=13, weight="bold", va="top")
    fig.text(0.16 / width, 1 - 0.47 / height, subtitle, size=9, va="top")
    return fig, axes


def margins(fig, left, right, top, bottom, **spaces):
    width, height = fig.get_size_inches()
    fig.subplots_adjust(
        left=left / width, right=1 - right / width, top=1 - top / height, bottom=bottom / height, **spaces
    )


def footnote(fig, text):
    width, height = fig.get_size_inches()
    fig.text(0.16 / width, 0.12 / height, text, size=8, va="bottom")


def spread(values, gap):
    """Positions near the values, at least gap apart, in the same order."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    groups = []
    for i in order:
        groups.append([[i], values[i]])
        while len(groups) > 1 and groups[-1][1] - groups[-2][1] < gap * (len(groups[-1][0]) + len(groups[-2][0])) / 2:
            (high, high_at), (low, low_at) = groups.pop(), groups.pop()
            groups.append([low + high, (low_at * len(low) + high_at * len(high)) / (len(low) + len(high))])
    places = {}
    for members, centre in groups:
        for k, i in enumerate(members):
            places[i] = centre + gap * (k - (len(members) - 1) / 2)
    return [places[i] for i in range(len(values))]


def label_ends(axes, labels, gap):
    """Writes (x, y, text, colour, weight) right of the ends of lines, moved apart where they would overlap."""
    for (x, _, text, colour, weight), y in zip(labels, spread([label[1] for label in labels], gap)):
        axes.annotate(text, (x, y), (9, 0), textcoords="offset points", va="center_baseline", color=colour,
                      weight=weight, annotation_clip=False)


def draw_percent(sweeps, published):
    """Percent of FlashAttention-2 by step, measured and published."""
    measured = []
    for sweep, colour in zip(sweeps, MEASURED_COLOURS * len(sweeps)):
        best = {step: best_run(sweep, step, PUBLISHED_SEQLEN) for step in STEPS}
        best = {step: run for step, run in best.items() if run and run["percent"] is not None}
        if best:
            measured.append((sweep, colour, best))
    if not measured:
        return None
    gpus = " and ".join(dict.fromkeys(sweep["gpu"] for sweep, _, _ in measured))
    dtypes = list(dict.fromkeys(sweep["dtype"] for sweep, _, _ in measured))
    problem = next(iter(measured[0][2].values()))["problem"] | {"dtype": " and ".join(dtypes)}
    fig, axes = figure(9.2, 5.1, "Percent of FlashAttention-2, step by step", f"{gpus}: {describe(problem)}")
    margins(fig, 0.6, 1.7, 0.85, 1.25)

    top = 100
    labels = []
    lines = [(label, colour, row, 1.5, 3, "normal") for label, colour, row in published]
    notes = []
    for sweep, colour, best in measured:
        label = f"{short_name(sweep['gpu'])}, {sweep['dtype'] if len(dtypes) > 1 else 'measured'}"
        lines.append((label, colour, {step: run["percent"] for step, run in best.items()}, 2.4, 5, "bold"))
        if stored := sorted({run["stored_in"] for run in best.values() if run["stored_in"]}):
            notes.append(f"{label}: the time of FlashAttention-2 is stored in {' and '.join(stored)}.")
    for label, colour, row, width, marker, weight in lines:
        x = [STEPS.index(step) for step in row]
        y = list(row.values())
        axes.plot(x, y, color=colour, linewidth=width, marker="o", markersize=marker, markeredgewidth=0)
        top = max(top, *y)
        labels.append((len(STEPS) - 1, y[-1], label, colour, weight))
    if len(measured) == 1:
        label_points(axes, lines[-1][2], [row for _, _, row, *_ in lines[:-1]], measured[0][1])
    axes.axhline(100, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=1)
    axes.set(xlim=(-0.4, len(STEPS) - 0.7), ylim=(0, top * 1.07))
    axes.set_yticks(range(0, int(top) + 1, 20), [f"{tick} %" for tick in range(0, int(top) + 1, 20)])
    axes.set_xticks(range(len(STEPS)), STEPS, rotation=38, ha="right", rotation_mode="anchor")
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    label_ends(axes, labels, top * 0.057)
    footnote(fig, "  ".join(notes))
    return fig


def draw_ladder(sweep):
    """Percent of FlashAttention-2 of the chapters that follow each other, on a logarithmic scale."""
    best = {step: best_run(sweep, step, PUBLISHED_SEQLEN) for step in STEPS}
    for run in sweep["other_chapters"]:
        before = best.get(run["kernel"])
        if run["problem"]["seqlen"] != PUBLISHED_SEQLEN or run["percent"] is None:
            continue
        if before is None or run["percent"] > before["percent"]:
            best[run["kernel"]] = run
    row = {step: best[step]["percent"] for step in LADDER if best.get(step) and best[step]["percent"] is not None}
    if not row or all(step in STEPS for step in row):
        return None
    fig, axes = figure(9.2, 5.1, "From three loops to tensor cores, percent of FlashAttention-2",
                       f"{sweep['gpu']}: {describe(best[next(iter(row))]['problem'])}")
    margins(fig, 0.75, 0.3, 0.85, 1.35)
    steps = list(row)
    axes.set_yscale("log")
    axes.plot(range(len(steps)), row.values(), color=INK, linewidth=1, zorder=2)
    for name, chapter, colour in (("primer", "primer", GREEN), ("the sixteen", "", VERMILLION),
                                  ("beyond", "beyond", BLUE)):
        of = [i for i, step in enumerate(steps) if (ROOT / "kernels" / chapter / f"{step}.cu").exists()]
        if not of:
            continue
        values = [row[steps[i]] for i in of]
        axes.plot(of, values, color=colour, linestyle="", marker="o", markersize=5, markeredgewidth=0, zorder=3)
        axes.text((of[0] + of[-1]) / 2, 0.06, name, transform=axes.get_xaxis_transform(), ha="center", color=colour,
                  weight="bold")
        for i in {of[0], of[-1], max(of, key=lambda i: row[steps[i]])}:
            value = row[steps[i]]
            axes.annotate(f"{value:.0f}" if value >= 10 else f"{value:.1f}", (i, value), (0, 7),
                          textcoords="offset points", ha="center", va="bottom", size=8, color=colour)
    axes.axhline(100, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=1)
    ticks = [tick for tick in (0.1, 1, 10, 100) if tick >= min(row.values()) / 10]
    axes.set(xlim=(-0.6, len(steps) - 0.4), ylim=(min(row.values()) / 2, max(row.values()) * 1.9))
    axes.set_yticks(ticks, [f"{tick:g} %" for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.set_xticks(range(len(steps)), steps, rotation=52, ha="right", rotation_mode="anchor", size=7)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    return fig


def label_points(axes, row, others, colour):
    """Writes the values of a line at its points, above or below, where the other lines are farther away."""
    before = None
    for step, value in row.items():
        nearest = {
            side: min(abs(y - value - side) for y in [100, *(other[step] for other in others)]) for side in (6, -6)
        }
        above = before is not None and nearest[6] >= nearest[-6]
        # A number right below its point would lie on a line that comes so steeply.
        steep = before is not None and value - before > 30
        axes.annotate(f"{value:.0f}", (STEPS.index(step), value), (9 if steep else 0, 7 if above else -7),
                      textcoords="offset points", ha="center", va="bottom" if above else "top", size=8, color=colour)
        before = value


def short_name(gpu):
    """H100 of NVIDIA H100 80GB HBM3, RTX 4090 of NVIDIA GeForce RTX 4090: what fits at the end of a line."""
    words = [word for word in gpu.split() if word not in ("NVIDIA", "GeForce")]
    return " ".join(words[: 2 if words[:1] == ["RTX"] else 1]) or gpu


def draw_tflops(sweep):
    """TFLOP/s by seqlen for chosen steps and the baselines."""
    seqlens = sorted({run["problem"]["seqlen"] for run in sweep["runs"] if run["timing"]})
    if len(seqlens) < 2:
        return None
    series = []
    for step, colour in CHOSEN_STEPS:
        runs = [run for seqlen in seqlens if (run := best_run(sweep, step, seqlen))]
        series.append((runs[0]["kernel"] if runs else step, colour, "solid", runs))
    for name, label, dashes in BASELINES:
        runs = [
            b for b in sweep["baselines"] if b["name"] == name and b["timing"] and b["problem"]["seqlen"] in seqlens
        ]
        series.append((label, INK, dashes, sorted(runs, key=lambda run: run["problem"]["seqlen"])))
    series = [row for row in series if row[3]]
    runs = [run for row in series for run in row[3]]
    if not runs:
        return None

    fig, axes = figure(9.2, 4.9, "TFLOP/s by sequence length",
                       f"{sweep['gpu']}: {describe(runs[0]['problem'], batches(runs))}")
    margins(fig, 0.6, 1.7, 0.85, 0.9 if clocks(sweep, runs) else 0.62)
    top = max([run["timing"]["tflops"] for run in runs] + [sweep["ceiling"] or 0])
    labels = []
    if sweep["ceiling"]:
        axes.axhline(sweep["ceiling"], color=ORANGE, linewidth=1.2, zorder=1)
        labels.append((math.log2(seqlens[-1]), sweep["ceiling"], f"mma.sync alone, {sweep['ceiling']:.0f}", INK,
                       "normal"))
    for label, colour, dashes, points in series:
        x = [math.log2(run["problem"]["seqlen"]) for run in points]
        y = [run["timing"]["tflops"] for run in points]
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=2.2 if dashes == "solid" else 1.5, marker="o",
                  markersize=4.5 if dashes == "solid" else 0, markeredgewidth=0)
        labels.append((x[-1], y[-1], label, colour, "bold" if dashes == "solid" else "normal"))
    axes.set(ylim=(0, top * 1.06), xlim=(math.log2(seqlens[0]) - 0.12, math.log2(seqlens[-1]) + 0.05))
    axes.set_xticks([math.log2(seqlen) for seqlen in seqlens], [str(seqlen) for seqlen in seqlens])
    axes.set_xlabel("seqlen", labelpad=5)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    label_ends(axes, labels, top * 0.05)
    footnote(fig, clocks(sweep, runs))
    return fig


def shape_of(run):
    """All of a problem but its length."""
    return tuple(value for key, value in run["problem"].items() if key != "seqlen")


def at_most_lengths(runs):
    """Of the runs those of the shape that has the most lengths, shortest first: nothing if it has fewer than three."""
    shapes = {}
    for run in runs:
        shapes.setdefault(shape_of(run), {})[run["problem"]["seqlen"]] = run
    most = max(shapes.values(), key=len, default={})
    return [most[seqlen] for seqlen in sorted(most)] if len(most) > 2 else []


def readable_bytes(exponent):
    """16 KiB of 14."""
    return f"{2 ** (exponent % 10)} {('bytes', 'KiB', 'MiB', 'GiB', 'TiB')[exponent // 10]}"


def bytes_axes(axes, series, seqlens):
    """Draws (label, colour, dashes, seqlen → bytes) with both axes in powers of two; returns the labels of the ends."""
    labels = []
    for label, colour, dashes, row in series:
        x, y = [math.log2(seqlen) for seqlen in row], [math.log2(value) for value in row.values()]
        solid = dashes == "solid"
        axes.plot(x, y, color=colour, linestyle=dashes, linewidth=2.2 if solid else 1.5, marker="o",
                  markersize=4.5 if solid else 0, markeredgewidth=0)
        labels.append((x[-1], y[-1], label, colour, "bold" if solid else "normal"))
    exponents = [math.log2(value) for row in series for value in row[3].values()]
    low, high = math.floor(min(exponents)), math.ceil(max(exponents))
    axes.set(xlim=(math.log2(seqlens[0]) - 0.12, math.log2(seqlens[-1]) + 0.05), ylim=(low - 0.4, high + 0.6))
    axes.set_xticks([math.log2(seqlen) for seqlen in seqlens], [str(seqlen) for seqlen in seqlens])
    ticks = range(low + low % 2, high + 1, 2)
    axes.set_yticks(list(ticks), [readable_bytes(tick) for tick in ticks])
    axes.set_xlabel("seqlen", labelpad=5)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
    return labels


def label_slope(axes, row, colour, text, side):
    """Writes how a line grows along its middle, above it (1) or below it (-1)."""
    seqlens = list(row)
    a, b = seqlens[(len(seqlens) - 1) // 2], seqlens[(len(seqlens) + 1) // 2]
    rise, run = math.log2(row[b] / row[a]), math.log2(b / a)
    low, high = axes.get_ylim()
    axes.text(math.log2(a * b) / 2, math.log2(row[a] * row[b]) / 2 + side * 0.025 * (high - low), text, size=8,
              color=colour, ha="center", va="bottom" if side > 0 else "top", rotation=math.degrees(math.atan2(rise, run)),
              rotation_mode="anchor", transform_rotates_text=True)


def draw_memory(sweep):
    """Peak memory by seqlen, of the last step and the baselines, up to where standard attention no longer fits."""
    held = at_most_lengths([run for run in sweep["all_baselines"] if run["name"] == "standard" and run["peak_bytes"]])
    if not held:
        return None
    of_shape = lambda runs: sorted((run for run in runs if shape_of(run) == shape_of(held[0])),
                                   key=lambda run: run["problem"]["seqlen"])
    row = lambda runs: {run["problem"]["seqlen"]: run["peak_bytes"] for run in runs if run["peak_bytes"]}
    runs, baselines = of_shape(sweep["all_runs"]), of_shape(sweep["all_baselines"])
    step = max((run["kernel"] for run in runs if run["peak_bytes"]), default=None)
    series = [(label, INK, dashes, row(run for run in baselines if run["name"] == name))
              for name, label, dashes in BASELINES]
    series.append((step, VERMILLION, "solid", row(run for run in runs if run["kernel"] == step)))
    series = [line for line in series if line[3]]
    seqlens = sorted({seqlen for *_, values in series for seqlen in values})
    fig, axes = figure(9.2, 4.9, "Peak memory by sequence length",
                       f"{sweep['gpu']}: {describe(held[0]['problem'], batches(held))}")
    margins(fig, 0.75, 1.7, 0.85, 0.9)
    labels = bytes_axes(axes, series, seqlens)
    card = math.log2(sweep["memory_bytes"])
    low, high = axes.get_ylim()
    axes.set_ylim(low, max(high, card + 0.6))
    axes.axhline(card, color=ORANGE, linewidth=1.2, zorder=1)
    axes.annotate(f"the card's memory, {sweep['memory_bytes'] / 2**30:.0f} GiB", (math.log2(seqlens[0]), card), (0, 4),
                  textcoords="offset points", size=8)
    standard = row(held)
    missing = [run["problem"]["seqlen"] for run in baselines if run["name"] == "standard" and run["unavailable"]
               and run["unavailable"].startswith("out of memory")]
    if missing:
        last, first = max(standard), min(missing)
        x, y = math.log2(last), math.log2(standard[last])
        axes.plot([x, x + (card - y) / 2], [y, card], color=INK, linewidth=1, linestyle=(0, (1, 3)))
        axes.plot(math.log2(first), card, color=INK, marker="x", markersize=8, markeredgewidth=2, clip_on=False)
        labels = [label for label in labels if label[2] != "standard, unfused"]
        labels.append((math.log2(first), card, "standard: out of memory", INK, "normal"))
    label_slope(axes, standard, INK, "N²: length ×2, bytes ×4", 1)
    label_slope(axes, series[-1][3], VERMILLION, "N: length ×2, bytes ×2", -1)
    low, high = axes.get_ylim()
    label_ends(axes, labels, (high - low) * 0.05)
    footnote(fig, "Q, K, V and O, and what the computation allocates besides; without the harness's reference.")
    return fig


def draw_traffic(sweep):
    """Bytes between global memory and the SMs by seqlen: counted, and of standard attention computed."""
    counted = [run for run in sweep["all_runs"] if run["counters"]]
    by_rows = {}  # of the steps with the same number of query rows the last one stands for all
    for run in counted:
        by_rows.setdefault(int(run["config"].split("x")[0]), {}).setdefault(run["kernel"], []).append(run)
    series = []
    for (rows, steps), colour in zip(sorted(by_rows.items()), (GREEN, VERMILLION, PURPLE)):
        curves = {step: curve for step in steps if (curve := at_most_lengths(steps[step]))}
        if curves:
            runs = curves[max(curves)]
            series.append((f"{max(curves)[:2]}, {rows} query rows", colour, "solid",
                           {run["problem"]["seqlen"]: run["counters"]["moved_bytes"] for run in runs}))
    if not series:
        return None
    distinct = {run["problem"]["seqlen"]: run["counters"]["distinct_bytes"] for run in runs}
    problem = runs[0]["problem"]
    heads, dims = problem["batch"] * problem["heads"], problem["head_dim"]
    standard = {n: heads * (4 * n * n + 4 * n * dims) * ELEMENT_BYTES for n in distinct}
    series = [("standard, computed", INK, (0, (5, 2, 1, 2)), standard), *series,
              ("distinct: DRAM at best", BLUE, "solid", distinct)]
    fig, axes = figure(9.2, 4.9, "Bytes moved by sequence length",
                       f"counted on the {sweep['gpu']}: {describe(problem, batches(runs))}")
    margins(fig, 0.75, 1.8, 0.85, 0.9)
    labels = bytes_axes(axes, series, sorted(distinct))
    label_slope(axes, standard, INK, "N²: length ×2, bytes ×4", 1)
    label_slope(axes, distinct, BLUE, "N: length ×2, bytes ×2", -1)
    low, high = axes.get_ylim()
    label_ends(axes, labels, (high - low) * 0.05)
    footnote(fig, "Query rows of a tile: sectors × 32 that the SMs ask of L2 and write. "
             "Standard: (4·N² + 4·N·d) · 2 bytes a head.")
    return fig


def passes_of(runs):
    """The runs of each pass, by what else a problem is."""
    found = {}
    for run in runs:
        rest = tuple(value for key, value in run["problem"].items() if key != "pass")
        found.setdefault(rest, {}).setdefault(run["problem"]["pass"], []).append(run)
    return found


def both_passes(runs):
    """The fastest forward run and the fastest backward one as one: their times added, and the most that either holds."""
    if not runs.get("forward") or not runs.get("backward"):
        return None
    fastest = [min(of_pass, key=lambda run: run["timing"]["median_ms"]) for of_pass in
               (runs["forward"], runs["backward"])]
    return {"milliseconds": sum(run["timing"]["median_ms"] for run in fastest),
            "bytes": max((run["peak_bytes"] for run in fastest if run["peak_bytes"]), default=None),
            "problem": fastest[0]["problem"]}


def against_pytorch(results):
    """Where a kernel and PyTorch's standard attention ran forward and backward: GPU, series → seqlen → both."""
    kernels, pytorch, names = [], [], set()
    for file in results:
        # A forward pass that a backward one follows has to store the logarithms of the row sums.
        kernels += [run for run in file["runs"] if run["passed"] and run["timing"] and run["problem"]["mask"] == "none"
                    and (run["writes_lse"] or run["problem"]["pass"] == "backward")]
        timed_there = [run for run in file["baselines"] if run["name"] == "pytorch" and run["timing"]]
        pytorch += timed_there
        if timed_there:
            names.add(file["gpu"])
    ours, theirs = passes_of(kernels), passes_of(pytorch)
    rows = {name: {} for name, *_ in SERIES}
    for rest in sorted(ours.keys() & theirs.keys()):
        pair = both_passes(ours[rest]), both_passes(theirs[rest])
        if None in pair:
            continue
        problem = pair[0]["problem"]
        for name, dropout, padding, _ in SERIES:
            if (problem["dropout"] > 0, problem["padding"] > 0) == (dropout, padding):
                rows[name][problem["seqlen"]] = pair
    return names, {name: row for name, row in rows.items() if row}


def read_first_release():
    """The bars of the first release: seqlen → value, of each series' speedup and of the memory."""
    root = read_json(os.path.relpath(FIRST_RELEASE))
    seqlens = [seqlen.count() for seqlen in root["seqlens"]]
    row = lambda field: dict(zip(seqlens, (value.number() for value in field), strict=True))
    return {name: row(root["speedup"][name]) for name, *_ in SERIES}, row(root["memory_ratio"])


def bars_beside(axes, seqlens, groups):
    """Bars of (colour, is published, seqlen → ratio), those of a length side by side, with their values above."""
    width = 0.86 / len(groups)
    top = max(value for *_, row in groups for value in row.values())
    for place, (colour, is_published, row) in enumerate(groups):
        for i, seqlen in enumerate(seqlens):
            if seqlen not in row:
                continue
            x = i + (place - (len(groups) - 1) / 2) * width
            axes.bar(x, row[seqlen], width=width * 0.92, color=colour, alpha=0.35 if is_published else 1)
            value = f"{row[seqlen]:.1f}" if row[seqlen] < 100 else f"{row[seqlen]:.0f}"
            axes.annotate(value, (x, row[seqlen]), (0, 2), textcoords="offset points", ha="center", va="bottom",
                          size=6.5, weight="normal" if is_published else "bold")
    axes.axhline(1, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
    axes.set(xlim=(-0.6, len(seqlens) - 0.4), ylim=(0, top * 1.1))
    axes.set_xticks(range(len(seqlens)), [str(seqlen) for seqlen in seqlens])
    axes.set_xlabel("seqlen", labelpad=5)
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)


def draw_against(gpus, rows, published, title, value_of, series):
    """One of the two graphs: (name, colour) → seqlen → ratio, with the published bars beside, paler."""
    groups = []
    for name, colour in series:
        measured = {seqlen: value for seqlen, pair in rows[name].items() if (value := value_of(*pair))}
        if measured:
            groups += [(colour, True, published[name]), (colour, False, measured)]
    if not groups:
        return None
    seqlens = sorted({seqlen for *_, row in groups for seqlen in row})
    problem = next(iter(next(iter(rows.values())).values()))[0]["problem"]
    fig, axes = figure(9.2, 4.9, title, f"{' and '.join(sorted(gpus))}: {describe(problem, batches_of(rows))}")
    margins(fig, 0.5, 0.3, 1.2, 1.0)
    bars_beside(axes, seqlens, groups)
    legend(axes, [("■", name, colour) for name, colour in series if any(colour == group[0] for group in groups)])
    footnote(fig, "Pale: the first release, published. Full: here, the medians of the forward and of the backward pass added,"
             "\nof PyTorch's standard attention and of the fastest kernels.")
    return fig


def batches_of(rows):
    return batches([pair[0] for row in rows.values() for pair in row.values()])


def draw_speedup(results, first_release):
    gpus, rows = against_pytorch(results)
    if not rows:
        return None
    return draw_against(gpus, rows, first_release[0], "How much faster than PyTorch's standard attention",
                        lambda ours, theirs: theirs["milliseconds"] / ours["milliseconds"],
                        [(name, colour) for name, *_, colour in SERIES if name in rows])


def draw_memory_ratio(results, first_release):
    """The published picture has one series: of those here the one with the most in it."""
    gpus, rows = against_pytorch(results)
    if not rows:
        return None
    name, colour = next((name, colour) for name, *_, colour in SERIES if name in rows)
    return draw_against(gpus, rows, {name: first_release[1]}, "In how much less memory than PyTorch's standard attention",
                        lambda ours, theirs: ours["bytes"] and theirs["bytes"] and theirs["bytes"] / ours["bytes"],
                        [(name, colour)])


def draw_counters(sweep):
    """What the emulator counts, by step: bank conflicts, wavefronts of shared memory, instructions of a warp."""
    runs = [run for run in sweep["runs"] if run["counters"]]
    if not runs:
        return None
    lengths = [run["problem"]["seqlen"] for run in runs]
    seqlen = max(lengths, key=lambda length: (lengths.count(length), length))
    first = {}  # the first config of a step is the one that it runs by default
    for run in runs:
        if run["problem"]["seqlen"] == seqlen:
            first.setdefault(run["kernel"], run)
    rows = [first[step] for step in STEPS if step in first]
    places = range(len(rows))
    fig, panels = figure(9.2, 0.235 * len(rows) + 1.75, "Bank conflicts, wavefronts and instructions by step",
                         f"counted on the {sweep['gpu']}: {describe(rows[0]['problem'])}", ncols=3, sharey=True)
    margins(fig, 1.62, 0.66, 1.3, 0.45, wspace=0.42)

    stacks = (
        ("bank conflicts", "wavefronts beyond the fewest", (("conflicts", VERMILLION, ""),)),
        ("wavefronts", "at most one a cycle and SM", (("wavefronts", BLUE, ""),)),
        ("instructions of a warp", "",
         (("mma", GREEN, "mma"), ("ldmatrix", BLUE, "ldmatrix"), ("other", INK, "other counted"))),
    )
    for axes, (title, remark, parts) in zip(panels, stacks):
        ends = [0] * len(rows)
        for key, colour, _ in parts:
            values = [run["counters"][key] for run in rows]
            axes.barh(places, values, left=ends, height=0.62, color=colour)
            ends = [end + value for end, value in zip(ends, values)]
        for y, end in zip(places, ends):
            axes.annotate(f"{end:,.0f}", (end, y), (4, 0), textcoords="offset points", va="center_baseline", size=8)
        axes.set_title(title, loc="left", size=9.5, weight="bold", pad=22)
        axes.set(xlim=(0, max(*ends, 1)), ylim=(len(rows) - 0.4, -0.6), xticks=[])
        axes.set_yticks(list(places), [run["kernel"] for run in rows])
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(labelleft=axes is panels[0])
        legend(axes, [("", remark, INK)] if remark else [("■", label, colour) for _, colour, label in parts])
    footnote(fig, f"configs: {span_of_configs(rows)}")
    return fig


def legend(axes, entries):
    """One line above a panel: marks, each in its colour and with a label behind it."""
    at = 0
    for mark, label, colour in entries:
        axes.annotate(
            mark, (0, 1), (at, 10), xycoords="axes fraction", textcoords="offset points", color=colour, size=8
        )
        at += 10 if mark else 0
        axes.annotate(label, (0, 1), (at, 10), xycoords="axes fraction", textcoords="offset points", size=8)
        at += 13 + 4.3 * len(label)


def span_of_configs(rows):
    """01 to 06 64x64, 07 to 15 128x64_q2k2v2c1, …"""
    spans = []
    for run in rows:
        if spans and spans[-1][0] == run["config"]:
            spans[-1][2] = run["kernel"][:2]
        else:
            spans.append([run["config"], run["kernel"][:2], run["kernel"][:2]])
    return ", ".join(
        f"{first} {config}" if first == last else f"{first} to {last} {config}" for config, first, last in spans
    )


def draw_ranking(sweep):
    """All configs of a step, fastest first, in percent of FlashAttention-2, which different clocks do not touch."""
    panels = []
    for step in RANKED_STEPS:
        runs = [run for run in timed(sweep, PUBLISHED_SEQLEN)
                if run["kernel"].startswith(step) and run["percent"] is not None]
        if len(runs) > 1:
            panels.append(sorted(runs, key=lambda run: -run["percent"]))
    if not panels:
        return None
    fig, axes = figure(9.2, 1.75 + 0.25 * sum(map(len, panels)) + 0.45 * (len(panels) - 1),
                       "Ranking of the configs, in percent of FlashAttention-2",
                       f"{sweep['gpu']}: {describe(panels[0][0]['problem'])}", nrows=len(panels), sharex=True,
                       squeeze=False, height_ratios=[len(runs) for runs in panels])
    margins(fig, 1.95, 0.35, 1.1, 0.5, hspace=0.45 / (0.25 * sum(map(len, panels)) / len(panels)))
    top = max(100, *(run["percent"] for runs in panels for run in runs))
    for axis, runs in zip(axes[:, 0], panels):
        best = best_run(sweep, runs[0]["kernel"], PUBLISHED_SEQLEN)
        for y, run in enumerate(runs):
            colour = VERMILLION if run is best else BLUE
            axis.barh(y, run["percent"], height=0.68, color=colour)
            axis.annotate(f"{run['percent']:.0f} %", (run["percent"], y), (-5, 0), textcoords="offset points",
                          ha="right", va="center_baseline", size=8, weight="bold", color="white")
        axis.axvline(100, color=INK, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        axis.set(xlim=(0, top), ylim=(len(runs) - 0.4, -0.6), xticks=[])
        axis.set_yticks(range(len(runs)), [run["config"] for run in runs])
        axis.set_title(runs[0]["kernel"], loc="left", size=9.5, weight="bold", pad=5)
        axis.spines["bottom"].set_visible(False)
    axes[0, 0].annotate("FlashAttention-2", (100, 1), (0, 6), xycoords=("data", "axes fraction"),
                        textcoords="offset points", ha="center", size=8)
    footnote(fig, "query rows x keys of a tile; q, k, v: slices loaded at a time (0: all); "
             "c: slice of P·V before which K is copied; ahead: loads run ahead; h: heads\n"
             "The best two are timed beside all steps, the others in the few rounds that ranked them.")
    return fig


def draw_bank_map():
    """The banks that one phase of ldmatrix meets, plain and swizzled, computed from the formulas of the addresses."""
    wanted, row_bytes, chunk_bytes, group_bytes = 2, 256, 16, 16
    layouts = (
        ("before", "row · 256 + chunk · 16", lambda row, chunk: row * row_bytes + chunk * chunk_bytes),
        ("after", "row · 256 + (chunk XOR row mod 8) · 16",
         lambda row, chunk: row * row_bytes + (chunk ^ row % 8) * chunk_bytes),
    )
    unit, left, between, top, bottom = 0.43, 0.7, 1.0, 0.95, 0.5  # inches; the grid is 8 × 11 units with its headings
    fig, panels = figure(
        left + 16 * unit + between + 0.55,
        top + 11.1 * unit + bottom,
        "The banks that one phase of ldmatrix meets",
        "chunk 2 of rows 0 to 7 of a tile; the numbers are the 16-byte chunks that lie there, the first eight of a row",
        ncols=2,
    )
    margins(fig, left, 0.55, top, bottom, wspace=between / (8 * unit))
    for axes, (name, formula, offset) in zip(panels, layouts):
        hits = [0] * 8
        for row in range(8):
            for chunk in range(8):
                group = offset(row, chunk) // group_bytes % 8  # of four banks
                met = chunk == wanted
                hits[group] += met
                axes.add_patch(
                    Rectangle((group + 0.04, row + 0.04), 0.92, 0.92, linewidth=0, facecolor=VERMILLION if met else INK,
                              alpha=1 if met else 0.16)
                )
                axes.text(group + 0.5, row + 0.52, chunk, ha="center", va="center_baseline", size=10,
                          weight="bold" if met else "normal", color="white" if met else INK)
        for group, count in enumerate(hits):
            axes.text(group + 0.5, 8.62, count or "–", ha="center", va="center_baseline", size=10,
                      weight="bold" if count else "normal", color=VERMILLION if count else INK)
            axes.text(group + 0.5, -0.3, group * 4, ha="center", va="center_baseline", size=8)
        axes.text(-0.15, -0.3, "bank", ha="right", va="center_baseline", size=8)
        axes.text(-0.15, 8.62, "rows", ha="right", va="center_baseline", size=8)
        for row in range(8):
            axes.text(-0.15, row + 0.52, row, ha="right", va="center_baseline", size=8)
        count = max(hits)
        busy = sum(4 for hit in hits if hit)
        idle = f"{32 - busy} of 32 banks idle in each" if busy < 32 else "every bank busy"
        axes.text(0, -1.42, f"{name}: {count} wavefront{'s' if count > 1 else ''}, {idle}", size=10.5, weight="bold",
                  va="baseline")
        axes.text(0, -0.86, formula, size=9, va="baseline")
        axes.set(xlim=(0, 8), ylim=(9.1, -2))
        axes.axis("off")
    footnote(fig, "A wavefront serves each bank once: as many wavefronts as rows that want the same bank.")
    return fig


def draw_all(results, sweeps, published, first_release):
    """Name → figure, of all that the results have the data for."""
    pictures = {"bank_map": draw_bank_map(), "percent_of_fa2": draw_percent(sweeps, published)}
    if first_release:
        pictures["speedup_over_standard"] = draw_speedup(results, first_release)
        pictures["memory_over_standard"] = draw_memory_ratio(results, first_release)
    for sweep in sweeps:
        pictures[f"tflops_by_seqlen_{sweep['suffix']}"] = draw_tflops(sweep)
        pictures[f"ladder_{sweep['suffix']}"] = draw_ladder(sweep)
        pictures[f"ranking_of_configs_{sweep['suffix']}"] = draw_ranking(sweep)
        pictures[f"counters_by_step_{sweep['suffix']}"] = draw_counters(sweep)
        pictures[f"memory_by_seqlen_{sweep['suffix']}"] = draw_memory(sweep)
        pictures[f"traffic_by_seqlen_{sweep['suffix']}"] = draw_traffic(sweep)
    return {name: fig for name, fig in pictures.items() if fig}


def save(pictures, folder, png):
    folder.mkdir(parents=True, exist_ok=True)
    for name, fig in pictures.items():
        svg = folder / f"{name}.svg"
        fig.savefig(svg, transparent=True, metadata={"Date": None, "Creator": None})
        text = svg.read_text(encoding="utf-8").replace("</style>", f"text{{font-family:{FONTS} !important}}</style>", 1)
        svg.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
        if png:
            fig.savefig(folder / f"{name}.png", transparent=True, dpi=192, metadata={"Software": None})


def differences(pictures, folder):
    """What is wrong with the SVGs in a folder, a sentence each."""
    with tempfile.TemporaryDirectory() as fresh:
        save(pictures, Path(fresh), png=False)
        for name in pictures:
            old, new = folder / f"{name}.svg", Path(fresh) / f"{name}.svg"
            if not old.exists():
                yield f"{old} is missing"
            elif not filecmp.cmp(old, new, shallow=False):
                yield f"{old} is not what the files give with matplotlib {matplotlib.__version__}"
    for old in sorted(folder.glob("*.svg")):
        if old.stem not in pictures:
            yield f"{old} is not a picture of these files"


def main():
    parser = argparse.ArgumentParser(description="Draws results files of ./runner --json=FILE.")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="results; files of one GPU are merged, the newer run counts"
    )
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--out", metavar="DIR", type=Path, help="write the pictures there, as SVG")
    where.add_argument("--check", metavar="DIR", type=Path,
                       help="compare the SVGs there with what the files give; exit 1 if they differ")
    parser.add_argument("--version", action="version", version=matplotlib.__version__,
                        help="of matplotlib, and exit")
    parser.add_argument("--png", action="store_true", help="with --out: write PNG as well")
    args = parser.parse_args()
    if args.png and not args.out:
        parser.error("--png goes with --out=DIR")

    results, bad = [], False
    for path in args.files:
        try:
            results.append(read_results(path))
        except BadFile as error:
            print(error, file=sys.stderr)
            bad = True
    published = []
    try:
        published = read_published()
    except BadFile as error:
        print(f"{error} The published columns are left out.", file=sys.stderr)
        bad = bad or PUBLISHED.exists()
    first_release = None
    try:
        first_release = read_first_release()
    except (BadFile, ValueError) as error:
        print(f"{error} The graphs of the first release are left out.", file=sys.stderr)
        bad = True

    pictures = draw_all(results, sweeps_of(results), published, first_release)
    if args.out:
        try:
            save(pictures, args.out, args.png)
        except OSError as error:
            print(f"{error.filename}: cannot be written ({error.strerror}).", file=sys.stderr)
            return 2
        print("\n".join(f"{args.out / name}.svg" for name in pictures))
        return 2 if bad else 0
    wrong = list(differences(pictures, args.check))
    for sentence in wrong:
        print(f"{sentence}.", file=sys.stderr)
    return 2 if bad else 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
