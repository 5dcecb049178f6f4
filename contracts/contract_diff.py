"""What differs between two versions of a dataset contract, and whether that weakens privacy or breaks users.

Pure. Most of it is told from the contract that the machines execute; classifications, requirements, quality and the
digests of code lists stand only in the document. ``contract_diff.toml`` is the one table of what each change means.
"""

import json
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files

from pydantic_core import to_json

from contracts.code_lists import code_list
from contracts.contract_diff_document import document_changes
from contracts.dataset import (
    ContractRef,
    DatasetContract,
    Dimension,
    FeedRows,
    MeasureColumn,
    Pilot,
    ProtectAt,
    Shape,
    Text,
)
from contracts.errors import InvalidInput
from contracts.measures import PEOPLE
from contracts.odcs import contract_as_signed
from contracts.values import Value

LONGEST_SHOWN = 200
SENSITIVITY = ("none", "personal", "sensitive")

Told = tuple[str, str, object, object]
"""A rule, the path, and what stood and stands there."""


class Rule(Value):
    """What a kind of change means; see ``contract_diff.toml``."""

    weakens: bool = False
    breaks: bool = False
    words: bool = False
    say: Text


def _rules() -> dict[str, Rule]:
    table = tomllib.loads(files("contracts").joinpath("contract_diff.toml").read_text(encoding="utf-8"))
    return {name: Rule(say=Text(th=fields.pop("th"), en=fields.pop("en")), **fields) for name, fields in table.items()}


RULES: Mapping[str, Rule] = _rules()


class Change(Value):
    """One thing that differs: where, what stood there (none if nothing did), what it means."""

    rule: str
    path: str
    before: str | None
    after: str | None
    weakens: bool
    breaks: bool
    words: bool
    say: Text


class Comparison(Value):
    """Everything that differs between two versions of one contract."""

    old: ContractRef
    new: ContractRef
    changes: tuple[Change, ...]

    @property
    def weakening(self) -> tuple[Change, ...]:
        """The changes by which the protected people are promised less."""
        return tuple(each for each in self.changes if each.weakens)

    @property
    def breaking(self) -> tuple[Change, ...]:
        """The changes that users have to act on."""
        return tuple(each for each in self.changes if each.breaks)


@dataclass(frozen=True, slots=True)
class Version:
    """A contract as it was read when it was published, and its document."""

    contract: DatasetContract
    document: Mapping[str, object]

    @classmethod
    def of(cls, contract: DatasetContract, canonical: bytes) -> "Version":
        """A contract with its document's canonical bytes."""
        return cls(contract, json.loads(canonical))

    @classmethod
    def read(cls, canonical: bytes) -> "Version":
        """What the canonical bytes of a document say that was signed once.

        Raises:
            InvalidInput: ``contract-invalid``.
        """
        document = json.loads(canonical)
        return cls(contract_as_signed(document), document)


def compare(old: Version, new: Version) -> Comparison:
    """What differs, in the order in which the terms stand here.

    Raises:
        InvalidInput: ``contracts-of-two-datasets``.
    """
    before, after = old.contract, new.contract
    if (before.agency, before.id) != (after.agency, after.id):
        raise InvalidInput(
            "contracts-of-two-datasets", old=f"{before.agency}/{before.id}", new=f"{after.agency}/{after.id}"
        )
    told = [each for part in PARTS for each in part(before, after)]
    told += document_changes(old.document, new.document)
    return Comparison(old=before.reference, new=after.reference, changes=tuple(_change(*each) for each in told))


def _change(rule: str, path: str, before: object, after: object) -> Change:
    means = RULES[rule]
    return Change(
        rule=rule,
        path=path,
        before=_shown(before),
        after=_shown(after),
        weakens=means.weakens,
        breaks=means.breaks,
        words=means.words,
        say=means.say,
    )


def _shown(value: object) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else to_json(value, by_alias=True).decode()
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _number(path: str, rules: tuple[str, str], before: int | Decimal, after: int | Decimal) -> Iterator[Told]:
    """The first rule when it rose, the second when it fell."""
    if before != after:
        yield (rules[after < before], path, str(before), str(after))


def _sets(path: str, rules: tuple[str, str], before: Iterable[str], after: Iterable[str]) -> Iterator[Told]:
    """The first rule for what came, the second for what went."""
    old, new = set(before), set(after)
    yield from ((rules[0], f"{path}.{each}", None, each) for each in sorted(new - old))
    yield from ((rules[1], f"{path}.{each}", each, None) for each in sorted(old - new))


