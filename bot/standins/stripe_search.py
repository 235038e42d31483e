"""Search of PaymentIntents, which is behind the writes by `search_lag_s` as Stripe's is."""

from __future__ import annotations

import re
from typing import Any

from bot.standins.journal import Row
from bot.standins.stripe_account import Account, Asked, StripeError

_CLAUSE = re.compile(r"""\s*(?:metadata\[(?P<q>["'])(?P<key>.+?)(?P=q)\]|(?P<field>[a-z_]+))\s*"""
                     r"""(?P<op>:|>=|<=|>|<)\s*(?:(?P<v>["'])(?P<text>.*?)(?P=v)|(?P<number>\d+))\s*""")  # fmt: skip
_SEARCHABLE = ("amount", "created", "currency", "customer", "status")


def search_intents(account: Account, asked: Asked) -> Row:
    """Clauses joined by AND; what is younger than `search_lag_s` is not found yet."""
    clauses = [_clause(text) for text in re.split(r"\sAND\s", asked.params["query"])]
    newest = account.journal.clock() - account.options.search_lag_s
    rows = [row for row in account.journal.table("payment_intents").values() if row["created"] <= newest]
    found = [row for row in reversed(rows) if all(_satisfies(row, clause) for clause in clauses)]
    limit = asked.params.get("limit", 10)
    start = int(asked.params.get("page") or 0)
    more = len(found) > start + limit
    return {
        "object": "search_result",
        "url": asked.path,
        "has_more": more,
        "next_page": str(start + limit) if more else None,
        "data": found[start : start + limit],
    }


def _clause(text: str) -> dict[str, Any]:
    match = _CLAUSE.fullmatch(text)
    if match is None or (match["field"] and match["field"] not in _SEARCHABLE):
        raise StripeError(400, f"We were unable to parse your search query near: {text}", param="query")
    return match.groupdict()


def _satisfies(row: Row, clause: dict[str, Any]) -> bool:
    value = row["metadata"].get(clause["key"]) if clause["key"] else row[clause["field"]]
    if clause["op"] == ":":
        return value is not None and str(value) == (clause["text"] if clause["number"] is None else clause["number"])
    wanted = int(clause["number"] or clause["text"])
    return bool({">": value > wanted, "<": value < wanted, ">=": value >= wanted, "<=": value <= wanted}[clause["op"]])
