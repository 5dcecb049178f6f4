"""What other people's validators are given: the catalogue of all bundled contracts and a concluded agreement."""

from datetime import UTC, date, datetime

from contracts.canonical import digest_of
from contracts.dataset import Text
from contracts.odcs import bundled_ids, bundled_text, read_contract
from gateway.catalogue.dataspace import Concluded
from gateway.catalogue.entry import Catalogue, entries_of
from saphan.demo.agreement import agreement

BASE = "https://gateway.example"
AT = datetime(2026, 11, 21, tzinfo=UTC)


def catalogue() -> Catalogue:
    """Every bundled dataset, published now."""
    published = [(read_contract(bundled_text(name)), AT) for name in bundled_ids()]
    titles = {each.agency: Text(th=each.agency, en=each.agency) for each, _ in published}
    return Catalogue(BASE, "oja", titles["oja"], entries_of(published, frozenset(), titles))


def concluded() -> Concluded:
    """The demonstration's agreement, as if it had been signed now."""
    contracts = {name: read_contract(bundled_text(name)) for name in bundled_ids()}
    agreed = agreement({name: each.reference for name, each in contracts.items()}, date(2026, 11, 21))
    return Concluded(agreed, digest_of(agreed), AT, {each.digest: each.agency for each in contracts.values()})
