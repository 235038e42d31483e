"""Paying over time with a lender beside the practice: its name and its link, once asked for. We fill in nothing for
anybody, keep nothing of it, and ask nothing that an application would ask (T-54: NY GBL 349-g).
"""

from __future__ import annotations

from handlers.core import Reply, Turn
from handlers.turns import local_day, wish
from handlers.understanding import plans


def reply(turn: Turn) -> Reply | None:
    """The lender that the practice has switched on; None where there is none, or not yet."""
    lender = turn.practice.policy.payments.pay_over_time
    if lender is None or lender.since > local_day(turn, turn.now):
        return None
    return Reply("pay_over_time", {"lender": lender.name, "url": lender.url})


def asked_for(turn: Turn) -> Reply | None:
    """The same, where this text asks for a loan or for the lender by name."""
    lender = turn.practice.policy.payments.pay_over_time
    return reply(turn) if lender is not None and plans.asks_for_credit(wish(turn), lender.name) else None
