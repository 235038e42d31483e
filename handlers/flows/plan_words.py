"""What templates may know of plans and offers, and the other way round: asks and offers as a state keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from billing.plan_offers import Ask, Offer
from billing.plan_terms import Part
from billing.views import InstalmentView, PlanView
from handlers.accounts import card_words


def ask_json(ask: Ask) -> dict[str, Any]:
    known = {"amount_minor": ask.amount_minor, "count": ask.count, "interval": ask.interval, "days": list(ask.days),
             "first_on": ask.first_on.isoformat() if ask.first_on else None, "months": ask.months}
    return {key: value for key, value in known.items() if value}


def ask_of(data: Mapping[str, Any]) -> Ask:
    first = data.get("first_on")
    return Ask(data.get("amount_minor"), data.get("count"), data.get("interval"), tuple(data.get("days", ())),
               date.fromisoformat(first) if first else None, data.get("months"))


def is_empty(ask: Ask) -> bool:
    return ask == Ask()


def numbered(offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """The offers as a numbered list: how many payments of how much, how often, from when, and the last one."""
    return [{"number": number, **one(offer)} for number, offer in enumerate(offers, 1)]


def one(offer: Offer) -> dict[str, Any]:
    return {"count": offer.count, "amount_minor": offer.amount_minor, "last_minor": offer.last_minor,
            "deposit_minor": offer.deposit_minor, "every": offer.interval,
            "first_on": offer.instalments[0].due_on.isoformat(), "last_on": offer.parts[-1].due_on.isoformat(),
            "total_minor": sum(part.amount_minor for part in offer.parts)}


def parts(listed: Sequence[Part]) -> list[dict[str, Any]]:
    return [{"on": part.due_on.isoformat(), "amount_minor": part.amount_minor} for part in listed]


def most_minor(offer: Offer) -> int:
    return max(part.amount_minor for part in offer.parts)


def status(plan: PlanView) -> dict[str, Any]:
    """Where a running plan stands."""
    following = plan.next
    return {"left_minor": plan.left_minor, "total_minor": plan.total_minor, "card": card_words(plan.method),
            "next_minor": following.open_minor if following else 0, "next_on": _day(following),
            "autopay": plan.collects == "autopay" and plan.method is not None, "paused": plan.status == "paused",
            "behind": plan.status == "behind"}


def _day(instalment: InstalmentView | None) -> str | None:
    return instalment.due_on.isoformat() if instalment else None
