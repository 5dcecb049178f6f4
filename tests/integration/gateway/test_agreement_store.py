"""Agreements as rows: many are read at once, and those of before the two-person rule must be approved anew."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from alembic import command
from sqlalchemy import event, text

from contracts.canonical import digest_of
from contracts.lifecycle import Act, AgreementState
from gateway import agreements
from gateway.store import registry
from gateway.store.engine import Store, open_engine
from gateway.store.migrate import _config, has_drifted, upgrade  # one step back and forth
from gateway.store.registry import HeldAgreement
from tests import factories
from tests.agreement_parties import Parties
from tests.factories import NOW
from tests.gateway_world import CONTRACT, World

pytestmark = pytest.mark.integration

MANY = 60


def statements(store: Store, read: Callable[[], object]) -> int:
    """How many statements reading takes."""
    seen: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    read()
    return sum(each.startswith("SELECT") for each in seen)


def test_reading_many_agreements_takes_as_many_statements_as_reading_one(world: World) -> None:
    with world.store.transaction() as t:
        for number in range(MANY):
            agreed = factories.agreement((CONTRACT,), id=f"AGR-2569-{number + 100}")
            registry.add_agreement(t, HeldAgreement(agreed, digest_of(agreed), "", (), AgreementState.SUBMITTED), NOW)

    assert statements(world.store, lambda: agreements.everything(world.exchange.means, "oja")) == 1
    assert len(world.exchange.agreements()) == MANY + 1


def migrate(url: str, revision: str) -> None:
    engine = open_engine(url)
    with engine.connect() as connection:
        connection.execution_options(saphan_writes=True)
        with connection.begin():
            step = command.upgrade if revision == "head" else command.downgrade
            step(_config(connection), revision)
    engine.dispose()


def test_an_agreement_of_before_becomes_a_draft_that_its_parties_agree_anew(store_url: str) -> None:
    upgrade(store_url)
    migrate(store_url, "0001")
    agreed = factories.agreement((CONTRACT,), id="AGR-2568-001")
    row = {
        "digest": digest_of(agreed),
        "id": agreed.id,
        "version": 1,
        "terms": agreed.model_dump_json(by_alias=True),
        "document": "{}",
        "active": True,
        "proposed_at": int(datetime(2025, 11, 1, tzinfo=UTC).timestamp() * 1e6),
    }
    engine = open_engine(store_url)
    with engine.connect() as connection, connection.begin():
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO agreements ({names}) VALUES ({values})"), row)  # noqa: S608  # no values
        connection.execute(text("INSERT INTO agreement_parties VALUES (:digest, 'oja', NULL)"), row)
    engine.dispose()

    migrate(store_url, "head")

    assert not has_drifted(store_url)
    world = World(Store(store_url), factories.federation())
    world.register((CONTRACT,), factories.agreement((CONTRACT,)))
    parties = Parties(world, agreed.id)
    held = parties.view()
    assert (held.state, held.signed_by, held.document) == (AgreementState.DRAFT, (), "")
    assert parties.act(Act.SUBMIT, "oja#officer-1").state is AgreementState.SUBMITTED
    assert parties.agree().active
    world.store.close()


def test_the_migration_goes_back_and_forth(store_url: str) -> None:
    upgrade(store_url)
    migrate(store_url, "0001")
    migrate(store_url, "head")

    assert not has_drifted(store_url)


def test_the_name_of_an_agreement_means_what_is_in_force_then_what_is_suspended_then_the_newest(world: World) -> None:
    states = [AgreementState.DRAFT, AgreementState.SUBMITTED, AgreementState.SUSPENDED, AgreementState.ACTIVE]
    for version, state in zip((4, 3, 2, 1), states, strict=True):
        agreed = factories.agreement((CONTRACT,), id="AGR-2569-050", version=version)
        with world.store.transaction() as t:
            registry.add_agreement(t, HeldAgreement(agreed, digest_of(agreed), "", (), state), NOW)
            meant = registry.agreement(t, "AGR-2569-050")
        assert meant is not None
        assert meant.state is state
        if state is not AgreementState.DRAFT:
            assert world.exchange.agreement("AGR-2569-050").state is state
