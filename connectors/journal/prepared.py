"""Statements of the journal that every task runs: built and compiled once, then only bound and run.

A session of SQLAlchemy's costs about a millisecond a time, SQLite itself a hundredth of it. Tables, types and what they
make of values stay SQLAlchemy's.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping
from functools import lru_cache, wraps
from inspect import signature
from typing import Any, NamedTuple, ParamSpec, Protocol, cast

from sqlalchemy import ClauseElement, Insert, Select, Table, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.compiler import SQLCompiler

Arguments = ParamSpec("Arguments")
Convert = Callable[[Any], Any]
Values = Mapping[str, object]
AnySelect = Select[*tuple[Any, ...]]

_DIALECT = sqlite.dialect()


def _same(value: object) -> object:
    return value


class _Bind(NamedTuple):
    """One parameter: its name, what it becomes for the driver, and its value unless one is given."""

    name: str
    convert: Convert
    value: object


class _Compiled(NamedTuple):
    """A statement; ``row`` makes a row's named tuple of the driver's values, after ``convert``."""

    sql: str
    binds: tuple[_Bind, ...]
    row: Callable[[list[Any]], Any] | None
    convert: tuple[Convert, ...]


class Bound(NamedTuple):
    """A prepared statement with its values, to be run."""

    statement: _Compiled
    values: Values

    def run(self, connection: sqlite3.Connection) -> list[Any]:
        """Run it and give its rows as named tuples, none for what gives no rows."""
        sql, binds, row, convert = self.statement
        values = self.values
        found = connection.execute(sql, [bind.convert(values.get(bind.name, bind.value)) for bind in binds])
        if row is None:
            return []
        return [row([each(value) for each, value in zip(convert, line, strict=True)]) for line in found]


class Rows(Protocol):
    """Whatever runs a prepared statement: the journal for itself, or one of its transactions."""

    def rows(self, bound: Bound) -> list[Any]:
        """The rows of a select."""


def prepared(build: Callable[Arguments, ClauseElement]) -> Callable[Arguments, Bound]:
    """Prepare the statement that a function builds; its arguments, given by position, may only stand for one value.

    Args:
        build: Gives a select, update or delete of its arguments. It is called once, with parameters in their places: an
            ``if`` about an argument, or a list of several values, raises an error at the first call.
    """
    # Names of their own: those of columns stand for what is written into them.
    names = {name: f"given_{name}" for name in signature(build).parameters}
    kept: list[_Compiled] = []

    @wraps(build)
    def bound(*args: Arguments.args, **_: Arguments.kwargs) -> Bound:
        if not kept:
            parameters: dict[str, Any] = {name: bindparam(given) for name, given in names.items()}
            kept.append(_compiled(cast(Callable[..., ClauseElement], build)(**parameters)))
        return Bound(kept[0], dict(zip(names.values(), args, strict=True)))

    return bound


@lru_cache(maxsize=64)
def insert_into(table: type[DeclarativeBase], columns: tuple[str, ...]) -> _Compiled:
    """An insert of one row that names these columns."""
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    statement: Insert = _table(table).insert().values(values)
    return _compiled(statement)


@lru_cache(maxsize=64)
def update_of(table: type[DeclarativeBase], keys: tuple[str, ...], columns: tuple[str, ...]) -> _Compiled:
    """An update of these columns where those of the key, as ``key_NAME``, are what is given."""
    where = [_table(table).c[name] == bindparam(f"key_{name}") for name in keys]
    return _compiled(_table(table).update().where(*where).values({name: bindparam(name) for name in columns}))


def _table(table: type[DeclarativeBase]) -> Table:
    return cast(Table, table.__table__)


def _compiled(statement: ClauseElement) -> _Compiled:
    compiled = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only selects, inserts, updates and deletes are prepared")
    given, columns = compiled.params, tuple(getattr(statement, "selected_columns", ()))
    binds = tuple(
        _Bind(name, compiled.binds[name].type.dialect_impl(_DIALECT).bind_processor(_DIALECT) or _same, given[name])
        for name in compiled.positiontup or ()
    )
    convert = tuple(each.type.dialect_impl(_DIALECT).result_processor(_DIALECT, None) or _same for each in columns)
    return _Compiled(str(compiled), binds, _row(tuple(str(each.key) for each in columns)), convert)


def _row(names: tuple[str, ...]) -> Callable[[list[Any]], Any] | None:
    """Makes named tuples, as plain as a row of SQLAlchemy's."""
    if not names:
        return None
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  # known at run time only
    make: Callable[[list[Any]], Any] = kind._make
    return make
