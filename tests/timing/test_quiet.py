from __future__ import annotations

import gc

import pytest

from w251lab.errors import W251Error
from w251lab.timing.quiet import alone, no_collection


def test_the_collector_rests_and_is_then_as_it_was() -> None:
    assert gc.isenabled()
    with no_collection():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(KeyError), no_collection():
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with no_collection():
            pass
        assert not gc.isenabled(), "who switched it off wants it off"
    finally:
        gc.enable()


def test_one_at_a_time() -> None:
    what = "'inner' was to be measured while 'outer' is being measured"
    with alone("outer"), pytest.raises(W251Error, match=what), alone("inner"):
        raise AssertionError("two at a time")
    with alone(""):
        pass
