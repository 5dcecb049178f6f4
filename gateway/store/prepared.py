"""Statements that are built and compiled once for each kind of database, and then only bound and run.

SQLAlchemy builds, caches and wraps every statement anew at each call, which costs ten times what the database does for
one row. What every request runs is therefore prepared: a function that builds the statement from its arguments is
called once, with parameters in their places, and from then on its arguments are only bound. Statements and types, and
what types make of values, stay SQLAlchemy's.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial, wraps
from inspect import signature
from typing import Any, Final, NamedTuple, ParamSpec, cast

from sqlalchemy import ClauseElement, Insert, Select, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.types import TypeEngine

Arguments = ParamSpec("Arguments")
Convert = Callable[[Any], Any]
Given = Sequence[object]
"""The values of a statement's named parameters, in the order of the names."""

Changes = tuple[tuple[int, Convert], ...]
"""At which places which conversion is to be done."""

MOST_INSERTS: Final = 256


class Compiled(NamedTuple):
    """A statement for one kind of database.

    ``arguments`` makes of the given values what the driver takes, a sequence or a mapping; ``rows`` makes named tuples
    of the driver's rows.
    """

    sql: str
    arguments: Callable[[Given], Any]
    rows: Callable[[Sequence[tuple[Any, ...]]], list[Any]]


class Prepared:
    """A statement with named parameters.

    Args:
        statement: The statement.
        names: Those of its parameters, in the order in which their values are given.
    """

    def __init__(self, statement: ClauseElement, names: tuple[str, ...]) -> None:
        self._statement = statement
        self._names = names
        self._compiled: dict[str, Compiled] = {}

    def locked(self, *, skip_locked: bool = False) -> "Prepared":
        """The same, whose rows nobody else changes until the transaction ends."""
        return _locked(self, skip_locked)

    def with_for_update(self, *, skip_locked: bool) -> "Prepared":
        """What ``locked`` keeps."""
        statement = cast(Select[*tuple[Any, ...]], self._statement)
        return Prepared(statement.with_for_update(skip_locked=skip_locked), self._names)

    def compiled(self, dialect: Dialect) -> Compiled:
        """The statement for one kind of database, compiled once."""
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _compiled(self._statement, self._names, dialect)
        return known


class Bound(NamedTuple):
    """A prepared statement with its values, to be run."""

    statement: Prepared
    values: Given


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
        if len(args) != len(names):
            raise ValueError(f"{len(args)} arguments for {len(names)} parameters")
        if not kept:
            statement = cast(Callable[..., ClauseElement], build)(
                **{name: bindparam(given) for name, given in names.items()}
            )
            kept.append(Prepared(statement, tuple(names.values())))
        return Bound(kept[0], args)

    return bound


@lru_cache(maxsize=MOST_INSERTS)
def insert_into(table: Table, columns: tuple[str, ...]) -> Prepared:
    """An insert that names these columns."""
    return Prepared(table.insert().values({name: bindparam(name) for name in columns}), columns)


@lru_cache(maxsize=MOST_INSERTS)
def insert_new(table: Table, columns: tuple[str, ...], database: str) -> Prepared:
    """An insert that gives the first column of the key, or no row when the key is there already."""
    statement: Insert = _insert(table, columns, database).on_conflict_do_nothing()
    return Prepared(statement.returning(next(iter(table.primary_key))), columns)


@lru_cache(maxsize=MOST_INSERTS)
def insert_newer(table: Table, columns: tuple[str, ...], database: str, by: str) -> Prepared:
    """An insert that takes the place of the row with its key if that has less in one column."""
    insert = _insert(table, columns, database)
    given, key = insert.excluded, table.primary_key
    values = {name: given[name] for name in columns if name not in key.columns}
    statement: Insert = insert.on_conflict_do_update(index_elements=key, set_=values, where=table.c[by] < given[by])
    return Prepared(statement, columns)


