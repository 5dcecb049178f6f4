"""Every contract that ever stood on the agency's list."""

import json

from sqlalchemy import select

from connectors.journal.book import Journal
from connectors.journal.tables import Approved
from contracts.dataset import DatasetContract
from contracts.odcs import contract_as_signed


def ever_approved(journal: Journal) -> tuple[DatasetContract, ...]:
    """The contracts of every dataset, retired ones too, oldest approval first."""
    with journal.transaction() as session:
        documents = session.scalars(select(Approved.document).order_by(Approved.approved_at)).all()
    return tuple(contract_as_signed(json.loads(each)) for each in documents)
