"""How long work takes, on which device, and how two ways of doing it compare over sizes.

- `measuring`: measure one callable: warm-up, waiting for the device, repeats until the spread is small.
- `budget`, `timing`: how long to measure; what came out.
- `placement`: on which device a result was computed. `versions`: with which libraries.
- `clock`, `cuda`, `quiet`: time, waiting for what a GPU has queued, and nothing else in the meantime.
- `others`: how busy other processes kept the machine.
- `comparing`, `progress`: contenders over sizes. `comparison`, `storage`: the table that they make, and its JSON.
- `ratios`: speed-up and crossover, as plain functions of numbers.
- `plots`: the picture of a comparison, live or recorded.

Seconds everywhere.
"""

from w251lab.timing.budget import Budget
from w251lab.timing.clock import Clock, WallClock
from w251lab.timing.comparing import Contender, compare
from w251lab.timing.comparison import Comparison, Failure, Point
from w251lab.timing.measuring import measure
from w251lab.timing.placement import device_of
from w251lab.timing.plots import plot
from w251lab.timing.ratios import crossover, speedup
from w251lab.timing.timing import COPIES, Copies, Timing

__all__ = [
    "COPIES",
    "Budget",
    "Clock",
    "Comparison",
    "Contender",
    "Copies",
    "Failure",
    "Point",
    "Timing",
    "WallClock",
    "compare",
    "crossover",
    "device_of",
    "measure",
    "plot",
    "speedup",
]
