"""What every form of the catalogue is made from: the contracts in force, who holds the data, and where it is asked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from contracts.dataset import DatasetContract, Text, Tier
from contracts.periods import next_month
from contracts.views import ReleaseSummary

OPEN: Final = "OPEN"
NAME: Final = Text(th="บัญชีข้อมูลกระบวนการยุติธรรม", en="Catalogue of justice datasets")
ABOUT: Final = Text(
    th="ชุดข้อมูลที่หน่วยงานในกระบวนการยุติธรรมเปิดให้ขอค่าสถิติที่คุ้มครองความเป็นส่วนตัวได้ตามข้อตกลง ข้อมูลระดับบุคคลไม่ออกจากหน่วยงาน",
    en="Datasets of which justice agencies let protected statistics be asked under an agreement. Rows never leave.",
)
MOST_RELEASES: Final = 12
"""Of one dataset; the interface lists all of them."""

MAIL_OF_NOBODY: Final = "not-given@invalid.invalid"
"""For a form that demands an address where the contract gives none (RFC 2606: it can belong to nobody)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One dataset: its newest contract that is not retired, its agency's name, and when it was published.

    ``releases`` are the newest public ones that were made from it, valid or not; who shows them says which are not.
    """

    contract: DatasetContract
    agency: Text
    published_at: datetime
    releases: tuple[ReleaseSummary, ...] = ()

    @property
    def about(self) -> Text:
        """What the dataset is, in both languages."""
        contract = self.contract
        names = " ".join(each.title.th for each in contract.dimensions)
        measures = " ".join(each.title.th for each in contract.measure_columns)
        added = f" และผลรวม ค่าเฉลี่ย หรือการกระจายของ{measures}" if measures else ""
        thai = f"ค่าสถิติจาก{contract.title.th}ของ{self.agency.th} จำนวนรายการ{added} จำแนกตาม{names}"
        return Text(th=thai, en=contract.about or contract.title.en)

    @property
    def is_open(self) -> bool:
        """Whether the dataset is open data, so that nobody needs an agreement to know it."""
        return self.contract.government.dga_level == OPEN

    @property
    def is_asked(self) -> bool:
        """Whether statistics of it may be asked."""
        return Tier.STATISTICS in self.contract.tiers

    @property
    def first_day(self) -> date:
        """The first day that may be asked."""
        return date.fromisoformat(f"{self.contract.first_month}-01")

    @property
    def last_day(self) -> date:
        """The first day that may not be asked any more."""
        return next_month(date.fromisoformat(f"{self.contract.last_month}-01"))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All entries, and whose gateway this is. ``base`` is its public address without a slash at the end."""

    base: str
    operator: str
    operator_title: Text
    entries: tuple[Entry, ...]

    def url(self, path: str) -> str:
        """An address of this gateway."""
        return f"{self.base}/{path}"

    def dataset_url(self, entry: Entry) -> str:
        """The name of a dataset on the web; it stays when the contract's version rises."""
        return self.url(f"catalogue/datasets/{entry.contract.agency}/{entry.contract.id}")


def entries_of(
    published: Iterable[tuple[DatasetContract, datetime]],
    retired: frozenset[str],
    titles: Mapping[str, Text],
    released: Iterable[ReleaseSummary] = (),
) -> tuple[Entry, ...]:
    """One entry for each dataset, by agency and name.

    Args:
        published: Every published contract with its instant.
        retired: The digests of those that were taken back.
        titles: The agencies' names; an agency that left the federation goes by its identifier.
        released: The public releases, newest first.
    """
    newest: dict[tuple[str, str], tuple[DatasetContract, datetime]] = {}
    of_digest = {}
    for contract, at in published:
        key = (contract.agency, contract.id)
        of_digest[contract.digest] = key
        is_newer = key not in newest or version_of(contract) > version_of(newest[key][0])
        if contract.digest not in retired and is_newer:
            newest[key] = (contract, at)
    shown = _newest_releases(released, of_digest)
    return tuple(
        Entry(contract, titles.get(key[0], Text(th=key[0], en=key[0])), at, tuple(shown.get(key, ())))
        for key, (contract, at) in sorted(newest.items(), key=lambda each: each[0])
    )


def _newest_releases(
    released: Iterable[ReleaseSummary], of_digest: Mapping[str, tuple[str, str]]
) -> dict[tuple[str, str], list[ReleaseSummary]]:
    shown: dict[tuple[str, str], list[ReleaseSummary]] = {}
    for each in released:
        for key in {of_digest[ref.digest] for ref in each.contracts if ref.digest in of_digest}:
            if len(shown.setdefault(key, [])) < MOST_RELEASES:
                shown[key].append(each)
    return shown


def version_of(contract: DatasetContract) -> tuple[int, ...]:
    """The version as numbers, so that 1.10.0 is newer than 1.9.0."""
    return tuple(int(part) for part in contract.version.split("."))
