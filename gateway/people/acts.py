"""Acts on agreements from a page: signed in the browser by the person's own key, after a step-up for exactly this act.

The gateway sees signature and public key and treats the act as it treats one that a connector or a command sends.
"""

from contracts.agreement_acts import read_act
from contracts.canonical import digest_of
from contracts.errors import Refused
from contracts.views import AgreementView
from gateway import agreements
from gateway.caller import Caller
from gateway.means import Means
from gateway.people import own_keys, step_up
from gateway.people.roles import May, check_may
from gateway.people.secret_names import new_secret
from gateway.people.sessions import SignedIn


def act(
    means: Means, signed_in: SignedIn, step: str | None, documents: tuple[str, str | None], agreement: str
) -> AgreementView:
    """Bring an act that this person signed and confirmed.

    Args:
        means: The gateway's surroundings.
        signed_in: Who brings it.
        step: The name of the step-up.
        documents: The signed act; for ``approve`` and ``sign`` the agreement's text under the same key's signature.
        agreement: The agreement's identifier.

    Raises:
        Refused: ``role-missing``; ``key-not-yours`` when another person's key signed; ``step-up-missing`` when another
            act, or none, was confirmed; whatever ``agreements.act`` refuses.
        InvalidInput: As ``agreements.act``.
    """
    check_may(signed_in.person.roles, May.ACT_ON_AGREEMENTS)
    signed = read_act(documents[0], means.federation, means.clock())
    mine = {each.registered.kid for each in own_keys.keys_of(means, signed_in.person) if each.registered}
    if signed.kid not in mine or signed.purpose not in own_keys.purposes_of(signed_in.person):
        raise Refused("key-not-yours", kid=signed.kid)
    step_up.check(means, signed_in, step, digest_of(signed.act))
    caller = Caller(signed_in.person.agency, signed.kid, signed.purpose, new_secret(means.entropy))
    return agreements.act(means, caller, agreement, *documents)
