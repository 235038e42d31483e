"""Statements of hot paths: built and compiled by SQLAlchemy once, then given to the driver as they are.

What a statement is asked with, it names by ``given`` and ``one_of``; a SELECT's rows come back as plain tuples by way
of the columns' own types (sealing, instants, JSON). That is what SQLAlchemy returns for them, at a sixth of its cost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Dialect, Integer, Select, Text, TypeDecorator, Update, bindparam
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.compiler import SQLCompiler

from billing.store import driver

Process = Callable[[Any], Any]
Query = Select[*tuple[Any, ...]]
Rows = list[tuple[Any, ...]]
Places = tuple[tuple[int, Process], ...]


_SEPARATOR = "\x1f"  # occurs in none of our ids, hashes, keys and codes


class _Keys(TypeDecorator[Collection[str] | Collection[int]]):
    """Any number of texts or whole numbers as one value: joined, or a JSON list where SQL cannot part them again. The
    driver's own way of writing an array looks at each text twice, which costs more than finding the rows.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[str] | Collection[int] | None, dialect: Dialect) -> str:
        found = value or ()
        return _SEPARATOR.join(map(str, found)) if dialect.name == "postgresql" else json.dumps(list(found))


def given(name: str) -> BindParameter[Any]:
    """A value that is named when the statement is asked; its type is that of the column it is compared with."""
    return bindparam(name, None)


def one_of(column: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """``column`` is one of the texts or whole numbers given as ``name``, however many these are."""
    kind = "IN_NUMBERS" if isinstance(column.type, Integer) else "IN_LIST"
    return column.bool_op(kind)(bindparam(name, None, _Keys()))


class Prepared:
    """A statement to be asked: of a session, with its values by name. ``prepared`` makes it.

    Raises TypeError when other values are given than the statement names, and what the database raises as SQLAlchemy's
    errors, without the values.
    """

    def __init__(self, build: Callable[[], Query | Update]) -> None:
        self._build = build
        self._plans: dict[str, _Plan] = {}

    def plan(self, dialect: Dialect) -> _Plan:
        if dialect.name not in self._plans:
            self._plans[dialect.name] = _plan(self._build(), dialect)
        return self._plans[dialect.name]

    def __call__(self, session: Session, **values: object) -> Rows:
        return ask_together(session, (self, values))[0]

    def first(self, session: Session, **values: object) -> Any:
        """The first row; None where there is none."""
        return next(iter(self(session, **values)), None)

    def value(self, session: Session, **values: object) -> Any:
        """What the first row begins with; None where there is none."""
        row = self.first(session, **values)
        return row[0] if row else None


def prepared(build: Callable[[], Query | Update]) -> Prepared:
    """Of a function that builds a statement: the statement, built when it is first asked."""
    return Prepared(build)


def ask_together(session: Session, *asked: tuple[Prepared, dict[str, object]]) -> list[Rows]:
    """The rows of several statements; PostgreSQL is asked once for all of them."""
    dialect = session.get_bind().dialect
    plans = [(one.plan(dialect), values) for one, values in asked]
    found = driver.run_together(session, [(plan.statement, plan.values(values)) for plan, values in plans])
    return [plan.rows(rows) for (plan, _), rows in zip(plans, found, strict=True)]


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: str
    constants: dict[str, Any]
    binds: Mapping[str, Process | None]
    order: tuple[str, ...]  # of the values, where the driver wants them in a row
    results: Places

    def values(self, named: dict[str, object]) -> Any:
        if named.keys() != self.binds.keys():
            raise TypeError(f"the statement asks for {', '.join(sorted(self.binds))}")
        whole = dict(self.constants)
        for name, value in named.items():
            bind = self.binds[name]
            whole[name] = value if bind is None else bind(value)
        return [whole[name] for name in self.order] if self.order else whole

    def rows(self, found: Rows) -> Rows:
        if len(self.results) != 1:
            return [self._row(row) for row in found] if self.results else found
        # Of nothing no column's type makes anything, and an instant that a row may have is one that most have not.
        place, _ = self.results[0]
        return [row if row[place] is None else self._row(row) for row in found]

    def _row(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        values = list(row)
        for place, process in self.results:
            values[place] = process(values[place])
        return tuple(values)


_LISTED = re.compile(r"IN_(LIST|NUMBERS) (\?|%\(\w+\)s(?:::\w+)?)")


def _listed(found: re.Match[str]) -> str:
    kind, value = found.groups()
    return f"= ANY (string_to_array({value}, chr(31)){'::bigint[]' if kind == 'NUMBERS' else ''})"


def _plan(statement: Query | Update, dialect: Dialect) -> _Plan:
    compiled: Any = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    assert isinstance(compiled, SQLCompiler)
    asked = {name: bind.type for name, bind in compiled.binds.items() if compiled.params.get(name, ...) is None}
    binds = {name: kind.dialect_impl(dialect).bind_processor(dialect) for name, kind in asked.items()}
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None)
               for column in (statement.selected_columns if isinstance(statement, Select) else ())]
    listed = _listed if dialect.name == "postgresql" else r"IN (SELECT value FROM json_each(\2))"
    return _Plan(
        _LISTED.sub(listed, compiled.string), {name: v for name, v in compiled.params.items() if name not in asked},
        binds, tuple(compiled.positiontup or ()),
        tuple((place, process) for place, process in enumerate(results) if process is not None))
