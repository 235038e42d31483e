"""What the program says in sentences of its own is there in Spanish: why a message was withheld, why a reminder waits,
what stands in the way of an agency, what an importer finds. What is in no table says that it is English.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from billing.hold_kinds import KINDS
from billing.policy.register import RULES
from templates.web import console
from templates.web.console import sentences

ROOT = Path(__file__).parents[2]
SPANISH = console.words("es")


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """What a file of the code is made of; each is asked for several times while tests are collected."""
    return tuple(ast.walk(ast.parse(text_of(path))))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def pattern(node: ast.expr) -> str:
    """A string of the code, with {1}, {2} where it is filled in; empty for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts, places = "", 0
    for one in node.values:
        places += not isinstance(one, ast.Constant)
        parts += str(one.value) if isinstance(one, ast.Constant) else f"{{{places}}}"
    return parts


def patterns(node: ast.expr) -> list[str]:
    """Of an argument: both sides of an "if", each side of an "or"."""
    sides = [node.body, node.orelse] if isinstance(node, ast.IfExp) else node.values if isinstance(
        node, ast.BoolOp) else []
    return [one for side in sides for one in patterns(side)] or [pattern(node)]


def calls(names: tuple[str, ...], *files: str) -> Iterator[list[str]]:
    """The strings that calls of these names are given in these files."""
    for path in sorted(path for file in files for path in ROOT.glob(file)):
        if any(f"{name}(" in text_of(path) for name in names):  # reading a file as code takes a hundred times as long
            yield from (_strings(node) for node in nodes(path) if isinstance(node, ast.Call) and _name(node) in names)


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")


def _strings(call: ast.Call) -> list[str]:
    return [text for one in call.args for text in patterns(one)]


def said(names: tuple[str, ...], *files: str) -> set[str]:
    """The sentences that calls of these names are given."""
    return {one for strings in calls(names, *files) for one in strings
            if " " in one and not re.match(r"\d+ (CFR|USC) ", one)
            and any(part.isalpha() for part in re.sub(r"\{\d\}", "", one))}


GATE = said(("withhold", "Finding", "Ruling", "defer_until_legal", "defer_until"), "billing/policy/*.py",
            "billing/account_stops.py")
REMINDERS = said(("Stopped", "Wait", "_when", "Stop"), "billing/dunning.py", "billing/dunning_facts.py")
AGENCIES = said(("Obstacle", "Reason"), "billing/placement_checks.py", "billing/clocks.py")
CELLS = said(("CellFault",), "billing/importers/csv_values.py")


@pytest.mark.parametrize("sentence", sorted(
    GATE | REMINDERS | AGENCIES | {rule.title for rule in RULES} | {kind.why for kind in KINDS.values()}))
def test_every_reason_that_staff_read_is_there_in_spanish(sentence: str) -> None:
    found = sentences.translate(re.sub(r"\{(\d)\}", r"7\1", sentence), SPANISH)
    assert found is not None and found != sentence
    assert [f"7{one}" in found for one in re.findall(r"\{(\d)\}", sentence)].count(False) == 0


def test_what_an_importer_says_of_a_cell_is_there_in_spanish() -> None:
    known = [one for one in CELLS if sentences.translate(re.sub(r"\{(\d)\}", r"7\1", one), SPANISH)]
    assert len(known) == len(CELLS), sorted(CELLS - set(known))


@cache
def everything_said() -> str:
    """Every string of the program's code, one a line."""
    found = {pattern(node) for folder in ("billing", "bot") for path in sorted((ROOT / folder).rglob("*.py"))
             for node in nodes(path) if isinstance(node, ast.Constant | ast.JoinedStr)}
    return "\n".join(sorted(re.sub(r"\{\w+\}", "\n", one) for one in found))


def test_no_sentence_is_kept_that_the_program_does_not_say() -> None:
    kept = [table for file in sentences.FILES for name, table in console.words("en")[file].items()
            if (file, name) != ("formfaults", "read")]  # pydantic says those: test_form_faults.py
    parts = {part.strip(" ;:,().") for table in kept for text in table.values() for part in re.split(r"\{\d\}", text)}
    assert sorted(one for one in parts if one not in everything_said()) == []


@pytest.mark.parametrize(("filled", "expected"), [
    (sentences.told, '<span lang="en">my &lt;own&gt; words</span>'), (sentences.if_ours, "my &lt;own&gt; words")])
def test_what_is_not_known_stays_as_it_is_and_is_marked_where_it_is_the_programs(
        filled: Callable[..., str], expected: str) -> None:
    from jinja2 import Environment

    environment = Environment(autoescape=True)
    environment.filters["filled"] = filled
    page = environment.from_string("{{ text|filled }}")
    for lang, shown in (("es", expected), ("en", "my &lt;own&gt; words")):
        assert page.render(text="my <own> words", lang=lang, w=console.words(lang)) == shown


def test_half_a_sentence_is_never_translated() -> None:
    assert sentences.translate("line 4: nobody has written this down for Spanish", SPANISH) is None
    assert sentences.translate("nobody knows this (26 CFR 1.501)", SPANISH) is None
    assert sentences.translate("nothing is due now; nobody has written this", SPANISH) is None
    assert sentences.translate("held: dispute, bankruptcy", SPANISH) == "retenido: disputa, bancarrota"
