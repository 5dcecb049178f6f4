"""Names, peers and limits of a listener, without one."""

import asyncio
import sys

import pytest

from gateway.edges.hosts import allowed_hosts, name_in
from gateway.edges.limits import Limits
from gateway.edges.roster import Roster, peer_key
from gateway.edges.server import Listening, server_config

pytestmark = pytest.mark.unit


class Connection:
    """One that only notes when it was looked at."""

    def __init__(self) -> None:
        self.looked = 0

    def look(self, _now: float) -> None:
        self.looked += 1


def test_the_gateways_names_are_the_issuers_the_listeners_and_those_that_were_allowed() -> None:
    names = allowed_hosts("https://Gateway.Example:8443", "10.1.2.3", ["saphan.local", "[fd00::1]"])
    assert names == {
        *(b"gateway.example", b"10.1.2.3", b"saphan.local", b"fd00::1"),
        *(b"localhost", b"127.0.0.1", b"::1"),
    }


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "::", ""])  # noqa: S104  # a name that must not be one
def test_a_wildcard_to_listen_on_is_no_name(wildcard: str) -> None:
    assert allowed_hosts("https://g.example", wildcard, ()) == {b"g.example", b"localhost", b"127.0.0.1", b"::1"}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        (b"G.Example", b"g.example"),
        (b"g.example:8443", b"g.example"),
        (b"[::1]", b"::1"),
        (b"[FD00::1]:8443", b"fd00::1"),
        (b"g.example:", b""),
        (b"g.example:80:80", b""),
        (b"g.example:https", b""),
        (b"[::1", b""),
        (b"[::1]x", b""),
        (b"[::1]:x", b""),
    ],
)
def test_a_host_field_is_a_name_and_perhaps_a_port(field: bytes, name: bytes) -> None:
    assert name_in(field) == name


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("unix", "unix", True),
    ],
)
def test_whoever_has_an_ipv6_address_has_its_whole_network(one: str, other: str, same: bool) -> None:  # noqa: FBT001  # a parameter
    assert (peer_key(one) == peer_key(other)) is same


def test_a_roster_counts_down_when_a_connection_ends_and_forgets_who_left() -> None:
    async def connect() -> list[bool]:
        loop = asyncio.get_running_loop()
        roster, lines = Roster(Limits(connections=3, connections_per_peer=1)), [Connection() for _ in range(3)]
        entered = [roster.enter(lines[0], "192.0.2.1", counts=True, loop=loop)]
        entered.append(roster.enter(lines[1], "192.0.2.1", counts=True, loop=loop))
        roster.leave(lines[1])
        roster.leave(lines[1])
        roster.leave(lines[0])
        entered.append(roster.enter(lines[2], "192.0.2.1", counts=True, loop=loop))
        return entered

    assert asyncio.run(connect()) == [True, False, True]


def test_connections_are_looked_at_as_long_as_there_are_any() -> None:
    async def watch() -> tuple[int, int, int]:
        loop = asyncio.get_running_loop()
        roster, first, second = Roster(Limits(linger_seconds=0.04)), Connection(), Connection()
        roster.enter(first, "192.0.2.1", counts=True, loop=loop)
        await asyncio.sleep(0.05)
        seen = first.looked
        roster.leave(first)
        await asyncio.sleep(0.05)
        after = first.looked
        roster.enter(second, "192.0.2.1", counts=True, loop=loop)
        await asyncio.sleep(0.05)
        return seen, after - seen, second.looked

    seen, after, again = asyncio.run(watch())
    assert seen >= 2
    assert after <= 1
    assert again >= 2


def test_a_sweep_is_never_later_than_an_eighth_of_the_shortest_limit() -> None:
    assert Limits().sweep_seconds == pytest.approx(0.125)
    assert Limits(header_seconds=0.4).sweep_seconds == pytest.approx(0.05)
    assert Limits(linger_seconds=60, header_seconds=600, body_seconds=600, idle_seconds=600).sweep_seconds == 0.5


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop does not run there")
def test_a_listener_runs_on_uvloop_where_there_is_one() -> None:
    config = server_config(lambda: None, Listening("https://g.example", "127.0.0.1", 0))

    async def loop_of_the_program() -> str:
        return type(asyncio.get_running_loop()).__mro__[1].__module__

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        assert runner.run(loop_of_the_program()) == "uvloop"
