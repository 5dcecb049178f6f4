"""Who may give which role, which roles exclude each other, and what each role may see and do: tables of data. Pure.

Nobody gives a role to himself. Where an act needs two people, no one person has both roles: whoever publishes a dataset
as its steward is not its data protection officer, and whoever runs the gateway does not audit it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from contracts.errors import Refused
from contracts.federation import KeyPurpose, PublicKey
from contracts.people import PersonRole

R = PersonRole


class May(StrEnum):
    """What a page shows or does; each belongs to the person's own agency unless it says otherwise."""

    OWN_ACCOUNT = "own-account"
    READ_AGREEMENTS = "read-agreements"
    ACT_ON_AGREEMENTS = "act-on-agreements"
    REQUEST_KEYS = "request-keys"
    MANAGE_PEOPLE = "manage-people"
    INVITE_FIRST_STEWARDS = "invite-first-stewards"
    READ_SIGN_INS = "read-sign-ins"
    READ_REGISTERS = "read-registers"


MAY: Final[Mapping[PersonRole, frozenset[May]]] = {
    R.STEWARD: frozenset(
        {May.OWN_ACCOUNT, May.READ_AGREEMENTS, May.REQUEST_KEYS, May.MANAGE_PEOPLE, May.READ_SIGN_INS}
    ),
    R.DPO: frozenset(
        {
            May.OWN_ACCOUNT,
            May.READ_AGREEMENTS,
            May.ACT_ON_AGREEMENTS,
            May.REQUEST_KEYS,
            May.READ_SIGN_INS,
            May.READ_REGISTERS,
        }
    ),
    R.OFFICER: frozenset({May.OWN_ACCOUNT, May.READ_AGREEMENTS, May.ACT_ON_AGREEMENTS, May.REQUEST_KEYS}),
    R.ANALYST: frozenset({May.OWN_ACCOUNT, May.READ_AGREEMENTS}),
    R.REVIEWER: frozenset({May.OWN_ACCOUNT, May.READ_AGREEMENTS}),
    R.AUDITOR: frozenset({May.OWN_ACCOUNT, May.READ_AGREEMENTS, May.READ_SIGN_INS, May.READ_REGISTERS}),
    R.OPERATOR: frozenset({May.OWN_ACCOUNT, May.MANAGE_PEOPLE, May.INVITE_FIRST_STEWARDS}),
}
"""What each role may; what is not here it may not."""

GIVES: Final[Mapping[PersonRole, frozenset[PersonRole]]] = {
    R.STEWARD: frozenset({R.STEWARD, R.DPO, R.OFFICER, R.ANALYST, R.REVIEWER, R.AUDITOR}),
    R.OPERATOR: frozenset({R.OPERATOR, R.STEWARD}),
}
"""Which roles somebody gives and takes: a steward in the own agency, an operator as ``check_change`` says."""

APART: Final = (frozenset({R.STEWARD, R.DPO}), frozenset({R.OPERATOR, R.AUDITOR}))
"""Roles that no one person has together."""

NEVER_RECOVERED: Final = frozenset({R.DPO})
"""Roles whose holder gets no new link into the account: it is closed, and its owner invited anew, with new keys."""

SIGNS_AS: Final[Mapping[PersonRole, KeyPurpose]] = {
    R.OFFICER: KeyPurpose.OFFICER,
    R.DPO: KeyPurpose.DPO,
    R.STEWARD: KeyPurpose.STEWARD,
}
"""Which keys somebody may ask to have registered."""


@dataclass(frozen=True, slots=True)
class Giver:
    """Who gives or takes: a ``person``, or the ``key`` that signed an order, or neither at the gateway itself."""

    agency: str
    roles: frozenset[PersonRole]
    person: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An agency at the moment of a change: whether it is the operator's, and whether it ever had a steward."""

    agency: str
    is_operator: bool
    had_steward: bool


def may(roles: Iterable[PersonRole], what: May) -> bool:
    """Whether any of the roles may do it."""
    return any(what in MAY[role] for role in roles)


def check_may(roles: Iterable[PersonRole], what: May) -> None:
    """Refuse what none of the roles may.

    Raises:
        Refused: ``role-missing``.
    """
    if not may(roles, what):
        raise Refused("role-missing")


def check_change(giver: Giver, role: PersonRole, to: str | None, standing: Standing, *, taking: bool = False) -> None:
    """Refuse a role that this giver may not give to, or take from, somebody of an agency.

    Args:
        giver: Who changes it.
        role: Which role.
        to: The person, or none who is only invited.
        standing: The agency of the person.
        taking: Whether it is taken away, or the person signed out: an operator may do that to any steward.

    Raises:
        Refused: ``role-not-given``.
    """
    if giver.person is not None and giver.person == to:
        raise Refused("role-not-given", role=role.value, why="nobody changes his own roles")
    if role is R.OPERATOR and not standing.is_operator:
        raise Refused("role-not-given", role=role.value, why="operators belong to the gateway's operator")
    by_steward = R.STEWARD in giver.roles and giver.agency == standing.agency and role in GIVES[R.STEWARD]
    if not by_steward and not _operator_may(giver, role, standing, taking=taking):
        raise Refused("role-not-given", role=role.value, why="the giver's roles do not give it here")


def check_invited(giver: Giver, roles: frozenset[PersonRole], to: str | None, standing: Standing) -> None:
    """Refuse an invitation that this giver may not give: every role of it counts, also those an account has already.

    Args:
        giver: Who invites.
        roles: What the account will have, or has.
        to: Whose account gets a new way in, or none who has no account yet.
        standing: The agency of the person.

    Raises:
        Refused: ``role-not-given``.
    """
    check_together(roles)
    for role in sorted(roles):
        check_change(giver, role, to, standing)
        if to is not None and role in NEVER_RECOVERED:
            why = "such an account is closed and its owner invited anew"
            raise Refused("role-not-given", role=role.value, why=why)


def giver_by_key(key: PublicKey) -> Giver:
    """Whoever signed an order about people with a key: a steward, or else an operator."""
    role = R.STEWARD if key.purpose is KeyPurpose.STEWARD else R.OPERATOR
    return Giver(key.kid.partition("#")[0], frozenset({role}), key=key.kid)


def check_together(roles: frozenset[PersonRole]) -> None:
    """Refuse roles that one person must not have together.

    Raises:
        Refused: ``role-not-given``.
    """
    for pair in APART:
        if pair <= roles:
            names = " and ".join(sorted(role.value for role in pair))
            raise Refused("role-not-given", role=names, why="they belong to two people")


def _operator_may(giver: Giver, role: PersonRole, standing: Standing, *, taking: bool) -> bool:
    """An operator gives the operator's own role at home, and to each agency its first steward, once and for all.

    Else an operator could close every steward and put one of his own in their place. An agency that lost its last one
    helps itself by its steward's key, which only the registrar registers.
    """
    if R.OPERATOR not in giver.roles:
        return False
    return role is R.OPERATOR or (role is R.STEWARD and (taking or not standing.had_steward))
