"""Reading a dataset contract: an ODCS 3.2 document with our extras, checked in three steps.

1. The official JSON schema, which knows every key of the standard.
2. The standard's own model, which knows every type. It drops unknown keys, so it never goes first.
3. Our extras (``contracts.odcs_extras``), unknown keys refused, and the rules between all parts
   (``contracts.odcs_rules``).

The gateway stores and receives the document in canonical JSON; the YAML that people write is only its first form.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TypeVar

from jsonschema import Draft201909Validator
from open_data_contract_standard.model import CustomProperty, OpenDataContractStandard, SchemaObject, SchemaProperty
from pydantic import BaseModel, ValidationError

from contracts.canonical import canonical_bytes, digest_of_bytes
from contracts.dataset import (
    CatalogueTerms,
    Contact,
    DatasetContract,
    Dimension,
    FeedRows,
    GovernmentTerms,
    MeasureColumn,
    PdpaTerms,
    Pilot,
    PrivacyTerms,
    ProtectedUnit,
)
from contracts.errors import InvalidInput
from contracts.odcs_extras import DocumentExtras, PropertyExtras, TableExtras
from contracts.odcs_rules import Column, Written, broken, labels_of
from contracts.odcs_yaml import LONGEST, parse
from contracts.values import Value

VENDOR = "saphan"
SUFFIX = ".odcs.yaml"
LONGEST_PLACE = 200
MAILTO = "mailto:"
LARGEST = 4 * LONGEST
"""Bytes of a canonical document: no text that may be written in YAML has more."""

RETENTION_UNITS = {"d": 1, "m": 30, "y": 365}
"""Days; a month and a year are counted short, so that nothing is kept longer than promised."""

Extras = TypeVar("Extras", bound=BaseModel)


class Finding(Value):
    """A rule that a document breaks, and where."""

    rule: str
    where: str


class _Broken(Exception):  # not an error that anybody sees
    """Carries the findings of a step that ends the examination."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("broken")


@lru_cache(maxsize=64)
def read_contract(text: str) -> DatasetContract:
    """The contract that an ODCS text in YAML (or JSON) writes.

    Raises:
        InvalidInput: ``contract-invalid``, naming the first broken rule and where.
    """
    return contract_from_document(parse(text))


def contract_from_document(document: Mapping[str, object]) -> DatasetContract:
    """The contract that a parsed ODCS document writes; its digest is that of the document's canonical bytes.

    Raises:
        InvalidInput: ``contract-invalid``, naming the first broken rule and where.
    """
    contract, findings = examine(document)
    if contract is None:
        raise InvalidInput("contract-invalid", rule=findings[0].rule, where=findings[0].where)
    return contract


def contract_as_signed(document: Mapping[str, object]) -> DatasetContract:
    """The contract that a document wrote when it was signed, even if code lists or rules have changed since.

    For looking back at what was published or approved: nothing may be asked under what is read here.

    Raises:
        InvalidInput: ``contract-invalid``, when a part of it has no form that can be read.
    """
    try:
        return _contract(_written(_model(document), document), digest_of_bytes(canonical_bytes(document)))
    except _Broken as stop:
        raise InvalidInput("contract-invalid", rule=stop.findings[0].rule, where=stop.findings[0].where) from stop


def canonical_document(text: str) -> bytes:
    """The RFC 8785 bytes of an ODCS text: what the steward signs and the digest covers.

    Raises:
        InvalidInput: ``contract-invalid`` for a text that is no plain mapping; ``not-canonical``.
    """
    return canonical_bytes(parse(text))


def examine(document: Mapping[str, object]) -> tuple[DatasetContract | None, tuple[Finding, ...]]:
    """The contract, or everything that the first failing step has to say against it."""
    try:
        canonical = canonical_bytes(document)
    except (InvalidInput, RecursionError):
        return None, (Finding(rule="canonical", where="$"),)
    if len(canonical) > LARGEST:
        return None, (Finding(rule="size", where="$"),)
    return _examined(canonical)


@lru_cache(maxsize=64)
def _examined(canonical: bytes) -> tuple[DatasetContract | None, tuple[Finding, ...]]:
    """What is examined is read back from the bytes that the digest covers, so the two cannot part."""
    document = json.loads(canonical)
    try:
        _check_schema(document)
        written = _written(_model(document), document)
        findings = tuple(Finding(rule=rule, where=where) for rule, where in broken(written))
        return (None, findings) if findings else (_contract(written, digest_of_bytes(canonical)), ())
    except _Broken as stop:
        return None, stop.findings


