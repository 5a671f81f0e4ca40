"""Writes table.json: what numpy, scipy and exact fractions say about a set of small series.

Run it anywhere with Python 3.9 or newer:

    python -m venv venv && venv/bin/pip install numpy scipy && venv/bin/python make.py

It uses nothing of the crate it checks. The output is deterministic; the versions used are in it.
"""

import json
import math
import pathlib
import platform
import random
import statistics
from fractions import Fraction

import numpy
import scipy
import scipy.stats

NAN, INF = math.nan, math.inf
QUANTILES = [0.0, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0]


def finite(values):
    return numpy.array([value for value in values if math.isfinite(value)])


# ---- what is expected -------------------------------------------------------------------------------------


def statistics_of(values):
    kept = finite(values)
    if len(kept) == 0:
        return None
    places = [index for index, value in enumerate(values) if math.isfinite(value)]
    exact = [Fraction(value) for value in kept]
    return {
        "quantiles": [[q, float(numpy.quantile(kept, q, method="linear"))] for q in QUANTILES],
        "median": float(statistics.median(exact)),
        "iqr": float(scipy.stats.iqr(kept)),
        "mad": float(scipy.stats.median_abs_deviation(kept, scale=1.0)),
        "count": len(kept),
        "first": float(kept[0]),
        "last": float(kept[-1]),
        "min": float(kept.min()),
        "min_at": places[int(kept.argmin())],
        "max": float(kept.max()),
        "max_at": places[int(kept.argmax())],
        "mean": float(sum(exact) / len(exact)),
    }


def yardstick(baseline, resolution):
    """Median, scale and ceiling of a baseline."""
    kept = finite(baseline)
    center = float(numpy.median(kept))
    scale = max(0.7413 * float(scipy.stats.iqr(kept)), 0.01 * abs(center), resolution)
    if scale > 0:
        return center, scale, 1e6
    return center, float(numpy.sqrt(numpy.mean(kept**2))), 100.0


def score(value, center, scale, ceiling):
    distance = abs(value - center)
    if distance == 0:
        return 0.0
    return ceiling if scale == 0 else min(distance / scale, ceiling)


def departure_of(values, baseline, resolution):
    if len(finite(values)) == 0 or len(finite(baseline)) == 0:
        return None
    center, scale, ceiling = yardstick(baseline, resolution)
    distances = [abs(value - center) if math.isfinite(value) else -1.0 for value in values]
    at = int(numpy.argmax(distances))
    direction = {1: "Up", -1: "Down", 0: "Flat"}[int(numpy.sign(values[at] - center))]
    return {"score": score(values[at], center, scale, ceiling), "direction": direction, "at": at}


def onset_of(values, baseline_len):
    if baseline_len > len(values) or len(finite(values[:baseline_len])) == 0:
        return None
    measure = yardstick(values[:baseline_len], 0.0)
    rest = [(at, value) for at, value in enumerate(values) if at >= baseline_len and math.isfinite(value)]
    beyond = [score(value, *measure) > 3 for _, value in rest]
    for index, (at, _) in enumerate(rest):
        if beyond[index] and sum(beyond[index + 1 : index + 4]) >= 2:
            return at
    return None


def shape_of(values, buckets):
    buckets = min(buckets, len(values))
    kept = finite(values)
    if len(kept) == 0:
        return "-" * buckets
    exact = [Fraction(value) for value in kept]
    low, high, median = min(exact), max(exact), statistics.median(exact)
    span = max(high - low, Fraction(0.05) * max(abs(low), abs(high)))
    shape = ""
    for bucket in range(buckets):
        start, end = bucket * len(values) // buckets, (bucket + 1) * len(values) // buckets
        inside = [Fraction(value) for value in values[start:end] if math.isfinite(value)]
        if not inside:
            shape += "-"
            continue
        farthest = max(inside, key=lambda value: abs(value - median))
        shape += str(math.floor((farthest - low) / span * 9 + Fraction(1, 2)) if span else 0)
    return shape


# ---- the series -------------------------------------------------------------------------------------------


def drawn(seed, length, draw):
    source = random.Random(seed)
    return [float(f"{draw(source):.6g}") for _ in range(length)]


def with_gaps(values, seed):
    source = random.Random(seed)
    return [source.choice([NAN, INF, -INF]) if source.random() < 0.2 else value for value in values]