def _privacy(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    before, after = old.privacy, new.privacy
    where = "differentialPrivacy"
    yield from _number(
        f"{where}.nanoRhoPerWindow",
        ("budget-raised", "budget-lowered"),
        before.nano_rho_per_window,
        after.nano_rho_per_window,
    )
    yield from _number(f"{where}.delta", ("delta-raised", "delta-lowered"), Decimal(before.delta), Decimal(after.delta))
    if before.protect_at is not after.protect_at:
        rule = "protected-later" if after.protect_at is ProtectAt.GATEWAY else "protected-earlier"
        yield (rule, f"{where}.protectAt", before.protect_at.value, after.protect_at.value)


def _unit(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    before, after = old.unit, new.unit
    if before.column != after.column:
        rule = "unit-changed" if before.column and after.column else "unit-removed" if before.column else "unit-added"
        yield (rule, "unitOfPrivacy.column", before.column, after.column)
    if before.person != after.person:
        yield ("person-changed", "unitOfPrivacy.person", before.person, after.person)
    rows = ("rows-raised", "rows-lowered")
    yield from _number("unitOfPrivacy.rowsPerWindow", rows, before.rows_per_window, after.rows_per_window)
    yield from _shape("unitOfPrivacy.shape", before.shape, after.shape)
    yield from _others("unitOfPrivacy.others", before.others, after.others)


def _shape(path: str, old: Shape | None, new: Shape | None) -> Iterator[Told]:
    """Without a shape a person's rows may fall anywhere; two shapes of other cells cannot be compared."""
    rules = ("shape-widened", "shape-narrowed")
    if old is None or new is None:
        if old != new:
            yield (rules[old is None], path, old, new)
        return
    if set(old.by) != set(new.by):
        yield ("shape-moved", f"{path}.by", old.by, new.by)
    yield from _number(f"{path}.rows", rules, old.rows, new.rows)
    yield from _number(f"{path}.cells", rules, old.cells, new.cells)


def _others(path: str, old: Sequence[Text], new: Sequence[Text]) -> Iterator[Told]:
    """By their English name; another Thai one alone is words."""
    before, after = {each.en: each.th for each in old}, {each.en: each.th for each in new}
    yield from _sets(path, ("others-added", "others-removed"), before, after)
    for name in sorted(before.keys() & after.keys()):
        if before[name] != after[name]:
            yield ("words", f"{path}.{name}", before[name], after[name])


def _place(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    for rule, path, before, after in (
        ("source-changed", "federation.source", old.source, new.source),
        ("table-changed", "schema.physicalName", old.table, new.table),
        ("row-key-changed", "schema.primaryKey", old.row_key, new.row_key),
        ("event-time-changed", "eventTime", old.event_time, new.event_time),
    ):
        if before != after:
            yield (rule, path, before, after)


def _dimensions(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    before, after = {each.name: each for each in old.dimensions}, {each.name: each for each in new.dimensions}
    yield from _sets("dimensions", ("dimension-added", "dimension-removed"), before, after)
    for name in sorted(before.keys() & after.keys()):
        yield from _dimension(before[name], after[name])
    rules = ("dimensions-raised", "dimensions-lowered")
    yield from _number("release.maxDimensions", rules, old.max_dimensions, new.max_dimensions)


def _dimension(old: Dimension, new: Dimension) -> Iterator[Told]:
    path = f"dimensions.{old.name}"
    before, after = (each.model_dump(include={"column", "grain", "code_list", "via"}) for each in (old, new))
    if before != after:
        yield ("dimension-derived", path, before, after)
    if old.title != new.title:
        yield ("dimension-title", f"{path}.title", old.title, new.title)
    yield from _sets(f"{path}.values", ("codes-added", "codes-removed"), old.values, new.values)


def _measures(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    # Distinct people come and go with the unit, of which ``_unit`` tells.
    offered, offers = (tuple(name for name in each.measures if name != PEOPLE) for each in (old, new))
    yield from _sets("measures", ("measure-added", "measure-removed"), offered, offers)
    for before in old.measure_columns:
        after = new.measure_column(before.column)
        if after is None:
            continue
        path = f"measures.{before.column}"
        if (before.title, before.unit) != (after.title, after.unit):
            yield ("measure-meaning", path, _meaning(before), _meaning(after))
        yield from _clamps(f"{path}.clamp", before, after)
        yield from _sets(f"{path}.bins", ("bins-added", "bins-removed"), map(str, before.bins), map(str, after.bins))


def _meaning(column: MeasureColumn) -> str:
    return f"{column.title.th} / {column.title.en} ({column.unit})"


def _clamps(path: str, old: MeasureColumn, new: MeasureColumn) -> Iterator[Told]:
    """The clamp of every code, and of all others: a code without one of its own has the common clamp."""
    comparable = old.clamp_by == new.clamp_by or None in (old.clamp_by, new.clamp_by)
    if not comparable:
        yield ("clamp-widened", f"{path}By", old.clamp_by, new.clamp_by)
    yield from _clamp(path, old.clamp, new.clamp)
    for code in sorted(old.clamps.keys() | new.clamps.keys()) if comparable else ():
        yield from _clamp(f"{path}.{code}", old.clamps.get(code, old.clamp), new.clamps.get(code, new.clamp))


def _clamp(path: str, old: tuple[int, int], new: tuple[int, int]) -> Iterator[Told]:
    if old != new:
        wider = new[0] < old[0] or new[1] > old[1]
        yield ("clamp-widened" if wider else "clamp-narrowed", path, old, new)


def _coverage(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    months = (("firstMonth", "coverage-earlier", "months-removed"), ("lastMonth", "months-removed", "coverage-later"))
    ends = ((old.first_month, new.first_month), (old.last_month, new.last_month))
    for (name, if_earlier, if_later), (before, after) in zip(months, ends, strict=True):
        if before != after:
            yield (if_earlier if after < before else if_later, f"coverage.{name}", before, after)


def _uses(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    yield from _sets("pdpa.purposes", ("purpose-added", "purpose-removed"), old.purposes, new.purposes)
    bases = ("legal-basis-added", "legal-basis-removed")
    yield from _sets("pdpa.legalBasis", bases, old.legal_basis, new.legal_basis)
    yield from _sets("release.tiers", ("tier-added", "tier-removed"), old.tiers, new.tiers)
    codes = [
        {f"{name}.{code}" for name, values in each.enforcement_values.items() for code in values} for each in (old, new)
    ]
    yield from _sets("enforcementValues", ("enforcement-added", "enforcement-removed"), *codes)
    yield from _sets("disjointFrom", ("disjoint-added", "disjoint-removed"), old.disjoint_from, new.disjoint_from)
    days = ("retention-longer", "retention-shorter")
    yield from _number("slaProperties.retention", days, old.retention_days, new.retention_days)


def _areas(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    """Without a pilot the whole country takes part; without feed rows a feed may carry every row."""
    yield from _rows("pilot", ("pilot-widened", "pilot-narrowed"), old.pilot, new.pilot)
    yield from _rows("feedRows", ("feed-rows-widened", "feed-rows-narrowed"), old.feed_rows, new.feed_rows)


def _rows(
    path: str, rules: tuple[str, str], before: Pilot | FeedRows | None, after: Pilot | FeedRows | None
) -> Iterator[Told]:
    if before is None or after is None:
        if before != after:
            yield (rules[before is None], path, before, after)
    elif before.column != after.column:
        yield from ((rule, f"{path}.column", before.column, after.column) for rule in rules)
    else:
        yield from _sets(f"{path}.codes", rules, before.codes, after.codes)


def _classes(old: DatasetContract, new: DatasetContract) -> Iterator[Told]:
    before, after = old.pdpa, new.pdpa
    yield from _order("pdpa.classification", SENSITIVITY, before.classification, after.classification)
    levels = code_list("data_classification").values
    yield from _order("government.dgaLevel", levels, old.government.dga_level, new.government.dga_level)
    yield from _sets("pdpa.section26", ("classified-higher", "classified-lower"), before.section26, after.section26)
    if before.exemption != after.exemption:
        rule = "exemption-changed" if after.exemption else "exemption-dropped"
        yield (rule, "pdpa.exemption", before.exemption, after.exemption)
    if old.government.oia24 != new.government.oia24:
        yield ("disclosure-law-changed", "government.oia24", old.government.oia24, new.government.oia24)


def _order(path: str, ascending: tuple[str, ...], before: str, after: str) -> Iterator[Told]:
    if before != after:
        lower = ascending.index(after) < ascending.index(before)
        yield ("classified-lower" if lower else "classified-higher", path, before, after)


PARTS: tuple[Callable[[DatasetContract, DatasetContract], Iterator[Told]], ...] = (
    _privacy,
    _unit,
    _place,
    _dimensions,
    _measures,
    _coverage,
    _uses,
    _areas,
    _classes,
)
