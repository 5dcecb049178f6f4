"""The head of an answer leaves together with what follows it, and never stays behind."""

import asyncio
from typing import cast

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.edges.joined import Joined

pytestmark = pytest.mark.unit


class Connection:
    """Notes what is done with it."""

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.done.append(data)

    def close(self) -> None:
        self.done.append("closed")

    def is_closing(self) -> bool:
        return "closed" in self.done


class Cycle:
    """A call whose answer has begun or not."""

    response_started = True


def joined(cycle: Cycle) -> tuple[Connection, Joined]:
    connection = Connection()
    return connection, Joined(cast(asyncio.Transport, connection), cast(RequestResponseCycle, cycle))


def test_head_and_body_are_one_write_and_what_comes_later_follows_at_once() -> None:
    connection, line = joined(Cycle())
    line.write(b"head ")
    line.write(b"one")
    line.write(b"two")
    assert connection.done == [b"head one", b"two"]


def test_the_word_to_go_on_does_not_wait_for_the_answer() -> None:
    cycle = Cycle()
    cycle.response_started = False
    connection, line = joined(cycle)
    line.write(b"go on")
    assert connection.done == [b"go on"]
    cycle.response_started = True
    line.write(b"head ")
    line.write(b"body")
    assert connection.done == [b"go on", b"head body"]


def test_an_answer_without_a_body_leaves_at_its_end_and_once() -> None:
    connection, line = joined(Cycle())
    line.write(b"head")
    line.flush()
    line.flush()
    assert connection.done == [b"head"]


def test_a_connection_is_closed_behind_the_head() -> None:
    connection, line = joined(Cycle())
    line.write(b"head")
    assert not line.is_closing()
    line.close()
    assert connection.done == [b"head", "closed"]
    assert line.is_closing()
