"""Writes docs/rules.md from the program's own rules: ``python -m tests.policy.write_docs``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from billing.policy import book
from billing.policy.core import Rule
from billing.policy.hours import FEDERAL, STATES, StateWindow
from billing.policy.household import CITIES
from billing.policy.register import RULES
from tests.policy.proofs import proofs_of

DOCS = Path(__file__).parents[2] / "docs" / "rules.md"

HEAD = """# Rules

Written by `python -m tests.policy.write_docs` from the code; a test sees that it is current. Not legal advice.

Classes: **gate** (asked about every message and charge), **money** (ledger, payments, plans), **words** (templates and
pages), **records** (what is kept, and how), **organisational** (people see to it; `plainbill check` lists it).
Evidence: V read in the source, S a secondary source, M from memory (a default to be checked), own: our decision.
No jurisdiction is filled from memory: what the field notes do not give is off, and the last table says what is on.
"""


def document() -> str:
    parts = [HEAD, "## T-01 to T-58\n", _numbered(), "## Rules of the product's own\n", _own(),
             "## Jurisdictions\n", _jurisdictions(), "## What people have to see to\n", _duties()]
    return "\n".join(parts)


def _table(head: str, rows: Iterable[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows]) + "\n"


def _numbered() -> str:
    return _table("| Rule | What | Class | Source | Ev. | Default | Where set | Proved by |", (
        f"| {one.id} | {one.title} | {one.kind} | {one.citation} | {one.evidence} | {one.default} | {one.where} "
        f"| {_proofs(one.id)} |" for one in book.entries()))


def _proofs(rule_id: str) -> str:
    found = proofs_of(rule_id)
    if not found:
        return "**not proved yet**"
    shown = ", ".join(f"`{one}`" for one in found[:2])
    return shown + (" and others beside" if len(found) > 2 else "")


def _own() -> str:
    return _table("| Rule | What | About | Source | Ev. | Where set |", (
        f"| {rule.id} | {rule.title} | {_about(rule)} | {rule.citation} | {rule.evidence} | {rule.configured} |"
        for rule in RULES if not rule.id.startswith("T-")))


def _about(rule: Rule) -> str:
    sides = (("messages", rule.judge), ("charges", rule.charge))
    return " and ".join(name for name, side in sides if side is not None) or "kept elsewhere"


def _jurisdictions() -> str:
    rows = [f"| United States | {_hours(FEDERAL)} | always | {FEDERAL.citation} | {FEDERAL.evidence} |"]
    rows += [f"| {state} | {_hours(window)} | patients there, from {window.since} | {window.citation} "
             f"| {window.evidence} |" for state, window in sorted(STATES.items())]
    rows += [f"| {name} | {city.most} contacts in seven days | where policy collections.states names it, from "
             f"{city.since} | {city.citation} | {city.evidence} |" for name, city in CITIES.items()]
    rows += [f"| {', '.join(rule.jurisdictions)} | {rule.title} ({rule.id}) | from {rule.since} | {rule.citation} "
             f"| {rule.evidence} |" for rule in RULES if rule.jurisdictions]
    rows.append("| every other state | nothing of its own | off | | |")
    return _table("| Where | What | On | Source | Ev. |", rows)


def _hours(window: StateWindow) -> str:
    told = f"texts {window.opens:%H:%M} to {window.closes:%H:%M}"
    told += f", Sundays from {window.sunday_opens:%H:%M}" if window.sunday_opens else ""
    return told + (f", {window.per_24_hours} in 24 hours" if window.per_24_hours else "")


def _duties() -> str:
    return _table("| Rule | The practice sees to it that |", (f"| {rule} | {duty} |" for rule, duty in book.DUTIES))


def main() -> None:
    DOCS.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
