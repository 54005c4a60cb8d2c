from __future__ import annotations

import heapq
import io
import random

import little_course as little
import pytest
from rich.console import Console

from w251lab.grading.progress import ClassProgress, Estimate, spoken


def simulate(durations: list[tuple[str, float]], places: int) -> list[tuple[float, float, float | None]]:
    """Tasks (kind, seconds) by a pretended clock: (share done, seconds left in truth, estimate) at each end."""
    now = 0.0
    totals: dict[str, int] = {}
    for kind, _ in durations:
        totals[kind] = totals.get(kind, 0) + 1
    estimate = Estimate(totals, places, clock=lambda: now)
    under_way: list[tuple[float, int]] = []
    looks: list[tuple[float, float, float | None]] = []
    waiting = iter(enumerate(durations))

    def begin() -> None:
        for number, (kind, seconds) in waiting:
            estimate.started(str(number), kind)
            heapq.heappush(under_way, (now + seconds, number))
            return

    for _ in range(places):
        begin()
    while under_way:
        now, number = heapq.heappop(under_way)
        estimate.stopped(str(number), finished=True)
        begin()
        looks.append((estimate.finished / len(durations), now, estimate.seconds_left()))
    return [(share, now - at, said) for share, at, said in looks]


def uneven(seed: int) -> list[tuple[str, float]]:
    """300 submissions: most take a few seconds, one in ten runs into its limit."""
    draw = random.Random(seed)
    return [("n", 20.0 if draw.random() < 0.1 else draw.lognormvariate(1.5, 0.5)) for _ in range(300)]


def two_notebooks(seed: int) -> list[tuple[str, float]]:
    """A short notebook and a long one, all the short ones first."""
    draw = random.Random(seed)
    short = [("short", draw.uniform(1, 3)) for _ in range(150)]
    return short[:20] + [("long", draw.uniform(20, 40)) for _ in range(20)] + short[20:] + [("long", 30.0)] * 130


@pytest.mark.parametrize("tasks", [uneven, two_notebooks])
@pytest.mark.parametrize("places", [1, 2, 16])
def test_after_a_quarter_the_estimate_is_within_a_quarter(tasks: object, places: int) -> None:
    off = []
    for seed in range(20):
        looks = simulate(tasks(seed), places)
        left, said = next((left, said) for share, left, said in looks if share >= 0.25)
        off.append(abs(said - left) / left)
    assert sorted(off)[-2] < 0.25  # one of twenty classes may have its slow ones at one end


def test_a_place_that_hangs_is_not_forgotten_and_nothing_is_said_before_anything_is_known() -> None:
    now = 0.0
    estimate = Estimate({"n": 10}, 2, clock=lambda: now)
    estimate.started("quick", "n")
    estimate.started("hangs", "n")
    assert estimate.seconds_left() is None
    now = 2.0
    estimate.stopped("quick", finished=True)
    before = estimate.seconds_left()
    now = 50.0
    assert estimate.seconds_left() > 5 * before


def test_a_lost_task_is_still_to_be_done() -> None:
    now = 0.0
    estimate = Estimate({"n": 2}, 1, clock=lambda: now)
    estimate.started("a", "n")
    now = 4.0
    estimate.stopped("a", finished=False)
    estimate.started("b", "n")
    now = 8.0
    estimate.stopped("b", finished=True)
    assert estimate.finished == 1
    assert estimate.seconds_left() == 8.0


def test_the_bar_counts_says_what_is_left_and_names_a_lost_worker() -> None:
    screen = io.StringIO()
    with ClassProgress(Console(file=screen, force_terminal=True, width=160, color_system=None)) as progress:
        progress.begin("01_little", {"little": 2})
        job = little.job()
        progress.started(job)
        progress.lost(job, "tcp://127.0.0.1:1", again=True)
        progress.started(job)
        progress.finished(job, None)
        progress._progress.refresh()
    said = screen.getvalue()
    assert (
        "ada/01_little/little: the worker tcp://127.0.0.1:1 was lost while it graded this, it is tried again." in said
    )
    assert "1/2" in said
    assert "left" in said


def test_what_is_begun_before_another_is_told_to_be_finished_makes_no_further_place() -> None:
    with ClassProgress(Console(file=io.StringIO())) as progress:
        progress.begin("01_little", {"little": 10})
        progress.places(2)
        jobs = [little.job(student=student) for student in ("ada", "bob", "eva")]
        for job in jobs:
            progress.started(job)
        progress.finished(jobs[0], None)
        assert progress.estimate.places == 2
        progress.places(0)
        assert progress.estimate.places == 2, "lost ones are started again"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.2, "1 s"), (89, "89 s"), (91, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min")]
)
def test_how_seconds_are_said(seconds: float, said: str) -> None:
    assert spoken(seconds) == said
