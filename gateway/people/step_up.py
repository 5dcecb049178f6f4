"""Step-up: before something is approved, its approver proves anew who he is, for the digest of exactly that thing.

What was proven is good for five minutes, in the session that proved it, once, and only together with a name of its own
that the browser sends to nobody but this site's own pages (SameSite=Strict).
"""

from datetime import datetime, timedelta
from typing import Final

from contracts.errors import Refused
from gateway.means import Means
from gateway.people import passkeys
from gateway.people.passkeys import Asked, Credential
from gateway.people.secret_names import kept, new_secret
from gateway.people.sessions import SignedIn
from gateway.store import people, people_sessions
from gateway.store.engine import Transaction

FRESH: Final = timedelta(minutes=5)
STEP_UP: Final = "step-up"


def options(means: Means, signed_in: SignedIn, digest: str) -> str:
    """What the browser needs to ask for one of this person's passkeys, as JSON.

    Raises:
        Refused: ``step-up-missing``, when the person has none; then the login provider confirms.
    """
    with means.store.read() as r:
        known = people.passkeys_of(r, signed_in.person.id)
    if not known:
        raise Refused("step-up-missing")
    return passkeys.ask_options(means, Asked(STEP_UP, signed_in.session.id_hash, digest), known)


def confirm(means: Means, signed_in: SignedIn, credential: Credential) -> str:
    """Keep that this person confirmed what the challenge was about; give the name of the step for its cookie.

    Raises:
        Refused: ``sign-in-refused``, also when it is somebody else's passkey.
    """
    challenge, digest = passkeys.taken(means, Asked(STEP_UP, signed_in.session.id_hash), credential)
    with means.store.transaction() as t:
        if passkeys.proven(t, means, challenge, credential).id != signed_in.person.id:
            raise Refused("sign-in-refused")
        return keep(t, means, signed_in, digest)


def keep(t: Transaction, means: Means, signed_in: SignedIn, digest: str) -> str:
    """Keep that a digest was confirmed just now in this session; give the name of the step."""
    secret = new_secret(means.entropy)
    people_sessions.confirm(t, kept(secret), signed_in.session.id_hash, digest, means.clock())
    return secret


def check(means: Means, signed_in: SignedIn, secret: str | None, digest: str) -> None:
    """Use up the step by which this person confirmed exactly this.

    Raises:
        Refused: ``step-up-missing``.
    """
    with means.store.transaction() as t:
        at = people_sessions.use_confirmed(t, kept(secret or ""), signed_in.session.id_hash, digest)
    if at is None or not is_fresh(at, means.clock()):
        raise Refused("step-up-missing")


def is_fresh(at: datetime, now: datetime) -> bool:
    """Whether something proven at an instant is young enough to approve by."""
    return timedelta(0) <= now - at <= FRESH
