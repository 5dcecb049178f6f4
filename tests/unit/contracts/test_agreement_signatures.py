"""Who signed an agreement, and what its history comes to, verified with nothing but the pinned keys."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import pytest

from contracts.agreement_acts import AgreementHistory, HistoryEntry, check_history, read_act, signed_act
from contracts.agreement_signatures import MOST_KEPT, read_signed
from contracts.canonical import canonical_bytes, digest_of
from contracts.errors import SaphanError
from contracts.federation import Federation, KeyPurpose
from contracts.keys import new_key
from contracts.lifecycle import Act, AgreementState, ends_at, fold
from contracts.signing import joined, sign_document
from contracts.views import AgreementView
from tests import factories
from tests.agreement_world import an_act, chain, text_signed, until_active
from tests.factories import NOW

pytestmark = pytest.mark.unit

KEYS = factories.federation()
FEDERATION = KEYS.federation
AGREED = factories.agreement()
OJA, CCIB, DPO = "oja#officer-2", "ccib#officer-1", "ccib#dpo-1"


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(SaphanError) as caught:
        call()
    return caught.value.code


# ------------------------------------------------------------------ the text
def test_every_required_signer_signs_once_and_the_order_does_not_matter() -> None:
    signed = read_signed(text_signed(KEYS, AGREED, DPO, OJA, CCIB), FEDERATION, NOW)

    assert (signed.agreement, signed.digest, signed.missing) == (AGREED, digest_of(AGREED), frozenset())
    assert signed.signers == {
        ("oja", KeyPurpose.OFFICER): OJA,
        ("ccib", KeyPurpose.OFFICER): CCIB,
        ("ccib", KeyPurpose.DPO): DPO,
    }


@pytest.mark.parametrize("gone", [OJA, CCIB, DPO])
def test_a_signature_that_was_taken_away_is_missed(gone: str) -> None:
    kids = [kid for kid in (OJA, CCIB, DPO) if kid != gone]

    assert len(read_signed(text_signed(KEYS, AGREED, *kids), FEDERATION, NOW).missing) == 1


@pytest.mark.parametrize(
    ("kids", "code"),
    [
        ((OJA, CCIB, DPO, "rtp#officer-1"), "signers-incomplete"),
        ((OJA, CCIB, DPO, "ccib#officer-2"), "signers-incomplete"),
        ((OJA, CCIB, "ccib#officer-2"), "signers-incomplete"),
        (("oja#officer-1", CCIB, DPO), "approves-own-draft"),
        ((OJA, CCIB, "ccib#steward-1"), "key-unknown"),
        (("oja#client-1", CCIB, DPO), "key-unknown"),
    ],
)
def test_one_signature_too_many_or_of_a_drafter_spoils_the_document(kids: tuple[str, ...], code: str) -> None:
    assert code_of(lambda: read_signed(text_signed(KEYS, AGREED, *kids), FEDERATION, NOW)) == code


@pytest.mark.parametrize(
    ("payload", "code"), [(b"{}", "malformed-body"), (canonical_bytes(AGREED) + b" ", "not-canonical")]
)
def test_a_document_that_is_no_agreement_is_refused(payload: bytes, code: str) -> None:
    document = sign_document(payload, "agreement", KEYS[OJA])

    assert code_of(lambda: read_signed(document, FEDERATION, NOW)) == code


def test_a_key_whose_time_is_over_signs_nothing() -> None:
    old = factories.federation(valid_until=NOW)

    assert code_of(lambda: read_signed(text_signed(KEYS, AGREED), old.federation, NOW)) == "key-unknown"


def with_changed_key(kid: str, **changes: object) -> Federation:
    """The federation in which one key is another."""
    members = tuple(
        each.model_copy(
            update={"keys": tuple(k.model_copy(update=changes) if k.kid == kid else k for k in each.keys)},
        )
        for each in FEDERATION.members
    )
    return FEDERATION.model_copy(update={"members": members})


@pytest.mark.parametrize("kid", [OJA, CCIB, DPO])
def test_a_text_that_was_verified_is_refused_as_soon_as_one_of_its_keys_may_sign_no_more(kid: str) -> None:
    document = text_signed(KEYS, AGREED)
    assert read_signed(document, FEDERATION, NOW) == read_signed(document, FEDERATION, NOW)
    ended, later = with_changed_key(kid, valid_until=NOW + timedelta(hours=1)), NOW + timedelta(hours=1)

    assert not read_signed(document, ended, NOW).missing
    assert code_of(lambda: read_signed(document, ended, later)) == "key-unknown"
    assert code_of(lambda: read_signed(document, with_changed_key(kid, revoked=True), NOW)) == "key-unknown"
    assert not read_signed(document, FEDERATION, NOW).missing


def test_a_text_that_was_verified_is_not_one_by_another_key_of_the_same_name() -> None:
    document = text_signed(KEYS, AGREED)
    assert not read_signed(document, FEDERATION, NOW).missing
    other = new_key(CCIB).public_key(KeyPurpose.OFFICER, NOW, NOW + timedelta(days=1))
    replaced = with_changed_key(CCIB, x=other.x, y=other.y)

    assert code_of(lambda: read_signed(document, replaced, NOW)) == "signature-wrong"
    as_dpo = with_changed_key(CCIB, purpose=KeyPurpose.DPO)
    assert code_of(lambda: read_signed(document, as_dpo, NOW)) == "signers-incomplete"


def test_a_text_is_remembered_by_its_exact_letters_and_not_for_ever() -> None:
    documents = [text_signed(KEYS, AGREED) for _ in range(MOST_KEPT + 1)]
    assert all(read_signed(each, FEDERATION, NOW).agreement == AGREED for each in documents)
    parsed = json.loads(documents[0])
    changed = canonical_bytes(AGREED.model_copy(update={"retention_days": 9_999}))
    forged = {**parsed, "payload": base64.urlsafe_b64encode(changed).rstrip(b"=").decode()}

    assert code_of(lambda: read_signed(json.dumps(forged), FEDERATION, NOW)) == "signature-wrong"
    assert read_signed(documents[0], FEDERATION, NOW).agreement == AGREED


def test_signatures_that_were_made_apart_are_joined_once() -> None:
    left, right = text_signed(KEYS, AGREED, OJA, CCIB), text_signed(KEYS, AGREED, CCIB, DPO)

    assert not read_signed(joined(left, right), FEDERATION, NOW).missing
    other = text_signed(KEYS, factories.agreement(retention_days=1), DPO)
    assert code_of(lambda: joined(left, other)) == "signature-wrong"


# ------------------------------------------------------------------ acts
def test_an_act_is_one_persons() -> None:
    act = an_act(AGREED, Act.REVIEW, CCIB)

    signed = read_act(signed_act(act, KEYS[CCIB]), FEDERATION, NOW)

    assert (signed.act, signed.kid, signed.purpose) == (act, CCIB, KeyPurpose.OFFICER)


def test_what_is_no_single_persons_act_is_refused() -> None:
    act = an_act(AGREED, Act.REVIEW, CCIB)
    both = sign_document(canonical_bytes(act), "agreement-act", KEYS[CCIB], KEYS[DPO])
    spaced = sign_document(canonical_bytes(act) + b" ", "agreement-act", KEYS[CCIB])
    other_kind = sign_document(canonical_bytes(act), "agreement", KEYS[CCIB])
    empty = sign_document(b"{}", "agreement-act", KEYS[CCIB])

    codes = [code_of(lambda: read_act(each, FEDERATION, NOW)) for each in (both, spaced, other_kind, empty)]  # noqa: B023  # called at once

    assert codes == ["signers-incomplete", "not-canonical", "signature-wrong", "malformed-body"]
    assert code_of(lambda: read_act(signed_act(act, KEYS["rtp#officer-1"]), FEDERATION, NOW)) == "signers-incomplete"
    for nothing in ("", "{}", '{"payload":"a","signatures":[{"protected":"a","signature":"b"}]}'):
        assert code_of(lambda: read_act(nothing, FEDERATION)) == "signature-wrong"  # noqa: B023  # called at once


@pytest.mark.parametrize(
    ("kid", "code"),
    [("ccib#steward-1", "key-unknown"), ("oja#log-1", "key-unknown"), ("oja#client-1", "key-unknown")],
)
def test_only_people_and_the_gateway_act(kid: str, code: str) -> None:
    act = an_act(AGREED, Act.REVIEW, kid)

    assert code_of(lambda: read_act(signed_act(act, KEYS[kid]), FEDERATION, NOW)) == code
    gateway = an_act(AGREED, Act.ACTIVATE, "oja#gateway-1")
    assert read_act(signed_act(gateway, KEYS["oja#gateway-1"]), FEDERATION, NOW).purpose is KeyPurpose.GATEWAY


def test_a_gateway_key_of_another_member_is_nobodys() -> None:
    keys = factories.federation({"oja": (KeyPurpose.GATEWAY,), "ccib": (KeyPurpose.GATEWAY,)})
    act = an_act(AGREED, Act.ACTIVATE, "ccib#gateway-1")

    assert code_of(lambda: read_act(signed_act(act, keys["ccib#gateway-1"]), keys.federation, NOW)) == "key-unknown"


# ------------------------------------------------------------------ histories
def history(drop: int | None = None, /, **changes: object) -> AgreementHistory:
    """The history of an agreement in force, as an honest gateway gives it; ``changes`` bend the view."""
    acts = chain(KEYS, AGREED, until_active(AGREED))
    steps = fold((each.signed for each in acts), AGREED, NOW).history
    entries = [
        HistoryEntry(
            act=each.signed.act,
            digest=digest_of(each.signed.act),
            kid=each.signed.kid,
            role=step.role,
            state=step.state,
            document=each.document,
        )
        for each, step in zip(acts, steps, strict=True)
    ]
    if drop is not None:
        entries.pop(drop)
    view: dict[str, object] = {
        "agreement": AGREED,
        "digest": digest_of(AGREED),
        "document": text_signed(KEYS, AGREED),
        "signed_by": tuple(sorted(factories.signers_of(AGREED))),
        "state": AgreementState.ACTIVE,
        "head": entries[-1].digest,
    }
    return AgreementHistory(view=AgreementView.model_validate(view | changes), acts=tuple(entries))


def test_a_history_is_folded_anew_without_the_gateway() -> None:
    assert check_history(history(), FEDERATION, NOW).state is AgreementState.ACTIVE


def test_a_history_holds_years_later_when_keys_and_period_are_over() -> None:
    short = factories.federation(valid_until=NOW + timedelta(days=30))
    expired = history(state=AgreementState.EXPIRED)

    for told in (history(), expired):
        assert check_history(told, short.federation, ends_at(AGREED)).state is AgreementState.EXPIRED
    assert code_of(lambda: check_history(expired, FEDERATION, NOW)) == "agreement-history-wrong"


@pytest.mark.parametrize(
    "changes",
    [
        {"state": AgreementState.SUSPENDED},
        {"state": AgreementState.DRAFT},
        {"digest": f"sha-256:{'1' * 64}"},
        {"document": ""},
        {"document": text_signed(KEYS, AGREED, CCIB, DPO)},
        {"document": text_signed(KEYS, AGREED, "oja#officer-2", "ccib#officer-2", DPO)},
        {"document": text_signed(KEYS, factories.agreement(retention_days=1))},
        {"agreement": factories.agreement(retention_days=1)},
    ],
)
def test_a_gateway_that_tells_another_story_is_found_out(changes: dict[str, object]) -> None:
    assert code_of(lambda: check_history(history(**changes), FEDERATION, NOW)) == "agreement-history-wrong"


@pytest.mark.parametrize("place", range(5))
def test_no_act_can_be_left_out(place: int) -> None:
    assert code_of(lambda: check_history(history(place), FEDERATION, NOW)) == "agreement-history-wrong"


def test_no_act_that_did_not_count_can_be_told() -> None:
    told = history()
    review = an_act(AGREED, Act.REVIEW, CCIB, previous=told.view.head)
    entry = told.acts[-1].model_copy(update={"act": review, "document": signed_act(review, KEYS[CCIB])})
    more = told.model_copy(update={"acts": (*told.acts, entry)})

    assert code_of(lambda: check_history(more, FEDERATION, NOW)) == "agreement-history-wrong"


def test_what_nobody_did_anything_to_yet_is_a_draft() -> None:
    blank = AgreementView(
        agreement=AGREED, digest=digest_of(AGREED), document="", signed_by=(), state=AgreementState.DRAFT
    )

    assert check_history(AgreementHistory(view=blank, acts=()), FEDERATION, NOW).state is None
