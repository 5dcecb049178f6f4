"""The source of a dataset is the key of its budget, and stays what it was first published as."""

import pytest

from contracts.dataset import DatasetContract
from contracts.errors import Refused
from contracts.odcs import bundled_text, canonical_document, read_contract
from contracts.signing import sign_document
from contracts.views import PublishedContract
from tests.gateway_world import CONTRACT, World

pytestmark = pytest.mark.integration

ODCS = bundled_text("dop_case")
DOP: DatasetContract = read_contract(ODCS)


def signed(world: World, text: str) -> PublishedContract:
    keys = (world.keys[kid] for kid in ("dop#steward-1", "dop#dpo-1"))
    document = sign_document(canonical_document(text), "contract", *keys)
    return PublishedContract(reference=read_contract(text).reference, agency="dop", document=document)


def test_a_later_version_names_the_source_of_all_versions_before_it(world: World) -> None:
    world.exchange.publish_contract(world.connector("dop"), signed(world, ODCS))
    newer = ODCS.replace(f"version: {DOP.version}", "version: 9.0.0")
    renamed = newer.replace("source: dop/probation", "source: dop/other")
    assert read_contract(renamed).source == "dop/other"

    with pytest.raises(Refused, match="source-renamed") as caught:
        world.exchange.publish_contract(world.connector("dop"), signed(world, renamed))
    world.exchange.publish_contract(world.connector("dop"), signed(world, newer))

    assert caught.value.details == {"contract": "dop_case", "source": "dop/other", "known": "dop/probation"}
    assert {line.source for line in world.exchange.budget(world.caller())} == {CONTRACT.source, DOP.source}


def test_a_table_is_not_published_again_under_another_dataset(world: World) -> None:
    world.exchange.publish_contract(world.connector("dop"), signed(world, ODCS))
    renamed = ODCS.replace("id: dop_case", "id: dop_case_b")
    assert (read_contract(renamed).id, read_contract(renamed).table) == ("dop_case_b", DOP.table)

    with pytest.raises(Refused, match="dataset-renamed") as caught:
        world.exchange.publish_contract(world.connector("dop"), signed(world, renamed))

    assert caught.value.details["known"] == "dop_case"
