"""Invitations that nobody used yet: who may see them, and how one is cancelled, so that its link opens nothing."""

from typing import Final

from contracts.errors import Refused
from contracts.people import OpenInvitation
from gateway.means import Means
from gateway.people import records
from gateway.people.accounts import standing_of
from gateway.people.roles import Giver, Standing, check_change
from gateway.store import log, people
from gateway.store.engine import Reading
from gateway.store.people import Invitation, Person

NAMED_BY: Final = 16
"""How much of the digest of its secret names an invitation: enough to tell two apart, of no use to open one."""


def everything(means: Means, giver: Giver, agency: str) -> tuple[OpenInvitation, ...]:
    """An agency's open invitations, soonest end first: its own people see all, an operator those that he gave."""
    with means.store.read() as r:
        return tuple(_view(each) for each in _seen(r, means, giver, agency))


def cancel(means: Means, giver: Giver, agency: str, name: str) -> None:
    """Cancel an invitation; the log tells.

    Raises:
        Refused: ``invitation-invalid`` when there is none to be seen; ``role-not-given``.
        InvalidInput: ``unknown-agency``.
    """
    with means.store.transaction() as t:
        standing = standing_of(t, means, agency)
        found = next((each for each in _seen(t, means, giver, agency) if _name_of(each) == name), None)
        if found is None:
            raise Refused("invitation-invalid")
        _check_cancels(giver, found, standing)
        if not people.cancel_invitation(t, found.token_hash):
            raise Refused("invitation-invalid")
        guest, roles = found.person or found.token_hash, ",".join(sorted(found.roles))
        person, now = Person(guest, agency, found.name, found.roles), means.clock()
        log.append(t, records.role_changed("invitation-cancelled", roles, person, giver, now, means.entropy))


def _check_cancels(giver: Giver, found: Invitation, standing: Standing) -> None:
    """Whoever may take every role of an invitation may cancel it; also one into the own account."""
    for role in sorted(found.roles):
        check_change(giver, role, None, standing, taking=True)


def _seen(r: Reading, means: Means, giver: Giver, agency: str) -> tuple[Invitation, ...]:
    found = people.open_invitations(r, agency, means.clock())
    return tuple(each for each in found if giver.agency in {agency, each.giver})


def _name_of(given: Invitation) -> str:
    return f"inv-{given.token_hash[:NAMED_BY]}"


def _view(given: Invitation) -> OpenInvitation:
    return OpenInvitation(
        id=_name_of(given),
        agency=given.agency,
        name=given.name,
        roles=tuple(sorted(given.roles)),
        person=given.person,
        by=given.giver,
        expires_at=given.expires_at,
    )
