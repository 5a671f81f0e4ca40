"""Writes slopes.json: what scipy.stats.theilslopes says about a set of series.

    python -m venv venv && venv/bin/pip install numpy scipy && venv/bin/python slopes.py

It uses nothing of the crate it checks. Deterministic; the versions used are in it. A gap is null.
"""

import json
import math
import pathlib
import random

import numpy
import scipy
import scipy.stats

dice = random.Random(1968)


def noisy(count, slope, noise, digits=6):
    return [round(3 + slope * at + dice.gauss(0, noise), digits) for at in range(count)]


def gaps(values, share):
    return [None if dice.random() < share else value for value in values]


# The example of Sen (1968), section 6 is not at equal distances; these are ours.
SERIES = {
    "two": [1.0, 3.0],
    "three": [1.0, 3.0, 2.0],
    "line": [0.5 * at for at in range(20)],
    "flat": [4.0] * 12,
    "ties": [1, 1, 2, 2, 2, 3, 3, 1, 4, 4, 4, 4, 5, 3, 3],
    "outlier": [1.0, 2.1, 2.9, 400.0, 5.2, 5.8, 7.1, 8.0],
    "gap": [1.0, None, 2.0, 2.5, None, None, 5.0, 4.0],
    "falls": noisy(40, -0.3, 1.0),
    "noise": noisy(60, 0.0, 2.0),
    "rises a little": noisy(120, 0.01, 1.0),
    "long": noisy(240, 0.02, 3.0),
    "long with gaps": gaps(noisy(240, 0.02, 3.0), 0.3),
    "rounded": noisy(100, 0.05, 1.0, 0),
    "large": [value * 1e12 for value in noisy(50, 0.1, 1.0)],
}


def slope(values):
    at = [index for index, value in enumerate(values) if value is not None]
    kept = numpy.array([value for value in values if value is not None], dtype=float)
    found = scipy.stats.theilslopes(kept, at, 0.95, method="separate")
    return {
        "per_sample": float(found.slope),
        "start": float(found.intercept),
        "low": float(found.low_slope),
        "high": float(found.high_slope),
    }


cases = [{"name": name, "values": values, "expected": slope(values)} for name, values in SERIES.items()]
table = {"numpy": numpy.__version__, "scipy": scipy.__version__, "cases": cases}
pathlib.Path(__file__).with_name("slopes.json").write_text(json.dumps(table, indent=1, allow_nan=False) + "\n")
