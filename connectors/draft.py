"""Drafting a contract from a table's declared columns. Key sets come from code lists alone: no row is ever read.

The draft passes every rule except those that only a person can satisfy: its status is ``draft``, and the column of the
protected person has a name that no column has. Everything else stands on the strict side: noise at the connector, the
smallest budget, the shortest retention, one purpose.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Final

import yaml

from connectors.draft_guess import DIRECT, Guess, event_times, guess, is_plain, row_key
from connectors.sources import SourceColumn
from contracts.code_lists import code_list
from contracts.dataset import Text
from contracts.errors import InvalidInput
from contracts.identifiers import AgencyId, DatasetId
from contracts.odcs import VENDOR, Finding, examine_text
from contracts.periods import BUDDHIST_ERA, window_of
from contracts.values import Value

UNDECIDED: Final = "decide_who_is_one_person"
"""The column of the protected person in a draft: no table has it, so that the draft cannot be signed by oversight."""

MONTH: Final = "month"
LEAST_NANO_RHO: Final = 10_000_000
BANGKOK: Final = timedelta(hours=7)
WIDTH: Final = 120

_WORDS: Final = tomllib.loads(files("connectors").joinpath("draft_words.toml").read_text(encoding="utf-8"))


class Decision(Value):
    """Something that a person has to decide: ``topic`` is where in the draft its comment stands."""

    topic: str
    say: Text


class Drafted(Value):
    """A drafted contract: its YAML text, what has to be decided, and the rules that it breaks until then."""

    dataset: DatasetId
    text: str
    decisions: tuple[Decision, ...]
    open_rules: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is drafted: whose table it is, and what its columns' names cannot say.

    Args:
        agency: The owner.
        table: The table's name, which the dataset takes too.
        event_time: The column of the event, where the names do not say it.
        row_key: The column that is unique in every row, where neither keys nor names say it.
    """

    agency: AgencyId
    table: str
    event_time: str | None = None
    row_key: str | None = None


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as the draft describes it."""

    wanted: Wanted
    columns: tuple[Guess, ...]
    left_out: tuple[str, ...]
    event: Guess
    key: str


def draft(wanted: Wanted, columns: Sequence[SourceColumn], now: datetime) -> Drafted:
    """A contract for a table, as far as its declaration goes.

    Raises:
        InvalidInput: ``name-not-usable`` for the table, the row key or the event time; ``source-mismatch`` for a named
            column that the table lacks; ``draft-without-row-key``, ``draft-without-event-time``.
    """
    table = _table(wanted, columns)
    decisions = tuple(_decisions(table))
    text = _text(table, decisions, now)
    _, findings = examine_text(text)
    return Drafted(dataset=wanted.table, text=text, decisions=decisions, open_rules=findings)


def _table(wanted: Wanted, columns: Sequence[SourceColumn]) -> _Table:
    _check_names(wanted, [each.name for each in columns])
    key = wanted.row_key or row_key(columns, wanted.table)
    if key is None:
        raise InvalidInput("draft-without-row-key", table=wanted.table)
    plain = [each._replace(key=each.name == key) for each in columns if is_plain(each.name)]
    guesses = tuple(_as_time(guess(each)) if each.name == wanted.event_time else guess(each) for each in plain)
    event = next((each for each in event_times(guesses) if wanted.event_time in (None, each.name)), None)
    if event is None:
        raise InvalidInput("draft-without-event-time", table=wanted.table)
    left_out = tuple(each.name for each in columns if not is_plain(each.name))
    named = tuple(_named_apart(guesses))
    return _Table(wanted, named, left_out, next(each for each in named if each.name == event.name), key)


def _named_apart(guesses: Sequence[Guess]) -> Iterator[Guess]:
    """No two dimensions of one name: the later is named after its column as well."""
    taken = {MONTH}
    for each in guesses:
        dimensions = []
        for one in each.dimensions:
            name = str(one["name"])
            dimensions.append({**one, "name": f"{each.name}_{name}" if name in taken else name})
            taken.add(str(dimensions[-1]["name"]))
        yield replace(each, dimensions=tuple(dimensions))


def _as_time(guessed: Guess) -> Guess:
    """A column that is named as the event's: text may hold times under any name."""
    return replace(guessed, type="timestamp", dimensions=()) if guessed.type == "string" else guessed


def _check_names(wanted: Wanted, names: Sequence[str]) -> None:
    for name in (wanted.row_key, wanted.event_time):
        if name is not None and name not in names:
            raise InvalidInput("source-mismatch", where=f"{wanted.table}.{name}")
    for name in (wanted.table, wanted.row_key, wanted.event_time):
        if name is not None and not is_plain(name):
            raise InvalidInput("name-not-usable", name=name)


# ---------------------------------------------------------------- what is left to decide
def _decisions(table: _Table) -> Iterator[Decision]:
    direct = [each.name for each in table.columns if each.classification == DIRECT and each.name != table.key]
    others = [each.name for each in event_times(table.columns) if each is not table.event]
    hidden = [each.name for each in table.columns if not each.dimensions and each != table.event]
    yield _decision("person", choices=direct)
    yield _decision("rows", column=table.key)
    yield _decision("event", column=table.event.name, choices=others)
    for each in table.columns:
        if each.lists:
            yield _decision("codes", column=each.name, list=", ".join(each.lists))
    yield _decision("columns", choices=[name for name in hidden if name != table.key and name not in direct])
    if table.left_out:
        yield _decision("names", choices=list(table.left_out))
    for topic in ("budget", "purposes", "classes", "months", "retention", "words", "status"):
        yield _decision(topic)


