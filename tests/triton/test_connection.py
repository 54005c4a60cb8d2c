from __future__ import annotations

import pytest

from w251lab.errors import UsageError
from w251lab.triton.connection import Connection, check_names


def test_the_address_is_put_in_one_form() -> None:
    with Connection("http://localhost:8000/") as connection:
        assert (connection.url, connection.protocol) == ("localhost:8000", "http")


def test_making_a_connection_sends_nothing() -> None:
    with Connection("127.0.0.1:1", "grpc", timeout=1) as connection:
        assert not connection.is_live()
        assert not connection.is_ready()


@pytest.mark.parametrize("version", ["latest", "1.0", "-1", " 1", "²"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(UsageError, match="not a version of a model"):
        check_names("model", version)


def test_names_that_can_be_asked_for() -> None:
    check_names("model")
    check_names("model", "12")
    with pytest.raises(UsageError, match="No model is named"):
        check_names("")