def examine_text(text: str) -> tuple[DatasetContract | None, tuple[Finding, ...]]:
    """Like ``examine``, for a text."""
    try:
        return examine(parse(text))
    except InvalidInput as error:
        return None, (Finding(rule=error.details["rule"], where=error.details["where"]),)


def bundled_ids() -> tuple[str, ...]:
    """The identifiers of the contracts that come with the program, in alphabetical order."""
    names = (each.name for each in files("contracts").joinpath("datasets").iterdir())
    return tuple(sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)))


def bundled_text(dataset: str) -> str:
    """The YAML text of a contract that comes with the program.

    Raises:
        InvalidInput: ``unknown-contract``.
    """
    if dataset not in bundled_ids():
        raise InvalidInput("unknown-contract", contract=dataset)
    return files("contracts").joinpath("datasets", f"{dataset}{SUFFIX}").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _validator() -> Draft201909Validator:
    """Step 1: the schema that the standard's own package carries."""
    text = files("open_data_contract_standard").joinpath("schema.json").read_text(encoding="utf-8")
    return Draft201909Validator(json.loads(text))


def _check_schema(document: Mapping[str, object]) -> None:
    errors = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    if errors:
        raise _Broken(Finding(rule="odcs-schema", where=_place(error.json_path, error.message)) for error in errors)


def _place(path: str, message: str) -> str:
    return f"{path}: {message}"[:LONGEST_PLACE]


def _model(document: Mapping[str, object]) -> OpenDataContractStandard:
    """Step 2."""
    try:
        return OpenDataContractStandard.model_validate(document)
    except ValidationError as error:
        raise _Broken(_findings(error, "odcs-model", "$")) from error


def _findings(error: ValidationError, rule: str, where: str) -> Iterator[Finding]:
    for each in error.errors(include_url=False, include_input=False):
        path = ".".join((where, *(str(step) for step in each["loc"])))
        yield Finding(rule=rule, where=_place(path, each["msg"]))


def _written(model: OpenDataContractStandard, document: Mapping[str, object]) -> Written:
    """Step 3, first half: our extras, each in its own form."""
    tables = model.schema_ or []
    if len(tables) != 1 or not tables[0].properties:
        raise _Broken([Finding(rule="one-table", where="schema")])
    table, properties = tables[0], tables[0].properties
    _check_places(model, table, properties, document)
    return Written(
        id=str(model.id),
        version=str(model.version),
        api_version=str(model.apiVersion),
        status=model.status,
        table=str(table.physicalName or table.name),
        retention_days=_retention(model),
        contacts=_contacts(model),
        email=_email(model),
        about=" ".join(str(getattr(model.description, "purpose", None) or "").split()),
        keywords=tuple(str(each) for each in model.tags or ()),
        extras=_extras(DocumentExtras, model.customProperties, "customProperties"),
        table_extras=_extras(TableExtras, table.customProperties, f"{table.name}.customProperties"),
        columns=tuple(_column(each) for each in properties),
    )


def _retention(model: OpenDataContractStandard) -> int | None:
    """How long a row is kept, in days, if the document says so exactly once and plainly."""
    given = [each for each in model.slaProperties or () if each.property == "retention"]
    if len(given) != 1 or str(given[0].unit) not in RETENTION_UNITS:
        return None
    value = given[0].value
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        return None
    return value * RETENTION_UNITS[str(given[0].unit)]


def _contacts(model: OpenDataContractStandard) -> tuple[tuple[str, str], ...]:
    members = getattr(model.team, "members", None) or ()
    return tuple((str(each.role or ""), str(each.name or each.username or "")) for each in members)


def _email(model: OpenDataContractStandard) -> str | None:
    urls = (str(each.url or "") for each in model.support or ())
    return next((url.removeprefix(MAILTO) for url in urls if url.startswith(MAILTO)), None)


def _column(each: SchemaProperty) -> Column:
    return Column(
        name=str(each.name),
        physical_name=each.physicalName,
        type=each.logicalType,
        required=bool(each.required),
        unique=bool(each.unique),
        primary_key=bool(each.primaryKey),
        classification=each.classification,
        labels=tuple(str(label.value) for label in each.enum or []),
        extras=_extras(PropertyExtras, each.customProperties, f"{each.name}.customProperties"),
    )


