"""Nothing that is graded rests on what is measured here, and it takes long: little data and a moment stand for it.

Three notebooks run at a time on two cores: more threads than that only wait for one another.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

from functools import partial, wraps

from w251lab import timing
from w251lab.rapids import bench, boosting, data, scaling


def with_less(function, **most):
    """The function with none of these arguments larger than given here."""

    @wraps(function)
    def short(*arguments, **options):
        return function(
            *arguments, **{name: min(value, most[name]) if name in most else value for name, value in options.items()}
        )

    return short


def curve_shortly(measure, name, device="auto", scale="small", **options):
    short = {"sizes": bench.find(name).sizes[scale][:2], "budget": timing.Budget(0.05, at_least=1)}
    return measure(name, device, scale, **options | short)


def half(make, rows, *arguments, **options):
    return make(rows // 2, *arguments, **options)


bench.curve = partial(curve_shortly, bench.curve)
data.clicks, data.coin_flips = partial(half, data.clicks), partial(half, data.coin_flips)
boosting.train, scaling.boosting = with_less(boosting.train, rounds=20), with_less(scaling.boosting, rounds=20)
scaling.cluster = partial(scaling.cluster, workers=1)
