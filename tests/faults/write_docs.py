"""Writes the generated parts of docs/payments.md from the program's own tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import groupby
from pathlib import Path

from billing import payment_status, plan_status, refund_status
from billing.policy import retries
from billing.policy.register import rule_by_id
from bot.processors.stripe_events import READERS
from tests.faults import words
from tests.faults.calls import CALLS
from tests.faults.table import CELLS, Cell

DOCS = Path(__file__).parents[2] / "docs" / "payments.md"
RULES = tuple(f"T-{number}" for number in range(47, 55))
PART = re.compile(r"(<!-- begin: (?P<name>[a-z ]+) -->\n).*?(<!-- end: (?P=name) -->)", re.DOTALL)


class DocsError(ValueError):
    """The document and the list of its generated parts do not fit together."""


def table(head: str, rows: Iterable[str]) -> str:
    columns = head.count("|") - 1
    return "\n".join([head, "|" + "---|" * columns, *rows]) + "\n"


def moves(life: Mapping[str, frozenset[str]]) -> str:
    rows = (f"| {state} | {', '.join(sorted(after)) or 'nothing: final'} |" for state, after in life.items())
    return table("| From | it can become |", rows)


def events() -> str:
    return table("| Event | It tells of |", (f"| `{name}` | {_about(name)} |" for name in sorted(READERS)))


def _about(name: str) -> str:
    for start, about in (
            ("checkout.session", "a page: paid, with a bank, or run out"),
            ("payment_intent", "a charge of a card on file, or of a page"),
            ("charge.dispute", "a dispute or a bank's return"), ("charge.refund", "a refund"), ("refund", "a refund"),
            ("payment_method", "a card is kept no more"), ("setup_intent", "a card was given without paying")):
        if name.startswith(start):
            return about
    raise DocsError(f"docs/payments.md does not know what {name} is about: add it to tests/faults/write_docs.py")


def rules() -> str:
    found = [rule for rule in map(rule_by_id, RULES) if rule is not None]
    return table("| Rule | What | Source | Evidence | Where set |", (
        f"| {rule.id} | {rule.title} | {rule.citation} | {rule.evidence} | {rule.configured} |" for rule in found))


def faults() -> str:
    parts = []
    for name, cells in groupby(CELLS, key=lambda cell: cell.call):
        parts.append(f"**{CALLS[name].title}** (`{name}`)\n\n{_of_call(list(cells))}")
    return "\n" + "\n".join(parts)


def _of_call(cells: list[Cell]) -> str:
    """Cells that come to the same are one row, in the order of their first."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for cell in cells:
        rows.setdefault(_columns(cell), []).append(words.fault_in_words(cell))
    return table(
        "| What goes wrong | The patient sees | The ledger says | Staff see | What happens next | Afterwards |",
        (f"| {'; '.join(dict.fromkeys(names))} | {' | '.join(columns)} |" for columns, names in rows.items()))


def _columns(cell: Cell) -> tuple[str, ...]:
    seen, after = cell.at_once, cell.after
    later = [words.patient_sees(after), words.ledger_says(after),
             f"staff: {words.staff_see(after)}" if after.cases else "",
             f"Stripe took {_amounts(cell.charged)}"]
    return (words.patient_sees(seen), words.ledger_says(seen), words.staff_see(seen), words.what_next(cell),
            "; ".join(part for part in later if part))


def _amounts(charged: tuple[int, ...]) -> str:
    return " and ".join(f"${minor // 100}.{minor % 100:02}" for minor in charged) or "nothing"


def names() -> str:
    seen = [look for cell in CELLS for look in (cell.at_once, cell.after)]
    texts = sorted({text for look in seen for text in look.texts})
    pages = sorted({look.page for look in seen if look.page})
    cases = sorted({kind for look in seen for kind in look.cases})
    rows = [*(f"| text | `{name}` | {words.TEXTS[name]} |" for name in texts),
            *(f"| page | `{name}` | {words.PAGES[name]} |" for name in pages),
            *(f"| case | `{name}` | {words.CASES[name]} |" for name in cases)]
    return table("| What | Name | It says |", rows)


PARTS: Mapping[str, Callable[[], str]] = {
    "payment life": lambda: moves(payment_status.MOVES), "refund life": lambda: moves(refund_status.MOVES),
    "plan life": lambda: moves(plan_status.MOVES), "retries": retries.as_markdown, "faults": faults, "names": names,
    "events": events, "rules": rules,
}


def filled(text: str) -> str:
    """The document with its generated parts as the program has them now. Raises DocsError: a part too many or few."""
    found = [match["name"] for match in PART.finditer(text)]
    if sorted(found) != sorted(PARTS):
        raise DocsError(f"docs/payments.md has the parts {sorted(found)}, the program {sorted(PARTS)}")
    return PART.sub(lambda match: f"{match[1]}{PARTS[match['name']]()}{match[3]}", text)


def main() -> None:
    DOCS.write_text(filled(DOCS.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
