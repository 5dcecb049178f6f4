"""What holds at the moment of a decision, as the gateway knows it."""

from datetime import datetime

from contracts.standing import Standing
from gateway.question import Asked
from gateway.store import contract_life
from gateway.store.engine import Reading


def standing_of(r: Reading, asked: Asked, now: datetime) -> Standing:  # noqa: ARG001  # suspensions and counts need it
    """The standing of a request's agreement and contracts at ``now``.

    Every register that can say no adds its line here; the policies turn each into a reason.
    """
    return Standing(
        agreement=asked.agreement.state,
        retired=contract_life.retired_among(r, {each.digest for each in asked.contracts}),
    )
