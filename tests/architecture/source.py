"""The code base as the architecture tests see it: files, syntax trees, and where something stands."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("bot", "handlers", "billing", "templates", "config")
GENERATED = ("billing/store/migrations/versions/",)


@dataclass(frozen=True)
class Module:
    """One Python file. ``name`` is its path from the root, with slashes."""

    name: str
    text: str
    tree: ast.Module

    def at(self, node: ast.AST) -> str:
        return f"{self.name}:{getattr(node, 'lineno', 1)}"

    def line(self, node: ast.AST) -> str:
        return self.text.splitlines()[getattr(node, "lineno", 1) - 1]

    def within(self, *prefixes: str) -> bool:
        return self.name.startswith(prefixes)


@cache
def modules() -> tuple[Module, ...]:
    """Every module that ships, migrations written by tools left out."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if not name.startswith(GENERATED):
                text = path.read_text("utf-8")
                found.append(Module(name, text, ast.parse(text, name)))
    return tuple(found)


def functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(module: Module) -> Iterator[tuple[ast.Call, str, str]]:
    """Every call of ``owner.name(...)`` as (node, owner, name); owner is the last word before the dot."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            value = node.func.value
            owner = value.id if isinstance(value, ast.Name) else getattr(value, "attr", "")
            yield node, owner, node.func.attr


def imports(module: Module) -> Iterator[tuple[ast.AST, str]]:
    """Every imported name in full: ``from a.b import c`` is ``a.b.c``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node, alias.name
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node, f"{node.module}.{alias.name}"


@cache
def kept_files() -> tuple[Path, ...]:
    """Every file that is in version control or would be with the next ``git add``."""
    listing = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in listing.split("\0") if name and (path := ROOT / name).is_file())
