"""A table keeps the name of its dataset."""

import pytest

from contracts.contract_tables import check_one_dataset
from contracts.errors import Refused
from tests.factories import contract

pytestmark = pytest.mark.unit

KNOWN = contract()


@pytest.mark.parametrize("table", [KNOWN.table, KNOWN.table.upper()])
def test_a_known_table_under_another_dataset_is_refused(table: str) -> None:
    with pytest.raises(Refused, match="dataset-renamed") as caught:
        check_one_dataset([KNOWN], KNOWN.model_copy(update={"id": "another_set", "table": table}))
    assert caught.value.details == {"contract": "another_set", "known": KNOWN.id, "table": table}


@pytest.mark.parametrize(
    "terms", [{"version": "9.0.0"}, {"id": "another_set", "table": "other"}, {"id": "another_set", "source": "ccib/b"}]
)
def test_another_version_table_or_source_is_not(terms: dict[str, str]) -> None:
    check_one_dataset([KNOWN], KNOWN.model_copy(update=terms))