SERIES = {
    "nothing": [],
    "only gaps": [NAN, INF, -INF],
    "one value": [42.5],
    "one negative value": [-3.0],
    "one zero": [0.0],
    "one value among gaps": [NAN, INF, 7.0, -INF],
    "two values": [1.0, 2.0],
    "two equal values": [5.0, 5.0],
    "three values, falling": [3.0, 2.0, 1.0],
    "constant": [0.1] * 17,
    "constant zero": [0.0] * 9,
    "ties at the quartiles": [1.0, 1.0, 2.0, 2.0, 2.0, 3.0, 3.0, 3.0, 3.0],
    "mostly one value": [4.0] * 20 + [9.0, 1.0],
    "equal extremes": [2.0, 9.0, -1.0, 9.0, -1.0, 2.0],
    "negative": [-10.0, -20.0, -5.5, -7.25, -100.0],
    "around zero": [-2.0, -1.0, 0.0, 1.0, 2.5],
    "gaps at both ends": [NAN, 3.0, INF, 1.0, 2.0, -INF],
    "tiny": [1e-300, 3e-300, 2e-300, 8e-300, 5e-300],
    "huge": [1e300, 3e300, 2e300, -7e299, 5e300],
    "tiny beside huge": [1e-200, 1e200, 5e-200, 2e200, 3e200],
    "large with small differences": [1e12 + 1, 1e12 + 2, 1e12 + 4, 1e12 + 8, 1e12 + 16],
    "large values that cancel out": [1e16, 3.0, -1e16, 1e15, 5.0, -1e15],
    "epoch seconds": [1.7e9 + 15 * index for index in range(20)],
    "even length": [7.0, 1.0, 5.0, 3.0, 9.0, 11.0],
    "odd length": [7.0, 1.0, 5.0, 3.0, 9.0, 11.0, 2.0],
    "one spike": [1.0] * 30 + [100.0] + [1.0] * 29,
    "one dip": [1.0] * 11 + [0.0] + [1.0] * 38,
    "a step": [10.0, 11.0] * 20 + [31.0, 30.0] * 10,
    "a ramp": [0.5 * index for index in range(100)],
    "ratio near one": [0.999, 1.0, 1.0, 0.9985, 1.0, 0.97, 1.0],
    "normal": drawn(1, 241, lambda source: source.gauss(100, 15)),
    "uniform with gaps": with_gaps(drawn(2, 97, lambda source: source.uniform(-1, 1)), 3),
    "exponential": drawn(4, 500, lambda source: source.expovariate(2.0)),
    "log-normal over many magnitudes": drawn(5, 200, lambda source: source.lognormvariate(0, 8)),
    "few distinct values": drawn(6, 60, lambda source: source.randint(0, 4)),
    "sparse": drawn(7, 120, lambda source: 1 if source.random() < 0.05 else 0),
}

NOISE = drawn(11, 60, lambda source: source.gauss(50, 2))
DEPARTURES = {
    "steady noise": (drawn(12, 20, lambda source: source.gauss(50, 2)), NOISE, 0.0),
    "up": ([50.0, 51.0, 90.0, 52.0], NOISE, 0.0),
    "down": ([50.0, 10.0, 51.0], NOISE, 0.0),
    "below the resolution": ([50.0, 51.0, 90.0], NOISE, 25.0),
    "the farther side wins": ([60.0, 38.0, 61.0], NOISE, 0.0),
    "the first of equals": ([100.0, 102.0, 98.0, 102.0], [100.0] * 10, 0.0),
    "a steady series doubles": ([200.0], [100.0] * 10, 0.0),
    "a steady series falls to zero": ([0.0], [100.0] * 10, 0.0),
    "a steady negative series": ([-100.0, -103.0], [-100.0] * 10, 0.0),
    "a steady series stays": ([5.0, 5.0], [5.0] * 10, 0.0),
    "zeros, then five": ([5.0], [0.0] * 4, 0.0),
    "zeros, then a tiny value": ([5e-9], [0.0] * 4, 0.0),
    "zeros, then one and five": ([1.0, 5.0], [0.0] * 4, 0.0),
    "zeros, then five, at a resolution": ([5.0], [0.0] * 4, 2.0),
    "zeros stay": ([0.0, 0.0], [0.0] * 4, 0.0),
    "rare events, then one more": ([0.0, 3.0, 0.0], [0.0] * 30 + [3.0] + [0.0] * 30 + [-1.0], 0.0),
    "rare events, then many more": ([300.0], [0.0] * 30 + [3.0] + [0.0] * 30, 0.0),
    "a millionfold": ([1e12], [1.0] * 5, 0.0),
    "tiny": ([9e-300], [1e-300, 2e-300, 3e-300, 4e-300], 0.0),
    "huge": ([-9e300], [1e300, 2e300, 3e300, 4e300], 0.0),
    "gaps on both sides": ([NAN, 4.0, INF], [1.0, NAN, 2.0, 3.0, -INF], 0.0),
    "one sample each": ([3.0], [2.0], 0.0),
    "nothing to judge": ([NAN, INF], [1.0, 2.0], 0.0),
    "no baseline": ([1.0], [NAN], 0.0),
}