def _ours(properties: Sequence[CustomProperty] | None) -> list[CustomProperty]:
    return [each for each in properties or () if each.vendor == VENDOR]


def _extras(kind: type[Extras], properties: Sequence[CustomProperty] | None, where: str) -> Extras:
    """Our extras at one place, parsed as JSON and strictly: ``"3"`` is no number."""
    ours = _ours(properties)
    given = {str(each.property): each.value for each in ours}
    if len(given) != len(ours):
        raise _Broken([Finding(rule="extra-once", where=where)])
    try:
        return kind.model_validate_json(canonical_bytes(given), strict=True)
    except ValidationError as error:
        raise _Broken(_findings(error, "extra-form", where)) from error


def _check_places(
    model: OpenDataContractStandard,
    table: SchemaObject,
    properties: Sequence[SchemaProperty],
    document: Mapping[str, object],
) -> None:
    """An extra in a place that nobody reads would be a promise that nobody keeps."""
    places = [model.customProperties, table.customProperties, *(each.customProperties for each in properties)]
    if _count(document) != sum(len(_ours(place)) for place in places):
        raise _Broken([Finding(rule="extra-place", where="$")])


def _count(node: object) -> int:
    match node:
        case Mapping():
            return (node.get("vendor") == VENDOR and "property" in node) + sum(_count(each) for each in node.values())
        case list() | tuple():
            return sum(_count(each) for each in node)
        case _:
            return 0


def _contract(written: Written, digest: str) -> DatasetContract:
    extras, table = written.extras, written.table_extras
    try:
        return DatasetContract(
            id=written.id,
            version=written.version,
            digest=digest,
            agency=extras.federation.agency,
            source=extras.federation.source,
            title=extras.title,
            table=written.table,
            row_key=next(column.name for column in written.columns if column.primary_key),
            event_time=table.event_time,
            unit=ProtectedUnit.model_validate(table.unit_of_privacy.model_dump()),
            dimensions=tuple(_dimensions(written)),
            measure_columns=tuple(_measure_columns(written)),
            max_dimensions=extras.release.max_dimensions,
            first_month=extras.coverage.first_month,
            last_month=extras.coverage.last_month,
            purposes=extras.pdpa.purposes,
            legal_basis=extras.pdpa.legal_basis,
            tiers=extras.release.tiers,
            privacy=PrivacyTerms.model_validate(extras.differential_privacy.model_dump()),
            enforcement_values=extras.enforcement_values,
            disjoint_from=extras.disjoint_from,
            pdpa=PdpaTerms.model_validate(extras.pdpa.model_dump(include={"classification", "section26", "exemption"})),
            government=GovernmentTerms.model_validate(extras.government.model_dump()),
            retention_days=written.retention_days or 0,  # the rule retention-given saw to it
            contacts=tuple(Contact(role=role, name=name) for role, name in written.contacts),
            email=written.email,
            about=written.about,
            keywords=written.keywords,
            pilot=Pilot.model_validate(extras.pilot.model_dump()) if extras.pilot else None,
            feed_rows=_feed_rows(extras),
            catalogue=CatalogueTerms.model_validate(extras.catalogue.model_dump()),
        )
    except ValidationError as error:
        raise _Broken(_findings(error, "contract-form", "$")) from error


def _feed_rows(extras: DocumentExtras) -> FeedRows | None:
    given = extras.release.feed_rows
    return FeedRows.model_validate(given.model_dump()) if given else None


def _dimensions(written: Written) -> Iterator[Dimension]:
    for column, each in written.dimensions():
        yield Dimension(
            name=each.name,
            title=each.title,
            column=column.name,
            grain=each.grain,
            code_list=each.code_list,
            via=each.via,
            values=labels_of(column, each),
        )


def _measure_columns(written: Written) -> Iterator[MeasureColumn]:
    for column in written.columns:
        if column.extras.measure is not None:
            given = column.extras.measure.model_dump(exclude={"clamp_by"})
            by = column.extras.measure.clamp_by
            given |= {"clamp_by": by.column, "clamps": by.clamps} if by else {}
            yield MeasureColumn.model_validate({"column": column.name, **given})
