"""Who may move an agreement on? Decided by ``acts.cedar``, beside the table of what an act means in each state."""

from collections.abc import Iterable

from contracts.agreement import Agreement
from contracts.federation import KeyPurpose
from contracts.lifecycle import Act, AgreementState
from contracts.suspension import Suspended
from policies.rules import ACTS, Entity, Question, Rules, installed


def denied_act(  # noqa: PLR0913  # who, by which key, does what, to what, as things stand: each is a fact of its own
    *,
    act: Act,
    agency: str,
    kid: str,
    purpose: KeyPurpose,
    agreement: Agreement,
    state: AgreementState,
    drafters: frozenset[str],
    suspended: Suspended,
    rules: Rules | None = None,
) -> tuple[str, ...]:
    """Every rule that says no to an act on an agreement, as sorted error codes; none is permission.

    Args:
        act: What is done.
        agency: The owner of the key that signed the act.
        kid: That key.
        purpose: What that key may sign.
        agreement: The version acted upon.
        state: Where it stands before the act.
        drafters: The keys that drafted or countered this version, beside its ``drafted_by``.
        suspended: What stands suspended.
        rules: The rules to decide by; those of this program unless given.
    """
    rules = rules or installed()
    drafted = sorted({agreement.drafted_by, *drafters})
    entities = [
        _key(kid, agency, purpose, suspended=suspended.covers(agency)),
        {
            "uid": _uid("Agreement", agreement.id),
            "attrs": {
                "requester": _ref("Agency", agreement.requester),
                "providers": _refs("Agency", agreement.providers),
                "drafters": _refs("Key", drafted),
                "state": _ref("State", state.value),
                "lacksDecision": any(
                    each.needs_policy_decision and each.policy_decision is None for each in agreement.activities
                ),
            },
            "parents": [],
        },
    ]
    question: Question = {
        "principal": _uid("Key", kid),
        "action": _uid("Action", act.value),
        "resource": _uid("Agreement", agreement.id),
        "context": {},
    }
    return tuple(sorted(rules.denials(ACTS, [question], rules.entities(entities), "not-allowed")))


def _key(kid: str, agency: str, purpose: KeyPurpose, *, suspended: bool) -> Entity:
    attrs = {"agency": _ref("Agency", agency), "kind": _ref("KeyKind", purpose.value), "suspended": suspended}
    return {"uid": _uid("Key", kid), "attrs": attrs, "parents": []}


def _refs(kind: str, names: Iterable[str]) -> list[object]:
    return [_ref(kind, name) for name in names]


def _ref(kind: str, name: str) -> dict[str, object]:
    return {"__entity": _uid(kind, name)}


def _uid(kind: str, name: str) -> dict[str, str]:
    return {"type": kind, "id": name}