STEADY = [10.0, 11.0, 9.0, 10.0, 10.5, 9.5] * 5
ONSETS = {
    "never": (STEADY + STEADY, 30),
    "a step": (STEADY + [30.0] * 6, 30),
    "a step after a while": (STEADY + STEADY + [30.0] * 6, 30),
    "a step down": (STEADY + [10.0, -5.0, -5.0, -5.0], 30),
    "one spike": (STEADY + [10.0, 30.0, 10.0, 10.0, 10.0], 30),
    "a spike, then a step": (STEADY + [30.0] + [10.0] * 4 + [30.0] * 4, 30),
    "two of the next three": (STEADY + [30.0, 10.0, 30.0, 30.0, 10.0], 30),
    "one of the next three": (STEADY + [30.0, 10.0, 10.0, 30.0, 10.0], 30),
    "unconfirmed at the end": (STEADY + [10.0, 30.0, 30.0], 30),
    "just confirmed at the end": (STEADY + [10.0, 30.0, 30.0, 30.0], 30),
    "either way": (STEADY + [30.0, -10.0, 30.0, -10.0], 30),
    "gaps in between": (STEADY + [NAN, 30.0, NAN, INF, 30.0, NAN, 30.0], 30),
    "gaps in the baseline": ([NAN, 1.0, NAN, 1.0, NAN] + [1.0, 2.0, 2.0, 2.0], 5),
    "exactly three spreads": ([100.0] * 5 + [103.0] * 5, 5),
    "beyond three spreads": ([100.0] * 5 + [103.5] * 5, 5),
    "out of nothing": ([0.0] * 5 + [0.0, 0.1, 0.1, 0.1], 5),
    "no baseline": ([1.0, 2.0, 3.0], 0),
    "baseline longer than the series": ([1.0, 2.0, 3.0], 4),
}

SHAPES = [(name, values, buckets) for name, values in SERIES.items() for buckets in (24, 7)]


# ---- writing ----------------------------------------------------------------------------------------------


def plain(value):
    """JSON has no word for NaN and infinities."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main():
    tables = {
        "statistics": [
            {"name": name, "values": values, "expected": statistics_of(values)}
            for name, values in SERIES.items()
        ],
        "departures": [
            {
                "name": name,
                "values": values,
                "baseline": baseline,
                "resolution": resolution,
                "expected": departure_of(values, baseline, resolution),
            }
            for name, (values, baseline, resolution) in DEPARTURES.items()
        ],
        "onsets": [
            {"name": name, "values": values, "baseline_len": length, "expected": onset_of(values, length)}
            for name, (values, length) in ONSETS.items()
        ],
        "shapes": [
            {"name": name, "values": values, "buckets": buckets, "expected": shape_of(values, buckets)}
            for name, values, buckets in SHAPES
        ],
    }
    made_by = {
        "script": "make.py",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }
    lines = [f'{{\n"made_by": {json.dumps(made_by)}']
    for table, cases in tables.items():
        rows = ",\n".join(json.dumps(plain(case), allow_nan=False) for case in cases)
        lines.append(f'"{table}": [\n{rows}\n]')
    path = pathlib.Path(__file__).with_name("table.json")
    path.write_text(",\n".join(lines) + "\n}\n", encoding="utf-8")


main()
