"""A table has one dataset: under a second name its contract would be compared with no version before it."""

from collections.abc import Iterable

from contracts.dataset import DatasetContract
from contracts.errors import Refused


def check_one_dataset(known: Iterable[DatasetContract], contract: DatasetContract) -> None:
    """Refuse a contract whose source and table are known under another dataset alone.

    Args:
        known: Every contract that was ever published or approved, retired or not.
        contract: The contract that is to be.

    Raises:
        Refused: ``dataset-renamed``.
    """
    names = {each.id for each in known if _place(each) == _place(contract)}
    if names and contract.id not in names:
        raise Refused("dataset-renamed", contract=contract.id, known=min(names), table=contract.table)


def _place(contract: DatasetContract) -> tuple[str, str]:
    """Databases read the name of a table in any case."""
    return contract.source, contract.table.casefold()
