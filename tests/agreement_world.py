"""Acts on agreements for tests: signed by real keys, each naming the one before it."""

from collections.abc import Iterable
from datetime import datetime

from contracts.agreement import Agreement
from contracts.agreement_acts import signed_act
from contracts.canonical import canonical_bytes, digest_of
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementAct, Because, SignedAct
from contracts.signing import sign_document
from gateway.store.agreement_acts import HeldAct
from tests import factories
from tests.factories import NOW, Keys

NEEDS_REASON = {Act.REJECT, Act.SUSPEND, Act.REVOKE}


def an_act(agreement: Agreement, act: Act, kid: str, /, **changes: object) -> AgreementAct:
    """An act of a key's owner on a version, now, with a reason where it takes one."""
    fields: dict[str, object] = {
        "agreement": agreement.id,
        "version": agreement.version,
        "digest": digest_of(agreement),
        "act": act,
        "agency": kid.partition("#")[0],
        "at": NOW,
        "because": Because.OTHER if act in NEEDS_REASON else None,
        **changes,
    }
    return AgreementAct.model_validate(fields)


def held_act(keys: Keys, act: AgreementAct, kid: str) -> HeldAct:
    """An act as it is kept: verified, with its document."""
    purpose = KeyPurpose(kid.partition("#")[2].rpartition("-")[0])
    return HeldAct(SignedAct(act=act, kid=kid, purpose=purpose), signed_act(act, keys[kid]))


def chain(keys: Keys, agreement: Agreement, done: Iterable[tuple[Act, str]], at: datetime = NOW) -> list[HeldAct]:
    """Several acts on a version, each naming the one before."""
    acts: list[HeldAct] = []
    for act, kid in done:
        previous = digest_of(acts[-1].signed.act) if acts else None
        acts.append(held_act(keys, an_act(agreement, act, kid, at=at, previous=previous), kid))
    return acts


def until_active(agreement: Agreement) -> list[tuple[Act, str]]:
    """Who does what until an agreement is in force."""
    signer, *providers = factories.signers_of(agreement)
    return [
        (Act.SUBMIT, agreement.drafted_by),
        *((Act.APPROVE, kid) for kid in providers),
        (Act.SIGN, signer),
        (Act.ACTIVATE, f"{factories.OPERATOR}#gateway-1"),
    ]


def text_signed(keys: Keys, agreement: Agreement, *kids: str) -> str:
    """The text of an agreement under some signatures, or under all that it needs."""
    signers = [keys[kid] for kid in kids or factories.signers_of(agreement)]
    return sign_document(canonical_bytes(agreement), "agreement", *signers)
