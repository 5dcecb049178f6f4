"""Versions of the protocol: the highest in common is spoken, and whoever is behind is told so."""

import pytest

from contracts.errors import InvalidInput, Refused
from contracts.protocol import FIRST, SPOKEN, choose, offered
from contracts.task import LeaseCall

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("connector", "gateway", "chosen"),
    [((1,), (1,), 1), ((1, 2), (2, 3), 2), ((3, 1, 2), (1, 2, 3), 3), ((1, 3), (1, 2), 1)],
)
def test_the_highest_version_in_common_is_spoken(
    connector: tuple[int, ...], gateway: tuple[int, ...], chosen: int
) -> None:
    assert choose(connector, gateway) == chosen


@pytest.mark.parametrize(
    ("connector", "gateway", "code", "advice"),
    [
        ((1,), (2, 3), "connector-outdated", "Upgrade the connector"),
        ((2, 3), (1,), "gateway-outdated", "gateway's operator"),
        ((1, 4), (2, 3), "gateway-outdated", "gateway's operator"),
    ],
)
def test_without_one_in_common_whoever_is_behind_is_told_to_upgrade(
    connector: tuple[int, ...], gateway: tuple[int, ...], code: str, advice: str
) -> None:
    with pytest.raises(Refused) as refused:
        choose(connector, gateway)
    assert refused.value.code == code
    assert advice in refused.value.reasons[0].advice_en
    assert ", ".join(str(each) for each in sorted(connector)) in refused.value.reasons[0].message_en
    assert "Nothing was handed out or spent" in refused.value.reasons[0].message_en


def test_versions_are_read_from_a_call_of_any_later_form() -> None:
    assert offered(b'{"speaks": [7, 8], "colour_of_the_future": {"deep": []}}') == (7, 8)


def test_a_program_that_names_no_version_speaks_the_first() -> None:
    assert offered(b'{"agency": "ccib"}') == (FIRST,)
    assert LeaseCall(agency="ccib", data_versions={}, wait_seconds=0).speaks == (FIRST,)
    assert FIRST in SPOKEN


@pytest.mark.parametrize("body", [b"", b"[]", b'{"speaks": []}', b'{"speaks": [0]}', b'{"speaks": "all"}'])
def test_what_names_no_version_that_could_be_is_malformed(body: bytes) -> None:
    with pytest.raises(InvalidInput) as wrong:
        offered(body)
    assert wrong.value.code == "malformed-body"
