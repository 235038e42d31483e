"""What a dispute at the bank can be. Its moves are what the processor tells (billing/payment_disputes.py), and the two
steps of people: evidence handed in, and let go.
"""

from __future__ import annotations

#: The bank asks, or has the money, and somebody here may still answer.
TO_ANSWER = frozenset({"inquiry", "open"})
#: The bank has the money and has not decided.
AT_THE_BANK = frozenset({"open", "evidence_sent", "accepted"})
#: Evidence may be handed in; what was let go is not taken up again.
CONTESTABLE = frozenset({"inquiry", "open", "evidence_sent"})
OPEN = TO_ANSWER | AT_THE_BANK
CLOSED = frozenset({"won", "lost", "returned"})
