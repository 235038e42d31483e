"""Files and functions stay small, names say what things are, and every module says what it is for."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath

from tests.architecture.source import functions, modules

FILE_LINES = 400
FUNCTION_LINES = 60
_SAYS_NOTHING = {"utils", "util", "helpers", "helper", "manager", "managers", "service", "services", "common", "misc",
                 "models", "base_service", "tools", "stuff"}


def test_no_file_is_longer_than_the_limit() -> None:
    wrong = {m.name: count for m in modules() if (count := m.text.count("\n")) > FILE_LINES}
    assert wrong == {}


def test_no_function_is_longer_than_the_limit() -> None:
    wrong = {f"{m.at(f)} {f.name}": length for m in modules() for f in functions(m)
             if (length := (f.end_lineno or f.lineno) - f.lineno + 1) > FUNCTION_LINES}
    assert wrong == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    wrong = [m.name for m in modules() if set(PurePosixPath(m.name).with_suffix("").parts) & _SAYS_NOTHING]
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    wrong = [m.name for m in modules() if m.tree.body and ast.get_docstring(m.tree) is None]
    assert wrong == []


def test_every_module_postpones_its_annotations() -> None:
    wrong = [m.name for m in modules() if m.tree.body and "from __future__ import annotations" not in m.text
             and any(not isinstance(node, ast.Expr) for node in m.tree.body)]
    assert wrong == []


def test_every_exception_of_ours_says_when_it_is_raised() -> None:
    wrong = [f"{m.at(node)} {node.name}" for m in modules() for node in m.tree.body
             if isinstance(node, ast.ClassDef) and any(_is_exception(base) for base in node.bases)
             and ast.get_docstring(node) is None]
    assert wrong == []


def _is_exception(base: ast.expr) -> bool:
    name = base.id if isinstance(base, ast.Name) else getattr(base, "attr", "")
    return name.endswith(("Error", "Exception"))
