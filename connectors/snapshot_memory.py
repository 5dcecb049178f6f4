"""Which memory of rows a snapshot has: a series goes on only with the memory that it began with."""

from pathlib import Path
from typing import Final, NamedTuple

from connectors import snapshot_schema as schema
from connectors.snapshot import opened_for
from contracts.dataset import DatasetContract

_MEMORY: Final = "SELECT memory FROM saphan_series WHERE dataset = $1"


class Memory(NamedTuple):
    """Which memory a snapshot has of a dataset, and the number of the snapshot."""

    name: str
    data_version: int


def memory_of(path: Path, contract: DatasetContract) -> Memory:
    """Which memory answers of a series would be counted by now.

    Raises:
        Unavailable: ``snapshot-missing``.
        IntegrityError: ``snapshot-damaged``.
    """
    with opened_for(path, contract.id, schema.layout_of(contract)) as (connection, version):
        found = connection.execute(_MEMORY, [contract.id]).fetchall()
    ((name,),) = found
    return Memory(str(name), version)
