"""The dataset contracts of this agency: its files, and those that it approved, read once each."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from connectors.journal.book import Journal
from contracts.dataset import DatasetContract
from contracts.odcs import SUFFIX, canonical_document, contract_from_document, read_contract


@dataclass(frozen=True, slots=True)
class WrittenContract:
    """A contract with the canonical bytes of its document: what is signed, approved and digested."""

    contract: DatasetContract
    document: bytes


@dataclass(frozen=True, slots=True)
class Shelf:
    """The approved contracts. Whether one is approved is asked of the journal each time; its text never changes."""

    journal: Journal
    _read: dict[str, DatasetContract] = field(default_factory=dict)

    def approved(self, digest: str) -> DatasetContract | None:
        """The contract of that digest if it stands on the agency's own list now."""
        if not self.journal.lists(digest):
            return None
        if digest not in self._read and (approval := self.journal.known(digest)) is not None:
            self._read[digest] = contract_from_document(json.loads(approval.document))
        return self._read.get(digest)


def read_file(path: Path) -> WrittenContract:
    """The contract that an ODCS file writes.

    Raises:
        InvalidInput: ``contract-invalid``.
    """
    text = path.read_text(encoding="utf-8")
    return WrittenContract(read_contract(text), canonical_document(text))


def read_folder(folder: Path) -> Iterator[WrittenContract]:
    """The contracts of a folder, by file name."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        yield read_file(path)
