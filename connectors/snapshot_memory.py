"""Which memory of rows a snapshot has: a series goes on only with a memory that grew out of the one it counted by."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from connectors import snapshot_schema as schema
from connectors.snapshot import opened_for
from contracts.dataset import DatasetContract
from contracts.errors import Unavailable


class Memory(NamedTuple):
    """The number of a snapshot of a dataset, and the token of each version that it went through to be that one."""

    data_version: int
    lineage: Mapping[int, str]


def memory_of(path: Path, contract: DatasetContract) -> Memory:
    """Which memory answers of a series would be counted by now.

    Raises:
        Unavailable: ``snapshot-missing``, also for one without a token, until its next refresh.
        IntegrityError: ``snapshot-damaged``.
    """
    with opened_for(path, contract.id, schema.layout_of(contract)) as found:
        version, lineage = found.data_version, found.lineage
    if version not in lineage:
        raise Unavailable("snapshot-missing", contract=contract.id)
    return Memory(version, lineage)
