"""What must hold inside a dataset contract once every part of it has the right form.

Each rule gives the places that break it; ``odcs_rules.toml`` says in both languages what each asks for.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise

from contracts.code_lists import NAMES, code_list, crosswalk
from contracts.dataset import Grain, ProtectAt, Text, Tier
from contracts.errors import InvalidInput
from contracts.measures import HISTOGRAM, QUANTILES, Kind
from contracts.odcs_extras import DimensionExtra, DocumentExtras, PropertyExtras, TableExtras
from contracts.odcs_unit import broken_others, broken_shape

TIME_TYPES = frozenset({"date", "timestamp"})
EVENT_GRAINS = frozenset({Grain.YEAR, Grain.MONTH, Grain.WEEK})
NUMBER_TYPES = frozenset({"number", "integer"})
NEVER_OFFERED = "direct-identifier"
NOT_REGISTRABLE = "TOP_SECRET"
STAYS_EXACT_AT_HOME = "SECRET"
MOST_BINS = 60
ROLES = ("data owner", "data protection officer")
HARMLESS = frozenset({"internal", "public"})
CLASSES = frozenset({NEVER_OFFERED, "quasi-identifier", "sensitive"}) | HARMLESS
"""What a column may be classified as: how far its values say who somebody is, or something grave about them."""

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_TEXTS = tomllib.loads(files("contracts").joinpath("odcs_rules.toml").read_text(encoding="utf-8"))
RULES: dict[str, Text] = {rule: Text(th=texts["th"], en=texts["en"]) for rule, texts in _TEXTS.items()}
"""Every rule and what it asks for."""

FIXES: dict[str, Text] = {rule: Text(th=texts["fix_th"], en=texts["fix_en"]) for rule, texts in _TEXTS.items()}
"""Every rule and what to do about a document that breaks it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A property of the table, as far as rules look at it; ``labels`` are the values of its ``enum``."""

    name: str
    physical_name: str | None
    type: str | None
    required: bool
    unique: bool
    primary_key: bool
    classification: str | None
    labels: tuple[str, ...]
    extras: PropertyExtras


@dataclass(frozen=True, slots=True)
class Written:
    """A contract document whose parts all have the right form."""

    id: str
    version: str
    api_version: str
    status: str | None
    table: str
    retention_days: int | None
    contacts: tuple[tuple[str, str], ...]
    """Role and name of each member of the team."""

    email: str | None
    about: str
    keywords: tuple[str, ...]
    extras: DocumentExtras
    table_extras: TableExtras
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The property of that name."""
        return next((each for each in self.columns if each.name == name), None)

    def dimensions(self) -> Iterator[tuple[Column, DimensionExtra]]:
        """Every dimension with the property that it is derived from, in the order of the document."""
        return ((column, each) for column in self.columns for each in column.extras.dimensions)


def labels_of(column: Column, dimension: DimensionExtra) -> tuple[str, ...]:
    """The public key set of a dimension; empty for a time dimension and for an unknown code list."""
    if dimension.grain is not None:
        return ()
    if dimension.code_list is not None:
        return code_list(dimension.code_list).values if dimension.code_list in NAMES else ()
    return column.labels


def broken(written: Written) -> Iterator[tuple[str, str]]:
    """Every broken rule with the place that breaks it."""
    for rule, places in CHECKS.items():
        yield from ((rule, place) for place in places(written))


def _version(written: Written) -> Iterator[str]:
    if written.api_version != "v3.2.0":
        yield "apiVersion"


def _status(written: Written) -> Iterator[str]:
    if written.status != "active":
        yield "status"


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _columns_once(written: Written) -> Iterator[str]:
    yield from _twice(column.name for column in written.columns)


def _column_names(written: Written) -> Iterator[str]:
    for column in written.columns:
        if not NAME.fullmatch(column.name) or column.physical_name not in (None, column.name):
            yield column.name


def _classified(written: Written) -> Iterator[str]:
    yield from (column.name for column in written.columns if column.classification not in CLASSES)


def _row_key(written: Written) -> Iterator[str]:
    keys = [column for column in written.columns if column.primary_key]
    if len(keys) != 1:
        yield written.table
    yield from (column.name for column in keys if not (column.required and column.unique))


def _event_time(written: Written) -> Iterator[str]:
    column = written.column(written.table_extras.event_time)
    if column is None or column.type not in TIME_TYPES or not column.required:
        yield f"eventTime: {written.table_extras.event_time}"


def _unit_column(written: Written) -> Iterator[str]:
    name = written.table_extras.unit_of_privacy.column
    column = written.column(name) if name is not None else None
    if name is not None and (column is None or not column.required):
        yield f"unitOfPrivacy.column: {name}"


