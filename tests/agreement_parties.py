"""The people who act on an agreement, around a gateway over a real store."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from contracts.agreement import Agreement
from contracts.agreement_acts import SIGNS_THE_TEXT, AgreementProposal, signed_act
from contracts.canonical import canonical_bytes
from contracts.errors import SaphanError
from contracts.lifecycle import Act, AgreementAct
from contracts.views import AgreementView
from gateway import agreements
from gateway.caller import Caller
from gateway.store import agreement_acts, registry
from tests import factories
from tests.agreement_world import an_act, text_signed
from tests.gateway_world import World


@dataclass(frozen=True, slots=True)
class Parties:
    """The people around a gateway who act on one agreement, each act naming what its version came to before."""

    world: World
    name: str

    def view(self, agency: str = "oja", version: int | None = None) -> AgreementView:
        """A version as an agency sees it: the given one, or the newest."""
        seen = agreements.versions(self.world.exchange.means, agency, self.name)
        return next((each for each in seen if each.agreement.version == version), seen[-1])

    def put(self, agreed: Agreement, act: Act, **changes: object) -> AgreementView:
        """Put a version forward under its drafter's key."""
        kid = str(changes.pop("kid", agreed.drafted_by))
        made = an_act(agreed, act, kid, **({"at": self.world.now} | changes))
        return self.send(agreed, made, kid)

    def send(self, agreed: Agreement, act: AgreementAct, kid: str) -> AgreementView:
        """Send a version with its first act."""
        text = canonical_bytes(agreed).decode()
        proposal = AgreementProposal(agreement=text, act=signed_act(act, self.world.keys[kid]))
        return agreements.propose(self.world.exchange.means, self.caller(kid), proposal)

    def act(self, act: Act, kid: str, version: int | None = None, **changes: object) -> AgreementView:
        """Do something to a version; ``text`` replaces the signed text that goes with approving and signing."""
        view = self.view("oja", version)
        text = changes.pop("text", None)
        made = an_act(view.agreement, act, kid, **({"at": self.world.now, "previous": view.head} | changes))
        if text is None and act in SIGNS_THE_TEXT:
            text = text_signed(self.world.keys, view.agreement, kid)
        document = signed_act(made, self.world.keys[kid])
        signed_text = str(text) if text else None
        return agreements.act(self.world.exchange.means, self.caller(kid), self.name, document, signed_text)

    def agree(self, version: int | None = None) -> AgreementView:
        """Let the providers approve and the requester sign."""
        signer, *providers = factories.signers_of(self.view("oja", version).agreement)
        for kid in providers:
            self.act(Act.APPROVE, kid, version)
        return self.act(Act.SIGN, signer, version)

    def caller(self, kid: str) -> Caller:
        """A fresh call of a key's owner by its machine's key."""
        agency = kid.partition("#")[0]
        return self.world.caller() if agency == "oja" else self.world.connector(agency)


def refusal(call: Callable[[], object]) -> SaphanError:
    """The error that a call ends in."""
    with pytest.raises(SaphanError) as caught:
        call()
    return caught.value


def stored(world: World) -> tuple[int, int, int]:
    """How many agreements, acts and entries of the log there are."""
    with world.store.read() as r:
        held = registry.all_agreements(r)
        acts = sum(len(agreement_acts.acts_of(r, each.agreement)) for each in held)
    return len(held), acts, len(world.log())


def forget(world: World, name: str) -> None:
    """Take an agreement away again, so that the next test finds none of that name."""
    with world.store.transaction() as t:
        for held in registry.agreement_versions(t, name):
            registry.discard_draft(t, held.digest)
            agreement_acts.discard_acts(t, held.agreement)
