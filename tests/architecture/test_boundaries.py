"""SQL, commits, money and the wall clock each stay in their own place."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, calls, imports, modules

#: Outside the store a session may be named and handed on, and its errors caught; nothing else of SQLAlchemy.
_HANDED_ON = ("sqlalchemy.orm.Session", "sqlalchemy.exc.")
_DATABASES = ("sqlalchemy", "psycopg", "alembic", "sqlite3")
#: How surely a text was understood is a fraction, and never becomes an amount.
#: What is counted there are words, never money.
_WEIGHS_WORDS = ("handlers/understanding/", "templates/readability.py", "templates/wordcheck.py")
_EXACT = ("billing/", "handlers/", "templates/", "config/practice")


def test_all_sql_stands_in_the_store() -> None:
    wrong = [f"{m.at(node)} {name}" for m in modules() if not m.within("billing/store/", "bot/write.py")
             for node, name in imports(m)
             if name.split(".")[0] in _DATABASES and not name.startswith(_HANDED_ON)]
    assert wrong == []


def test_only_bot_write_commits_or_rolls_back() -> None:
    """But for a rehearsal, which takes its own savepoint back and ends nobody's transaction."""
    allowed = ("bot/write.py", "billing/store/schema.py", "billing/store/migrations/", "bot/standins/",
               "billing/rehearsals.py")
    wrong = [m.at(node) for m in modules() if not m.within(*allowed)
             for node, owner, name in calls(m)
             if name in ("commit", "rollback") or (name == "begin" and owner in ("session", "connection", "engine"))]
    assert wrong == []


def test_no_float_comes_near_money() -> None:
    wrong = [m.at(node) for m in modules() if m.within(*_EXACT) and not m.within(*_WEIGHS_WORDS)
             for node in ast.walk(m.tree) if _is_float(node) and "confidence" not in m.line(node)]
    assert wrong == []


def _is_float(node: ast.AST) -> bool:
    return (isinstance(node, ast.Name) and node.id == "float") or (
        isinstance(node, ast.Constant) and isinstance(node.value, float))


def test_no_rounding_happens_near_money() -> None:
    wrong = [m.at(node) for m in modules() if m.within(*_EXACT) and not m.within(*_WEIGHS_WORDS)
             for node in ast.walk(m.tree)
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "round"]
    assert wrong == []


def test_the_wall_clock_is_read_at_the_edge_only() -> None:
    wrong = [f"{m.at(node)} {owner}.{name}" for m in modules() if not m.within("bot/", "config/clock.py")
             for node, owner, name in calls(m) if _reads_a_clock(m, owner, name)]
    assert wrong == []


def _reads_a_clock(module: Module, owner: str, name: str) -> bool:
    if owner == "time":
        # The ids' leading part serves index pages alone; no rule reads it.
        return name in ("time", "time_ns", "localtime", "gmtime") and not module.within("billing/ids.py")
    return owner in ("datetime", "date") and name in ("now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp")


def test_nobody_makes_a_naive_datetime() -> None:
    wrong = [m.at(node) for m in modules() for node, owner, name in calls(m)
             if owner == "datetime" and (name in ("utcnow", "utcfromtimestamp") or (name == "now" and not node.args
                                                                                    and not node.keywords))]
    assert wrong == []