def _shape(written: Written) -> Iterator[str]:
    offered = {dimension.name: (column.name, dimension) for column, dimension in written.dimensions()}
    yield from broken_shape(written.table_extras.unit_of_privacy, offered, written.table_extras.event_time)


def _others(written: Written) -> Iterator[str]:
    yield from broken_others(written.table_extras.unit_of_privacy)


def _identifiers(written: Written) -> Iterator[str]:
    for column in written.columns:
        hidden = column.primary_key or column.classification == NEVER_OFFERED
        hidden = hidden or column.name == written.table_extras.unit_of_privacy.column
        if hidden and (column.extras.dimensions or column.extras.measure):
            yield column.name


def _dimensions_once(written: Written) -> Iterator[str]:
    seen: set[str] = set()
    for column, dimension in written.dimensions():
        if dimension.name in seen:
            yield f"{column.name}.{dimension.name}"
        seen.add(dimension.name)
    if not seen:
        yield written.table


def _labels(written: Written) -> Iterator[str]:
    for column, dimension in written.dimensions():
        sources = (dimension.grain is not None) + (dimension.code_list is not None)
        own = sources == 0 and dimension.via is None and column.labels and not _twice(column.labels)
        timely = dimension.grain is not None and dimension.via is None
        if not (own or (sources == 1 and (timely or dimension.code_list is not None))):
            yield f"{column.name}.{dimension.name}"


def _time(written: Written) -> Iterator[str]:
    for column, dimension in written.dimensions():
        allowed = {"timestamp"} if dimension.grain is Grain.HOUR else TIME_TYPES
        late = dimension.grain in EVENT_GRAINS and column.name != written.table_extras.event_time
        if dimension.grain is not None and (column.type not in allowed or late):
            yield f"{column.name}.{dimension.name}"


def _code_lists(written: Written) -> Iterator[str]:
    for column, dimension in written.dimensions():
        if dimension.code_list is not None and not _leads(dimension.via, dimension.code_list):
            yield f"{column.name}.{dimension.name}"


def _leads(via: str | None, target: str) -> bool:
    try:
        found = code_list(target)
        return via is None or (via == target and bool(found.bands)) or bool(crosswalk(via, target))
    except InvalidInput:
        return False


def _pins(written: Written) -> Iterator[str]:
    pinned = written.extras.code_lists
    used = {name for _, each in written.dimensions() for name in (each.code_list, each.via) if name in NAMES}
    for name in sorted(used | set(pinned)):
        if name not in used:
            yield f"codeLists.{name}"
        elif pinned.get(name) != code_list(name).digest:
            yield f"codeLists.{name} ({code_list(name).digest})"


def _measures(written: Written) -> Iterator[str]:
    for column in written.columns:
        measure = column.extras.measure
        if measure and (column.type not in NUMBER_TYPES or measure.clamp[0] >= measure.clamp[1]):
            yield column.name


def _coverage(written: Written) -> Iterator[str]:
    if written.extras.coverage.first_month > written.extras.coverage.last_month:
        yield "coverage"


def _purposes(written: Written) -> Iterator[str]:
    pdpa = written.extras.pdpa
    yield from (f"pdpa.purposes: {each}" for each in pdpa.purposes if each not in code_list("purposes").values)
    yield from (f"pdpa.legalBasis: {each}" for each in pdpa.legal_basis if each not in code_list("legal_bases").values)


def _level(written: Written) -> Iterator[str]:
    level = written.extras.government.dga_level
    if level == NOT_REGISTRABLE or level not in code_list("data_classification").values:
        yield "government.dgaLevel"


def _personal(written: Written) -> Iterator[str]:
    pdpa, government = written.extras.pdpa, written.extras.government
    if (pdpa.classification == "sensitive") != bool(pdpa.section26):
        yield "pdpa.section26"
    if pdpa.classification == "none" and pdpa.exemption is not None:
        yield "pdpa.exemption"
    if (pdpa.classification == "none") != (government.oia24 == "none"):
        yield "government.oia24"


def _secret(written: Written) -> Iterator[str]:
    extras = written.extras
    if extras.government.dga_level != STAYS_EXACT_AT_HOME:
        return
    if extras.differential_privacy.protect_at is not ProtectAt.CONNECTOR:
        yield "differentialPrivacy.protectAt"
    if Tier.FEED in extras.release.tiers:
        yield "release.tiers"


