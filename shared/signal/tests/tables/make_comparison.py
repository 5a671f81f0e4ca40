"""Writes comparison.json: what numpy and scipy say about pairs of windows and about shares of totals.

Run it as make.py. It uses nothing of the crate it checks.
"""

import json
import math
import pathlib
import platform
import random

import numpy
import scipy
import scipy.spatial.distance
import scipy.stats

NAN, INF = math.nan, math.inf


def drawn(seed, length, draw):
    source = random.Random(seed)
    return [float(f"{draw(source):.6g}") for _ in range(length)]


def finite(values):
    return numpy.array([value for value in values if math.isfinite(value)])


def effect_of(before, after):
    one, other = finite(before), finite(after)
    if len(one) == 0 or len(other) == 0:
        return None
    free = len(one) + len(other) - 2
    # The squares of tiny ranges would be zero.
    unit = max(scipy.stats.iqr(one), scipy.stats.iqr(other)) or 1.0
    ranges = [(len(kept) - 1) * (scipy.stats.iqr(kept) / unit) ** 2 for kept in (one, other)]
    spread = 0.7413 * unit * math.sqrt(sum(ranges) / free) if free else 0.0
    difference = float(numpy.median(other) - numpy.median(one))
    return {
        "before": float(numpy.median(one)),
        "after": float(numpy.median(other)),
        "spread": spread,
        "size": difference / spread if spread > 0 else None,
        "ks": float(scipy.stats.ks_2samp(one, other).statistic),
    }


NOISE = drawn(21, 120, lambda source: source.gauss(50, 2))
WINDOWS = {
    "the same noise": (NOISE, drawn(22, 120, lambda source: source.gauss(50, 2))),
    "a shift": (NOISE, drawn(23, 120, lambda source: source.gauss(60, 2))),
    "a shift down": (NOISE, drawn(24, 80, lambda source: source.gauss(41, 3))),
    "the last third moves": (NOISE, NOISE[:80] + [value + 30 for value in NOISE[80:]]),
    "wider, not higher": (NOISE, drawn(25, 200, lambda source: source.gauss(50, 9))),
    "lengths 3 and 300": ([1.0, 2.0, 4.0], drawn(26, 300, lambda source: source.expovariate(0.5))),
    "ties": ([1.0, 1.0, 2.0, 2.0, 3.0], [2.0, 2.0, 2.0, 3.0, 3.0, 4.0]),
    "log-normal": (
        drawn(27, 90, lambda source: source.lognormvariate(0, 1)),
        drawn(28, 90, lambda source: source.lognormvariate(1, 1)),
    ),
    "gaps": ([1.0, NAN, 2.0, INF, 3.0, 8.0], [-INF, 4.0, NAN, 6.0, 9.0]),
    "constant before": ([5.0] * 12, [5.0, 6.0, 7.0, 8.0, 9.0]),
    "constant both": ([5.0] * 12, [7.0] * 4),
    "one value each": ([1.0], [2.0]),
    "one against many": ([1.0], [2.0, 3.0, 5.0]),
    "nothing before": ([NAN], [1.0]),
    "nothing after": ([1.0], []),
    "negative": ([-5.0, -4.0, -3.0, -9.0], [5.0, 4.0, 3.0, 9.0]),
    "tiny": ([1e-300, 2e-300, 3e-300], [2e-300, 6e-300, 9e-300]),
}

SHARES = {
    "paper, data centre": [(94, 47), (6, 3)],
    "paper, advertiser": [(50, 24), (20, 21), (20, 4), (10, 1)],
    "paper, device": [(50, 49), (50, 1)],
    "one appeared": [(10, 10), (10, 10), (0, 20)],
    "one vanished": [(10, 10), (10, 0), (5, 4)],
    "uneven": [(1, 7), (20, 22), (300, 290), (0.5, 0.1), (40, 90)],
    "rates": [(0.0125, 0.5), (2.75, 2.5), (0.2, 0.25)],
}


def shares_of(pairs):
    before, after = numpy.array(pairs, dtype=float).T
    terms = 0.5 * (
        scipy.special.rel_entr(before / before.sum(), (before / before.sum() + after / after.sum()) / 2)
        + scipy.special.rel_entr(after / after.sum(), (before / before.sum() + after / after.sum()) / 2)
    )
    surprises = terms / math.log(2)
    whole = scipy.spatial.distance.jensenshannon(before, after, base=2) ** 2
    assert abs(surprises.sum() - whole) < 1e-12
    powers = (after - before) / (after.sum() - before.sum())
    chosen, explains = [], 0.0
    for element in sorted(range(len(pairs)), key=lambda at: (-surprises[at], -powers[at])):
        if powers[element] > 0.10:
            chosen.append(element)
            explains += powers[element]
            if explains > 0.67:
                return {
                    "elements": chosen,
                    "explains": explains,
                    "surprise": float(sum(surprises[at] for at in chosen)),
                }
    return None


def plain(value):
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Inf" if value > 0 else "-Inf"
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value


def main():
    tables = {
        "windows": [
            {"name": name, "before": before, "after": after, "expected": effect_of(before, after)}
            for name, (before, after) in WINDOWS.items()
        ],
        "shares": [
            {"name": name, "parts": pairs, "expected": shares_of(pairs)} for name, pairs in SHARES.items()
        ],
    }
    made_by = {
        "script": "make_comparison.py",
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
    }
    lines = [f'{{\n"made_by": {json.dumps(made_by)}']
    for table, cases in tables.items():
        rows = ",\n".join(json.dumps(plain(case), allow_nan=False) for case in cases)
        lines.append(f'"{table}": [\n{rows}\n]')
    path = pathlib.Path(__file__).with_name("comparison.json")
    path.write_text(",\n".join(lines) + "\n}\n", encoding="utf-8")


main()
