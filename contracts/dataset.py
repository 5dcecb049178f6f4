"""The dataset contract: what one agency allows to be asked of one dataset.

A contract is written as an ODCS 3.2 document with our extras (``contracts.odcs`` reads one); this is the part that
the machines execute. ``digest`` is that of the whole document, so nothing in it can change unnoticed.
"""

from enum import StrEnum

from pydantic import Field

from contracts.identifiers import (
    LARGEST_NANO_RHO,
    AgencyId,
    Code,
    DatasetId,
    Delta,
    Digest,
    MeasureName,
    Name,
    NanoRho,
    SourceId,
    Version,
)
from contracts.measures import COUNT, PEOPLE, Kind, measure_of
from contracts.remembered import remembered
from contracts.values import Value


class ProtectAt(StrEnum):
    """Where the noise is added: at the trusted centre, or inside the agency."""

    GATEWAY = "gateway"
    CONNECTOR = "connector"


class Tier(StrEnum):
    """How a release leaves; only ``statistics`` has its machinery today."""

    STATISTICS = "statistics"
    MICRODATA = "microdata"
    FEED = "feed"
    LOOKUP = "lookup"


class Grain(StrEnum):
    """What a timestamp is reduced to, in Bangkok time; ``year`` is the fiscal year, ``week`` the ISO week."""

    YEAR = "year"
    MONTH = "month"
    WEEK = "week"
    WEEKDAY = "weekday"
    HOUR = "hour"


class Text(Value):
    """A text in both languages of the federation."""

    th: str
    en: str


class Dimension(Value):
    """Something that a question may group or filter by.

    ``column`` is the source's column that it is derived from. A time dimension has a ``grain``; every other one has a
    public key set, ``values``, which comes from a code list and never from the data. ``via`` names the code list that
    maps the column's codes to ``values`` (an offence to its group, an age to its band).
    """

    name: Name
    title: Text
    column: Name
    grain: Grain | None = None
    code_list: Name | None = None
    via: Name | None = None
    values: tuple[Code, ...] = ()


class MeasureColumn(Value):
    """A column that may be summed or averaged: whole units, each row's value clamped to ``clamp`` (low, high).

    ``clamps`` gives a clamp of its own to each code of the column ``clamp_by``; they lie inside ``clamp``, which is for
    every other code.
    """

    column: Name
    title: Text
    kinds: tuple[str, ...]
    clamp: tuple[int, int]
    unit: str
    clamp_by: Name | None = None
    clamps: dict[Code, tuple[int, int]] = Field(default_factory=dict)
    bins: tuple[int, ...] = ()
    """The edges of a histogram, ascending: ``[b0, b1), [b1, b2), ...``; all below and all above are bins, too."""

    per: tuple[Name, ...] = ()
    """Columns whose sum this one's may be divided by."""


class Shape(Value):
    """How one person's rows may be spread in one fiscal year.

    A cell is a combination of labels of the dimensions ``by``. At most ``rows`` of a person's rows count in one cell,
    in at most ``cells`` cells.
    """

    by: tuple[Name, ...] = Field(min_length=1, max_length=4)
    rows: int = Field(ge=1, le=1000)
    cells: int = Field(ge=1, le=1000)


class ProtectedUnit(Value):
    """Whom the promise protects, and how much one of them may contribute.

    ``person`` says who (victim, suspect, probationer); ``column`` holds the agency's own key for them and never leaves
    it; ``rows_per_window`` bounds the rows of one person in one fiscal year, ``shape`` where they may fall. Without a
    column every row is a person of its own, and the promise says so. ``others`` names who else stands in the rows and
    is not protected by the bound, such as the holder of an account in a victim's complaint.
    """

    person: Text
    column: Name | None
    rows_per_window: int = Field(ge=1, le=1000)
    shape: Shape | None = None
    others: tuple[Text, ...] = ()

    @property
    def most_rows(self) -> int:
        """The most rows of one person that count in one fiscal year."""
        return (
            self.rows_per_window
            if self.shape is None
            else min(self.rows_per_window, self.shape.rows * self.shape.cells)
        )


class PrivacyTerms(Value):
    """How answers are protected and what a fiscal year may cost.

    ``nano_rho_per_window`` is the budget of zCDP of one fiscal year, over all requesters; ``delta`` is the decimal
    string at which epsilon is shown.
    """

    protect_at: ProtectAt
    nano_rho_per_window: NanoRho = Field(gt=0, le=LARGEST_NANO_RHO)
    delta: Delta


