"""The warnings that the public page reads from the records."""

import pytest

from gateway.public_record import PublishedRecord
from tests import factories
from tests.gateway_world import CONTRACT, World, new_world
from tests.publication_world import analysis_from, cites, publish_analysis, released, withdraw

pytestmark = pytest.mark.integration

PRIVATE = factories.agreement((CONTRACT,), activities=(factories.activity((CONTRACT,), publish=False),))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_the_page_reads_the_newest_public_warnings_and_whether_they_are_flagged(world: World) -> None:
    record, release = PublishedRecord(world.exchange.means), released(world)
    before = record.latest_warnings()
    publish_analysis(world, analysis_from(cites(release)))
    published = record.latest_warnings()
    withdraw(world, release)
    withdrawn = record.latest_warnings()

    assert before is None
    assert published is not None
    assert withdrawn is not None
    assert (published.flagged, withdrawn.flagged) == ((), (release.body.id,))


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_warnings_that_not_everybody_may_read_are_on_no_page(store_url: str) -> None:
    world = new_world(store_url, agreement=PRIVATE)
    cited = cites(released(world, factories.request(PRIVATE)))
    publish_analysis(world, analysis_from(cited, public=False))

    assert PublishedRecord(world.exchange.means).latest_warnings() is None
    world.store.close()