def _insert(table: Table, columns: tuple[str, ...], database: str) -> Any:  # noqa: ANN401  # a type for each database
    insert: Any = postgresql.insert if database == "postgresql" else sqlite.insert
    return insert(table).values({name: bindparam(name) for name in columns})


@lru_cache(maxsize=MOST_INSERTS)
def update_of(table: Table, keys: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    """An update of these columns where those of the key are what is given: first the key's values, then the others."""
    where = [table.c[name] == bindparam(f"key_{name}") for name in keys]
    update = table.update().where(*where).values({name: bindparam(name) for name in columns})
    return Prepared(update, (*(f"key_{name}" for name in keys), *columns))


@lru_cache(maxsize=MOST_INSERTS)
def _locked(statement: Prepared, skip_locked: bool) -> Prepared:  # noqa: FBT001  # the key of a cache
    return statement.with_for_update(skip_locked=skip_locked)


def _compiled(statement: ClauseElement, given: tuple[str, ...], dialect: Dialect) -> Compiled:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only selects, inserts, updates and deletes are prepared")
    own = compiled.params
    names = tuple((compiled.positiontup if compiled.positional else list(own)) or ())
    constants = {name: own[name] for name in names if name not in given}
    places = [(*given, *constants).index(name) for name in names]
    bind = _changes(_to_driver(compiled, name, dialect) for name in names)
    arguments = _arguments(_picked(places, len(given), tuple(constants.values())), bind)
    columns = _columns(statement)
    convert = _changes(each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns)
    return Compiled(
        sql=str(compiled),
        arguments=arguments if compiled.positional else _by_name(names, arguments),
        rows=_rows(_row(tuple(str(each.key) for each in columns)), convert),
    )


def _picked(places: Sequence[int], given: int, constants: tuple[object, ...]) -> Callable[[Given], Given]:
    """Chooses the values at these places among the given ones and, behind them, the statement's own."""
    if list(places) == list(range(given)):
        return tuple  # as they are given, and nothing of its own: most statements
    return lambda values: [(*values, *constants)[place] for place in places]


def _arguments(picked: Callable[[Given], Given], bind: Changes) -> Callable[[Given], Given]:
    """The values as their types want them; a type that leaves them alone costs nothing."""
    if picked is tuple:
        return partial(_changed, bind) if bind else tuple
    return lambda values: _changed(bind, picked(values))


def _by_name(names: tuple[str, ...], arguments: Callable[[Given], Given]) -> Callable[[Given], Any]:
    return lambda values: dict(zip(names, arguments(values), strict=True))


def _rows(row: Callable[[Iterable[Any]], Any], convert: Changes) -> Callable[[Sequence[tuple[Any, ...]]], list[Any]]:
    if not convert:
        return lambda found: list(map(row, found))
    return lambda found: [row(_changed(convert, each)) for each in found]


def _changes(converts: Iterable[Convert | None]) -> Changes:
    """The places at which something is to be done."""
    return tuple((place, convert) for place, convert in enumerate(converts) if convert is not None)


def _changed(changes: Changes, values: Sequence[Any]) -> list[Any]:
    changed = list(values)
    for place, convert in changes:
        changed[place] = convert(changed[place])
    return changed


def _row(names: tuple[str, ...]) -> Callable[[Iterable[Any]], Any]:
    """Makes named tuples, as plain as a row of SQLAlchemy's."""
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]  # noqa: PYI024  # known at run time only
    return partial(tuple.__new__, kind)


def _columns(statement: ClauseElement) -> tuple[ColumnElement[Any], ...]:
    chosen = getattr(statement, "selected_columns", None)
    given = getattr(statement, "exported_columns", ()) if chosen is None else chosen
    return tuple(given)


def _to_driver(compiled: SQLCompiler, name: str, dialect: Dialect) -> Convert | None:
    bind = compiled.binds.get(name)
    kind: TypeEngine[Any] | None = None if bind is None else bind.type
    return None if kind is None else kind.dialect_impl(dialect).bind_processor(dialect)
