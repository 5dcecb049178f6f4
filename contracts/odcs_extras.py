"""Our extras in an ODCS document: custom properties with ``vendor: saphan``, each with one closed form.

``DOCUMENT``, ``TABLE`` and ``PROPERTY`` say which extras may stand where. An extra that is not listed there, and a key
that an extra does not know, are refused: a misspelt promise must not read as no promise.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from contracts.dataset import Grain, ProtectAt, Text, Tier
from contracts.identifiers import AgencyId, Code, DatasetId, Delta, Digest, Name, SourceId
from contracts.values import Value

Month = Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]


class Extra(Value):
    """The base of an extra: keys are written in camel case."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)


class FederationExtra(Extra):
    """Whose dataset it is, and the physical source to which its budget belongs."""

    agency: AgencyId
    source: SourceId


class ShapeExtra(Extra):
    """At most ``rows`` rows of one person in one cell of the dimensions ``by``, in at most ``cells`` cells."""

    by: tuple[Name, ...] = Field(min_length=1, max_length=4)
    rows: int = Field(ge=1, le=1000)
    cells: int = Field(ge=1, le=1000)


class UnitOfPrivacy(Extra):
    """Whom the promise protects; ``column`` null means that every row is a person of its own."""

    person: Text
    column: Name | None
    rows_per_window: int = Field(ge=1, le=1000)
    shape: ShapeExtra | None = None
    others: tuple[Text, ...] = ()


class DimensionExtra(Extra):
    """One dimension derived from the property it stands at.

    Its labels come from ``grain``, from ``codeList`` (through ``via``, if the column holds codes of another list), or,
    with neither, from the property's own ``enum``.
    """

    name: Name
    title: Text
    grain: Grain | None = None
    code_list: Name | None = None
    via: Name | None = None


class ClampBy(Extra):
    """A clamp of its own for each code that another property holds, such as the damage of each type of case."""

    column: Name
    clamps: dict[Code, tuple[int, int]] = Field(min_length=1)


class MeasureExtra(Extra):
    """How the property it stands at may be summed: each row's value is clamped to ``clamp`` (low, high) first.

    ``clampBy`` narrows the clamp for single codes of another property; ``clamp`` is for the others.
    """

    title: Text
    kinds: tuple[Literal["sum", "mean", "histogram", "median", "p10", "p25", "p75", "p90"], ...] = Field(min_length=1)
    clamp: tuple[int, int]
    unit: str = Field(min_length=1, max_length=16)
    clamp_by: ClampBy | None = None
    bins: tuple[int, ...] = Field(default=(), max_length=200)
    per: tuple[Name, ...] = ()


class PilotExtra(Extra):
    """The part of the country that takes part so far: rows whose ``column`` holds another code are not imported."""

    column: Name
    codes: tuple[Code, ...] = Field(min_length=1)


class FeedRowsExtra(Extra):
    """The rows of a dataset about people that are not personal themselves: those with one of these codes."""

    column: Name
    codes: tuple[Code, ...] = Field(min_length=1)


class ReleaseExtra(Extra):
    """In which tiers an answer may leave, and by how many dimensions at once.

    ``feedRows`` names the rows that a feed may carry where the dataset as a whole is about people.
    """

    tiers: tuple[Tier, ...] = Field(min_length=1)
    max_dimensions: int = Field(ge=1, le=6)
    feed_rows: FeedRowsExtra | None = None


class DifferentialPrivacy(Extra):
    """Where the noise is added, the zCDP budget of one fiscal year in nano-rho, and the delta of shown epsilons."""

    protect_at: ProtectAt
    nano_rho_per_window: int = Field(gt=0, le=100_000_000_000)
    delta: Delta


class Coverage(Extra):
    """The first and the last month that may be asked, both inside."""

    first_month: Month
    last_month: Month


class Pdpa(Extra):
    """The dataset under the Personal Data Protection Act B.E. 2562.

    ``section26`` lists why it is sensitive; ``exemption`` the paragraph of section 4 that exempts the agency itself.
    """

    classification: Literal["none", "personal", "sensitive"]
    section26: tuple[Literal["criminal-record", "health", "biometric"], ...] = ()
    exemption: Literal["s4-2", "s4-5"] | None = None
    purposes: tuple[Code, ...] = Field(min_length=1)
    legal_basis: tuple[Code, ...] = Field(min_length=1)


class Government(Extra):
    """``oia24``: the paragraph of Official Information Act s. 24; ``dgaLevel``: code of list data_classification.

    ``none`` says that section 24 does not apply, since nothing in the dataset is about a person.
    """

    oia24: Literal["none", "24(1)", "24(2)", "24(3)", "24(4)", "24(6)", "24(8)"]
    dga_level: Code


class Catalogue(Extra):
    """What the national data catalogue (GD Catalog) asks for, in its own Thai terms."""

    data_type: Literal["ข้อมูลระเบียน", "ข้อมูลสถิติ", "ข้อมูลภูมิสารสนเทศเชิงพื้นที่", "ข้อมูลหลากหลายประเภท", "ข้อมูลประเภทอื่นๆ"]
    objective: str = Field(min_length=1, max_length=200)
    geo_coverage: Literal["ประเทศ", "ภาค", "จังหวัด", "อำเภอ", "ตำบล"]
    data_category: Literal["ข้อมูลสาธารณะ", "ข้อมูลส่วนบุคคล", "ข้อมูลความมั่นคง", "ข้อมูลความลับทางราชการ"]
    update_frequency: Literal["ปี", "ครึ่งปี", "ไตรมาส", "เดือน", "สัปดาห์", "วัน", "ชั่วโมง", "ตามเวลาจริง"]
    licence: str = Field(min_length=1, max_length=100)


class DocumentExtras(Extra):
    """The extras of the whole document, by the name of their custom property."""

    title: Text
    federation: FederationExtra
    coverage: Coverage
    release: ReleaseExtra
    differential_privacy: DifferentialPrivacy
    pdpa: Pdpa
    government: Government
    catalogue: Catalogue
    code_lists: dict[Name, Digest] = Field(default_factory=dict)
    """Every code list that the document uses, pinned by digest, so that no list changes under a signature."""

    enforcement_values: dict[Name, tuple[Code, ...]] = Field(default_factory=dict)
    """Codes, by dimension, that count enforcement and not victimisation."""

    disjoint_from: tuple[DatasetId, ...] = ()
    """Datasets that hold no person of this one."""

    pilot: PilotExtra | None = None


class TableExtras(Extra):
    """The extras of the one table."""

    event_time: Name
    unit_of_privacy: UnitOfPrivacy


class PropertyExtras(Extra):
    """The extras of one property."""

    dimensions: tuple[DimensionExtra, ...] = ()
    measure: MeasureExtra | None = None