def _feed(written: Written) -> Iterator[str]:
    """Rows may leave as they are only if they are about nobody; what counts or names people is never one of them."""
    rows, is_fed = written.extras.release.feed_rows, Tier.FEED in written.extras.release.tiers
    if not is_fed:
        yield from ("release.feedRows",) if rows else ()
        return
    yield from (column.name for column in written.columns if column.classification not in HARMLESS)
    if (written.extras.pdpa.classification == "none") == (rows is not None):
        yield "release.tiers" if rows is None else "release.feedRows"
    elif rows is not None and not _are_labels(written, rows.column, rows.codes):
        yield "release.feedRows"


def _are_labels(written: Written, name: str, codes: Iterable[str]) -> bool:
    labels = [set(labels_of(column, d)) for column, d in written.dimensions() if column.name == name and not d.via]
    return any(set(codes) <= offered for offered in labels)


def _enforcement(written: Written) -> Iterator[str]:
    labels = {each.name: labels_of(column, each) for column, each in written.dimensions()}
    for name, values in written.extras.enforcement_values.items():
        if not set(values) <= set(labels.get(name, ())):
            yield f"enforcementValues.{name}"


def _disjoint(written: Written) -> Iterator[str]:
    if written.id in written.extras.disjoint_from:
        yield "disjointFrom"


def _source(written: Written) -> Iterator[str]:
    federation = written.extras.federation
    if federation.source.partition("/")[0] != federation.agency:
        yield "federation.source"


def _retention(written: Written) -> Iterator[str]:
    if written.retention_days is None:
        yield "slaProperties.retention"


def _contacts(written: Written) -> Iterator[str]:
    named = {role for role, name in written.contacts if name}
    yield from (f"team.members: {role}" for role in ROLES if role not in named)


def _pilot(written: Written) -> Iterator[str]:
    pilot = written.extras.pilot
    if pilot is None:
        return
    labels = [labels_of(column, each) for column, each in written.dimensions() if column.name == pilot.column]
    if not any(set(pilot.codes) <= set(codes) for codes in labels):
        yield f"pilot.{pilot.column}"


def _clamps(written: Written) -> Iterator[str]:
    for column in written.columns:
        measure = column.extras.measure
        if measure is None or measure.clamp_by is None:
            continue
        by = measure.clamp_by
        if not _are_labels(written, by.column, by.clamps):
            yield f"{column.name}.clampBy.{by.column}"
        low, high = measure.clamp
        yield from (f"{column.name}.clampBy.{code}" for code, (a, b) in by.clamps.items() if not (low <= a < b <= high))


def _bins(written: Written) -> Iterator[str]:
    for column in written.columns:
        measure = column.extras.measure
        if measure is None:
            continue
        bins, needs_bins = measure.bins, bool({*QUANTILES, HISTOGRAM} & set(measure.kinds))
        if needs_bins != bool(bins) or needs_bins != (HISTOGRAM in measure.kinds):
            yield f"{column.name}.kinds"
        low, high = measure.clamp
        inside = not bins or low < bins[0] <= bins[-1] <= high
        if len(bins) > MOST_BINS or not inside or any(a >= b for a, b in pairwise(bins)):
            yield f"{column.name}.bins"


def _per(written: Written) -> Iterator[str]:
    measures = {column.name: column.extras.measure for column in written.columns if column.extras.measure}
    summed = {name for name, measure in measures.items() if Kind.SUM in measure.kinds}
    for name, measure in measures.items():
        wrong = [each for each in measure.per if each == name or each not in summed] + _twice(measure.per)
        yield from (f"{name}.per.{each}" for each in (wrong if name in summed else measure.per))


def _means(written: Written) -> Iterator[str]:
    for column in written.columns:
        if column.extras.measure and Kind.MEAN in column.extras.measure.kinds and not column.required:
            yield column.name


CHECKS: dict[str, Callable[[Written], Iterator[str]]] = {
    "odcs-version": _version,
    "status-active": _status,
    "column-once": _columns_once,
    "column-name": _column_names,
    "column-classified": _classified,
    "row-key": _row_key,
    "event-time": _event_time,
    "unit-column": _unit_column,
    "unit-shape": _shape,
    "unit-others": _others,
    "identifier-offered": _identifiers,
    "dimension-once": _dimensions_once,
    "dimension-labels": _labels,
    "dimension-time": _time,
    "code-list": _code_lists,
    "code-list-pinned": _pins,
    "measure-column": _measures,
    "coverage": _coverage,
    "purpose-known": _purposes,
    "level-registrable": _level,
    "personal-terms": _personal,
    "secret-at-connector": _secret,
    "feed-not-personal": _feed,
    "enforcement-known": _enforcement,
    "disjoint-from": _disjoint,
    "source-owner": _source,
    "retention-given": _retention,
    "contacts-given": _contacts,
    "pilot-codes": _pilot,
    "clamp-by": _clamps,
    "measure-bins": _bins,
    "measure-per": _per,
    "measure-mean": _means,
}
