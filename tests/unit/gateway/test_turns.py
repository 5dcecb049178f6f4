"""Of several gateway processes one does the ticks' work; the others look after it now and then."""

from dataclasses import dataclass

import pytest

from gateway.turns import EVERY, Turns

pytestmark = pytest.mark.unit


@dataclass
class Election:
    """Says what a test says."""

    leads: bool = False


def test_a_process_on_its_own_does_every_tick() -> None:
    turns = Turns()
    assert all(turns.is_next_mine() for _ in range(3 * EVERY))


def test_the_leader_does_every_tick_and_who_does_not_lead_few() -> None:
    leader, other = Turns(Election(leads=True)), Turns(Election())
    assert sum(leader.is_next_mine() for _ in range(3 * EVERY)) == 3 * EVERY
    assert sum(other.is_next_mine() for _ in range(3 * EVERY)) == 3


def test_who_begins_to_lead_begins_to_tick() -> None:
    election = Election()
    turns = Turns(election)
    assert not turns.is_next_mine()
    election.leads = True
    assert turns.is_next_mine()
