"""Members, their keys and what each key may sign."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from contracts.federation import Federation, KeyPurpose, Member, PublicKey
from contracts.keys import new_key
from tests.factories import NOW, federation, signing_key, text

pytestmark = pytest.mark.unit

KEYS = federation()
LATER = NOW + timedelta(days=10)


def registered(kid: str = "ccib#officer-1", **changes: object) -> PublicKey:
    key = signing_key(kid).public_key(KeyPurpose.OFFICER, NOW, LATER)
    return key.model_copy(update=changes)


def holding(*keys: PublicKey, agency: str = "ccib") -> Federation:
    return Federation(
        gateway="https://gateway.example",
        operator="oja",
        members=(Member(agency=agency, title=text(agency), keys=keys),),
    )


def test_a_key_is_found_by_name_purpose_and_time() -> None:
    key = KEYS.federation.key("ccib#steward-1", KeyPurpose.STEWARD, NOW)

    assert key is not None
    assert key.kid == "ccib#steward-1"


@pytest.mark.parametrize("kid", ["ccib#steward-2", "nobody#steward-1", "ccib", "", "#steward-1"])
def test_a_name_that_is_not_registered_finds_nothing(kid: str) -> None:
    assert KEYS.federation.key(kid, KeyPurpose.STEWARD, NOW) is None


@pytest.mark.parametrize("purpose", [each for each in KeyPurpose if each is not KeyPurpose.STEWARD])
def test_a_key_serves_one_purpose(purpose: KeyPurpose) -> None:
    assert KEYS.federation.key("ccib#steward-1", purpose, NOW) is None


def test_a_key_is_valid_from_its_first_instant_to_before_its_last() -> None:
    known = holding(registered())

    found = [known.key("ccib#officer-1", KeyPurpose.OFFICER, at) is not None for at in (NOW, LATER)]

    assert found == [True, False]
    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW - timedelta(seconds=1)) is None


def test_a_copy_of_a_key_that_was_looked_at_has_a_span_of_its_own() -> None:
    key = registered()
    assert key.is_valid(NOW)

    copied = key.model_copy(update={"valid_from": NOW + timedelta(days=1)})

    assert not copied.is_valid(NOW)
    assert key.is_valid(NOW)


def test_a_span_in_another_time_zone_is_the_same_span() -> None:
    told = registered().model_dump_json().replace('Z"', '+07:00"')

    read = PublicKey.model_validate_json(told)

    earlier = timedelta(hours=7)
    assert read.span == (NOW - earlier, LATER - earlier)
    assert read.is_valid(LATER - earlier - timedelta(seconds=1))
    assert not read.is_valid(LATER - earlier)


def test_a_revoked_key_signs_nothing() -> None:
    known = holding(registered(revoked=True))

    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) is None
    assert known.keys_of("ccib", KeyPurpose.OFFICER, NOW) == ()


def test_no_member_can_register_a_key_in_anothers_name() -> None:
    known = holding(registered("ccib#officer-1"), agency="rtp")

    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) is None


def test_keys_of_a_member_are_listed_by_purpose() -> None:
    known = holding(registered(), registered("ccib#officer-2"))

    assert [key.kid for key in known.keys_of("ccib", KeyPurpose.OFFICER, NOW)] == ["ccib#officer-1", "ccib#officer-2"]
    assert known.keys_of("ccib", KeyPurpose.DPO, NOW) == ()
    assert known.keys_of("nobody", KeyPurpose.OFFICER, NOW) == ()
    assert known.member("nobody") is None


def test_a_key_is_published_as_a_jwk() -> None:
    jwk = registered().as_jwk()

    assert (jwk["kty"], jwk["crv"], jwk["alg"], jwk["kid"]) == ("EC", "P-256", "ES256", "ccib#officer-1")


def test_coordinates_with_leading_zeros_keep_their_length() -> None:
    keys = [new_key("ccib#officer-1").public_key(KeyPurpose.OFFICER, NOW, LATER) for _ in range(300)]

    assert {len(key.x) for key in keys} == {43}


@pytest.mark.parametrize("x", ["", "A" * 42, "A" * 44, "=" * 43, "+" * 43])
def test_a_coordinate_has_one_form(x: str) -> None:
    with pytest.raises(ValidationError):
        PublicKey.model_validate(registered().model_dump() | {"x": x})


@pytest.mark.parametrize("deep", [False, True])
def test_a_copy_with_other_members_finds_their_keys_and_no_others(deep: bool) -> None:  # noqa: FBT001  # a parameter
    known = holding(registered())
    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) is not None

    other = known.model_copy(update={"members": holding(registered(revoked=True)).members}, deep=deep)

    assert other.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) is None
    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) is not None


def test_what_was_looked_up_makes_no_federation_another_one() -> None:
    known, same = holding(registered()), holding(registered())
    known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW)

    assert known == same
    assert hash(known) == hash(same)
    assert known.model_dump() == same.model_dump()


def test_of_two_members_of_one_name_the_first_is_meant() -> None:
    one, two = holding(registered()), holding(registered(revoked=True))
    for first, second in ((one, two), (two, one)):
        both = one.model_copy(update={"members": first.members + second.members})
        found = both.key("ccib#officer-1", KeyPurpose.OFFICER, NOW)
        assert (found is not None) == (first is one)


def test_a_key_of_two_spans_serves_in_both() -> None:
    later = registered(valid_from=LATER, valid_until=LATER + timedelta(days=1))
    known = holding(registered(), later)

    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, LATER) == later
    assert known.key("ccib#officer-1", KeyPurpose.OFFICER, NOW) == registered()
