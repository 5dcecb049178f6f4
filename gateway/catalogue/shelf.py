"""The catalogue as it stands in the store now."""

from contracts.dataset import Text
from gateway.catalogue.entry import Catalogue, entries_of
from gateway.means import Means
from gateway.store import contract_life, releases
from gateway.store.catalogue import contracts_with_instants


def catalogue_now(means: Means) -> Catalogue:
    """Every dataset of which a contract is in force, with its public releases."""
    now = means.clock()
    titles = {each.agency: each.title for each in means.federation.members}
    with means.store.read() as r:
        published = contracts_with_instants(r)
        retired = contract_life.retired_among(r, {contract.digest for contract, _ in published})
        released = releases.summaries(r, None, now)
    operator = means.federation.operator
    return Catalogue(
        base=means.settings.issuer.rstrip("/"),
        operator=operator,
        operator_title=titles.get(operator, Text(th=operator, en=operator)),
        entries=entries_of(published, retired, titles, released),
    )
