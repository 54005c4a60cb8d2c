"""Data that several modules' tests work on, small enough for a busy machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import threadpoolctl
import xgboost

from w251lab.rapids import data, frames

if TYPE_CHECKING:
    from collections.abc import Iterator

    from w251lab.rapids.data import Clicks
    from w251lab.rapids.frames import Flights


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads that wait for each other in a loop make a busy machine of two cores crawl."""
    with threadpoolctl.threadpool_limits(1), xgboost.config_context(nthread=1):
        yield


@pytest.fixture(scope="session")
def clicks() -> Clicks:
    return data.clicks(4000, 20, seed=3)


@pytest.fixture(scope="session")
def flights() -> Flights:
    return frames.load("cpu")
