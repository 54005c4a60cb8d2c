"""A report on a year of New York's flights, with pandas and nothing else.

    python flights_report.py [TIMES]

TIMES repeats the year, for a larger table. The last line says how many seconds the report took.
"""
# ruff: noqa: T201  # a report goes to the screen

import math
import sys
import time

import pandas as pd

from w251lab.rapids import frames

WORST_ROUTES = 80


def arrival_word(flight) -> str:
    """What became of a flight, in a word, with its airline's code in front."""
    if math.isnan(flight["dep_delay"]):
        word = "cancelled"
    elif math.isnan(flight["arr_delay"]):
        word = "diverted"
    elif flight["arr_delay"] < 15:
        word = "on time"
    else:
        word = "left late" if flight["dep_delay"] >= 15 else "lost time in the air"
    return f"{flight['carrier']} {word}"


def report(times: int) -> None:
    """Read the tables, and say which airlines, routes, hours and aircraft are late."""
    paths = frames.paths()
    year = pd.read_parquet(paths["flights"])
    airlines = pd.read_parquet(paths["airlines"])
    planes = pd.read_parquet(paths["planes"])
    flights = pd.concat([year] * times, ignore_index=True)
    print(f"{len(flights):,} flights")

    # How late is each airline?
    arrived = flights.dropna(subset=["arr_delay"])
    by_airline = arrived.groupby("carrier")["arr_delay"].agg(["mean", "median", "count"]).reset_index()
    show(by_airline.merge(airlines, on="carrier").sort_values("mean"))

    # Which routes are the worst, and how many aircraft fly them?
    routes = arrived.groupby(["origin", "dest"]).agg({"arr_delay": "mean", "air_time": "median", "tailnum": "nunique"})
    worst = routes.reset_index().sort_values("arr_delay", ascending=False).head(WORST_ROUTES)
    show(worst)

    # Do old aircraft come late?
    built = planes[["tailnum", "year", "seats"]].dropna()
    by_year = arrived.merge(built, on="tailnum").groupby("year")[["arr_delay", "seats"]].mean().reset_index()
    show(by_year.sort_values("year"))

    # Which hours of which days are the worst?
    slots = arrived.groupby(["month", "day", "hour", "origin"])["dep_delay"].median().reset_index()
    show(slots.sort_values("dep_delay", ascending=False))

    # What became of the flights on the worst routes?
    suspects = year.merge(worst[["origin", "dest"]], on=["origin", "dest"])
    print(f"{len(suspects):,} flights on {WORST_ROUTES} routes")
    suspects["word"] = suspects.apply(arrival_word, axis=1)
    show(suspects.groupby("word").size().reset_index(name="flights").sort_values("flights", ascending=False))


def show(table: pd.DataFrame) -> None:
    """Print the first three rows."""
    print(table.head(3).to_string(index=False))


if __name__ == "__main__":
    begin = time.perf_counter()
    report(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    print(f"the report took {time.perf_counter() - begin:.2f} s")
