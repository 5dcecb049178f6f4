"""A table that an agency once approved keeps the name of its dataset."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from connectors.enrol import approve
from connectors.home import Home
from connectors.journal.book import Journal
from connectors.settings import ConnectorSettings
from contracts.errors import Refused
from tests.connector_world import contract_text
from tests.factories import NOW

pytestmark = pytest.mark.integration


def test_a_table_is_not_approved_again_under_another_dataset_even_if_the_first_was_retired(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    settings = ConnectorSettings(
        home=home.path, agency="ccib", gateway="http://localhost", source=SecretStr("sqlite:///a.db")
    )
    first, second = tmp_path / "first.odcs.yaml", tmp_path / "second.odcs.yaml"
    first.write_text(contract_text(), encoding="utf-8")
    second.write_text(contract_text().replace("id: tpo_complaint", "id: tpo_complaint_b"), encoding="utf-8")
    journal = Journal(home.journal)
    journal.retire(approve(home, journal, settings, str(first), NOW).digest, NOW)

    with pytest.raises(Refused, match="dataset-renamed") as caught:
        approve(home, journal, settings, str(second), NOW)

    assert caught.value.details["known"] == "tpo_complaint"
    assert journal.history("tpo_complaint_b") == ()
    journal.close()