class PdpaTerms(Value):
    """The dataset under the Personal Data Protection Act B.E. 2562.

    ``section26`` lists why it is sensitive; ``exemption`` is the paragraph of section 4 that exempts the agency itself.
    """

    classification: str
    section26: tuple[str, ...] = ()
    exemption: str | None = None


class GovernmentTerms(Value):
    """``oia24``: the paragraph of Official Information Act s. 24; ``dga_level``: code of list data_classification."""

    oia24: str
    dga_level: Code


class Contact(Value):
    """Who answers for the dataset: ``role`` as in the document's team, ``name`` an office, never a private person."""

    role: str
    name: str


class Pilot(Value):
    """The part of the country that takes part so far: rows whose ``column`` holds another code are not imported."""

    column: Name
    codes: tuple[Code, ...] = Field(min_length=1)


class FeedRows(Value):
    """The only rows that a feed may carry, in a dataset about people: those whose ``column`` holds one of the codes."""

    column: Name
    codes: tuple[Code, ...] = Field(min_length=1)


class CatalogueTerms(Value):
    """What the national data catalogue (GD Catalog) asks for, in its own Thai terms."""

    data_type: str
    objective: str
    geo_coverage: str
    data_category: str
    update_frequency: str
    licence: str


class DatasetContract(Value):
    """What one agency allows to be asked of one dataset. Versioned and immutable."""

    id: DatasetId
    version: Version
    digest: Digest
    agency: AgencyId
    source: SourceId
    title: Text
    table: Name
    row_key: Name
    event_time: Name
    unit: ProtectedUnit
    dimensions: tuple[Dimension, ...]
    measure_columns: tuple[MeasureColumn, ...] = ()
    max_dimensions: int = Field(ge=1, le=6)
    first_month: str = Field(pattern=r"^\d{4}-\d{2}$")
    last_month: str = Field(pattern=r"^\d{4}-\d{2}$")
    purposes: tuple[Code, ...]
    legal_basis: tuple[Code, ...]
    tiers: tuple[Tier, ...]
    privacy: PrivacyTerms
    enforcement_values: dict[Name, tuple[Code, ...]] = Field(default_factory=dict)
    """Codes, by dimension, that count enforcement and not victimisation: never shown as risk."""

    disjoint_from: tuple[DatasetId, ...] = ()
    """Datasets that hold no person of this one: their questions do not add up."""

    pdpa: PdpaTerms = PdpaTerms(classification="sensitive")
    government: GovernmentTerms = GovernmentTerms(oia24="24(3)", dga_level="CONFIDENTIAL")
    retention_days: int = Field(default=3650, ge=1)
    """How long the agency keeps a row after its event."""

    contacts: tuple[Contact, ...] = ()
    email: str | None = None
    """Where questions about the dataset are answered."""

    about: str = ""
    """What the dataset is for, in English, as its document says."""

    keywords: tuple[str, ...] = ()
    pilot: Pilot | None = None
    feed_rows: FeedRows | None = None
    """None with the tier ``feed``: every row may leave, since nothing in the dataset is about a person."""

    catalogue: CatalogueTerms | None = None

    def dimension(self, name: str) -> Dimension | None:
        """The dimension of that name."""
        return next((each for each in self.dimensions if each.name == name), None)

    def measure_column(self, name: str) -> MeasureColumn | None:
        """The measurable column of that name."""
        return next((each for each in self.measure_columns if each.column == name), None)

    @property
    def measures(self) -> tuple[MeasureName, ...]:
        """Every measure that may be asked, but for shares: those of any coded dimension may be."""
        return _measures(self)

    def offers(self, measure: str) -> bool:
        """Whether a measure may be asked."""
        found = measure_of(measure)
        if found.kind is Kind.SHARE:
            dimension = self.dimension(found.column)
            return dimension is not None and dimension.grain is None
        return measure in self.measures

    @property
    def reference(self) -> "ContractRef":
        """The contract's name, version and digest, as documents cite it."""
        return _reference(self)


@remembered
def _reference(contract: DatasetContract) -> "ContractRef":
    return ContractRef(id=contract.id, version=contract.version, digest=contract.digest)


@remembered
def _measures(contract: DatasetContract) -> tuple[MeasureName, ...]:
    of_columns = (f"{each.column}:{kind}" for each in contract.measure_columns for kind in each.kinds)
    ratios = (f"{each.column}:per:{other}" for each in contract.measure_columns for other in each.per)
    people = () if contract.unit.column is None else (PEOPLE,)
    return (COUNT, *people, *of_columns, *ratios)


class ContractRef(Value):
    """A contract as other documents cite it: the digest decides, the rest is for people."""

    id: DatasetId
    version: Version
    digest: Digest