def _decision(topic: str, choices: Sequence[str] = (), **names: str) -> Decision:
    given = {"choices": ", ".join(choices) or "-", **names}
    words = _WORDS[topic]
    return Decision(topic=topic, say=Text(th=words["th"].format(**given), en=words["en"].format(**given)))


# ---------------------------------------------------------------- the text
def _text(table: _Table, decisions: Sequence[Decision], now: datetime) -> str:
    """Sections in the order of the standard, each under the comments of what is to be decided there."""
    first, last = _fiscal_year(now)
    extras = _extras(table, first, last)
    parts: list[tuple[tuple[str, ...], object]] = [
        ((), _head(table)),
        (("status",), {"status": "draft"}),
        (("words",), _about(table)),
        (("person", "rows", "event", "codes", "columns", "names"), {"schema": [_schema(table)]}),
        ((), _team(table.wanted.agency)),
        (("retention",), {"slaProperties": [{"property": "retention", "value": 1, "unit": "y"}]}),
        (("months", "budget", "purposes", "classes"), {"customProperties": extras}),
    ]
    return "\n".join(_section(topics, node, decisions) for topics, node in parts)


def _section(topics: Sequence[str], node: object, decisions: Sequence[Decision]) -> str:
    here = [each for topic in topics for each in decisions if each.topic == topic]
    comments = "".join(f"# ต้องตัดสินใจ: {each.say.th}\n# DECIDE: {each.say.en}\n" for each in here)
    return comments + yaml.dump(node, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=WIDTH)


class _Dumper(yaml.SafeDumper):
    """Quotes text that begins with a digit, for other readers of YAML take ``1e-7`` for a number."""


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"' if text[:1].isdigit() else None)


_Dumper.add_representer(str, _quoted)


def _head(table: _Table) -> Mapping[str, object]:
    return {"apiVersion": "v3.2.0", "kind": "DataContract", "id": table.wanted.table, "version": "1.0.0"}


def _about(table: _Table) -> Mapping[str, object]:
    name, agency = table.wanted.table, table.wanted.agency
    usage = "Statistics only, through the exchange."
    description = {"purpose": f"Table {name} of {agency}.", "usage": usage, "limitations": "Not described yet."}
    return {"name": name, "tenant": agency, "tags": [name], "description": description}


def _schema(table: _Table) -> Mapping[str, object]:
    unit = {"person": {"th": "ยังไม่ได้ระบุ", "en": "not decided"}, "column": UNDECIDED, "rowsPerWindow": 1}
    return {
        "name": table.wanted.table,
        "physicalType": "table",
        "logicalType": "object",
        "businessName": table.wanted.table,
        "properties": [_property(table, each) for each in table.columns],
        "customProperties": [_extra("eventTime", table.event.name), _extra("unitOfPrivacy", unit)],
    }


def _property(table: _Table, each: Guess) -> Mapping[str, object]:
    is_key, is_event = each.name == table.key, each is table.event
    key = {"primaryKey": True, "primaryKeyPosition": 1, "unique": True} if is_key else {}
    month = {"name": MONTH, "title": {"th": "เดือน", "en": "Month"}, "grain": "month"}
    dimensions = [*each.dimensions, *([month] if is_event else [])]
    return {
        "name": each.name,
        "businessName": each.name,
        "logicalType": each.type,
        "required": each.required or is_key or is_event,
        **key,
        "classification": each.classification,
        **({"customProperties": [_extra("dimensions", [dict(one) for one in dimensions])]} if dimensions else {}),
    }


def _team(agency: str) -> Mapping[str, object]:
    steward = {"username": f"steward.{agency}", "role": "data owner"}
    officer = {"username": f"dpo.{agency}", "role": "data protection officer"}
    return {"team": {"name": f"{agency} data desk", "members": [steward, officer]}}


def _extras(table: _Table, first: str, last: str) -> list[Mapping[str, object]]:
    name, agency = table.wanted.table, table.wanted.agency
    lists = sorted({one for each in table.columns for one in each.lists})
    pdpa = {"classification": "sensitive", "section26": ["criminal-record"]}
    uses = {"purposes": ["justice-statistics"], "legalBasis": ["s24-1-statistics"]}
    catalogue = {
        "dataType": "ข้อมูลสถิติ",
        "objective": "พันธกิจหน่วยงาน",
        "geoCoverage": "ประเทศ",
        "dataCategory": "ข้อมูลส่วนบุคคล",
        "updateFrequency": "เดือน",
        "licence": "License not specified",
    }
    extras = {
        "title": {"th": name, "en": name},
        "federation": {"agency": agency, "source": f"{agency}/{name}"},
        "coverage": {"firstMonth": first, "lastMonth": last},
        "release": {"tiers": ["statistics"], "maxDimensions": 2},
        "differentialPrivacy": {"protectAt": "connector", "nanoRhoPerWindow": LEAST_NANO_RHO, "delta": "1e-7"},
        "pdpa": pdpa | uses,
        "government": {"oia24": "24(3)", "dgaLevel": "CONFIDENTIAL"},
        "catalogue": catalogue,
        "codeLists": {each: code_list(each).digest for each in lists},
    }
    return [_extra(key, value) for key, value in extras.items()]


def _extra(name: str, value: object) -> Mapping[str, object]:
    return {"property": name, "vendor": VENDOR, "value": value}


def _fiscal_year(now: datetime) -> tuple[str, str]:
    """The first and the last month of the present Thai fiscal year."""
    year = int(window_of((now + BANGKOK).date()).removeprefix("FY")) - BUDDHIST_ERA
    return f"{year - 1}-10", f"{year}-09"
