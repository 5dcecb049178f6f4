"""Statements that are built and compiled once for each kind of database, and then only bound and run.

SQLAlchemy builds, caches and wraps every statement anew at each call, which costs ten times what the database does for
one row. What every request runs is therefore prepared: a function that builds the statement from its arguments is
called once, with parameters in their places, and from then on its arguments are only bound. Statements and types, and
what types make of values, stay SQLAlchemy's.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, wraps
from inspect import signature
from typing import Any, Final, NamedTuple, ParamSpec, cast

from sqlalchemy import ClauseElement, Insert, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

Arguments = ParamSpec("Arguments")
Convert = Callable[[Any], Any]
Values = Mapping[str, object]
MOST_INSERTS: Final = 256


def _same(value: object) -> object:
    return value


class _Bind(NamedTuple):
    """One parameter: its name, what it becomes for the driver, and its value unless one is given."""

    name: str
    convert: Convert
    value: object


class _Compiled(NamedTuple):
    """A statement for one kind of database.

    ``row`` makes a row's named tuple from the driver's values, after ``convert``; there is none of what gives no rows.
    """

    sql: str
    is_positional: bool
    binds: tuple[_Bind, ...]
    row: Callable[[Iterable[Any]], Any] | None
    convert: tuple[Convert, ...]

    def arguments(self, values: Values) -> Any:  # noqa: ANN401  # what the driver takes: a tuple or a mapping
        """The values as the driver wants them."""
        if self.is_positional:
            return tuple([bind.convert(values.get(bind.name, bind.value)) for bind in self.binds])
        return {bind.name: bind.convert(values.get(bind.name, bind.value)) for bind in self.binds}


class Prepared:
    """A statement with named parameters."""

    def __init__(self, statement: ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, _Compiled] = {}

    def locked(self, *, skip_locked: bool = False) -> "Prepared":
        """The same, whose rows nobody else changes until the transaction ends."""
        return _locked(self, skip_locked)

    def with_for_update(self, *, skip_locked: bool) -> "Prepared":
        """What ``locked`` keeps."""
        statement = cast(Select[*tuple[Any, ...]], self._statement)
        return Prepared(statement.with_for_update(skip_locked=skip_locked))

    def run(self, cursor: DBAPICursor, dialect: Dialect, values: Values) -> None:
        """Run it with these values."""
        compiled = self._for(dialect)
        cursor.execute(compiled.sql, compiled.arguments(values))

    def run_many(self, cursor: DBAPICursor, dialect: Dialect, rows: Sequence[Values]) -> None:
        """Run it once with each of these values."""
        compiled = self._for(dialect)
        cursor.executemany(compiled.sql, [compiled.arguments(row) for row in rows])

    def rows(self, cursor: DBAPICursor, dialect: Dialect) -> list[Any]:
        """The rows that it gave, as named tuples."""
        compiled = self._for(dialect)
        if compiled.row is None:
            return []
        row, convert = compiled.row, compiled.convert
        return [row([each(value) for each, value in zip(convert, found, strict=True)]) for found in cursor.fetchall()]

    def _for(self, dialect: Dialect) -> _Compiled:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _compiled(self._statement, dialect)
        return known


class Bound(NamedTuple):
    """A prepared statement with its values, to be run."""

    statement: Prepared
    values: Values


def prepared(build: Callable[Arguments, ClauseElement]) -> Callable[Arguments, Bound]:
    """Prepare the statement that a function builds; its arguments may only stand where a parameter may.

    The arguments are given by position.

    Args:
        build: Gives a select, update or delete of its arguments. It is called once, with parameters of their names: an
            ``if`` about an argument, or a list of several values, raises an error at the first call.
    """
    # Names of their own: those of columns stand for what is written into them.
    names = {name: f"given_{name}" for name in signature(build).parameters}
    kept: list[Prepared] = []

    @wraps(build)
    def bound(*args: Arguments.args, **_: Arguments.kwargs) -> Bound:
        if not kept:
            statement = cast(Callable[..., ClauseElement], build)(
                **{name: bindparam(given) for name, given in names.items()}
            )
            kept.append(Prepared(statement))
        return Bound(kept[0], dict(zip(names.values(), args, strict=True)))

    return bound


@lru_cache(maxsize=MOST_INSERTS)
def insert_into(table: Table, columns: tuple[str, ...]) -> Prepared:
    """An insert that names these columns."""
    return Prepared(table.insert().values({name: bindparam(name) for name in columns}))


@lru_cache(maxsize=MOST_INSERTS)
def insert_new(table: Table, columns: tuple[str, ...], database: str) -> Prepared:
    """An insert that gives the first column of the key, or no row when the key is there already."""
    insert: Callable[[Table], Any] = postgresql.insert if database == "postgresql" else sqlite.insert
    values: dict[str, Any] = {name: bindparam(name) for name in columns}
    statement: Insert = insert(table).values(values).on_conflict_do_nothing()
    return Prepared(statement.returning(next(iter(table.primary_key))))


@lru_cache(maxsize=MOST_INSERTS)
def update_of(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    """An update of these columns where those of the key, as ``key_NAME``, are what is given."""
    where = [table.c[name] == bindparam(f"key_{name}") for name in keys]
    return Prepared(table.update().where(*where).values({name: bindparam(name) for name in columns}))


@lru_cache(maxsize=MOST_INSERTS)
def _locked(statement: Prepared, skip_locked: bool) -> Prepared:  # noqa: FBT001  # the key of a cache
    return statement.with_for_update(skip_locked=skip_locked)


def _compiled(statement: ClauseElement, dialect: Dialect) -> _Compiled:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only selects, inserts, updates and deletes are prepared")
    given = compiled.params
    names = compiled.positiontup if compiled.positional else list(given)
    binds = tuple(_Bind(name, _to_driver(compiled, name, dialect), given[name]) for name in names or ())
    columns = _columns(statement)
    row = _row(tuple(str(each.key) for each in columns)) if columns else None
    convert = tuple(_from_driver(each.type, dialect) for each in columns)
    return _Compiled(str(compiled), compiled.positional, binds, row, convert)


def _row(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    """Makes named tuples, as plain as a row of SQLAlchemy's."""
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  # known at run time only
    make: Callable[[Iterable[Any]], Any] = kind._make
    return make


def _columns(statement: ClauseElement) -> tuple[ColumnElement[Any], ...]:
    chosen = getattr(statement, "selected_columns", None)
    given = getattr(statement, "exported_columns", ()) if chosen is None else chosen
    return tuple(given)


def _to_driver(compiled: SQLCompiler, name: str, dialect: Dialect) -> Convert:
    bind = compiled.binds.get(name)
    kind: TypeEngine[Any] | None = None if bind is None else bind.type
    return _same if kind is None else kind.dialect_impl(dialect).bind_processor(dialect) or _same


def _from_driver(kind: TypeEngine[Any], dialect: Dialect) -> Convert:
    return kind.dialect_impl(dialect).result_processor(dialect, None) or _same
