"""Named points at which a crash test kills the process: ``PLAINBILL_FAILPOINT=deliver.posted`` or ``...posted:3``.

SIGKILL, because nothing may be tidied up: what a power cut leaves behind is what recovery has to live with. The
settings refuse the variable in production; unset, ``hit`` is an empty function.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Final

VARIABLE: Final = "PLAINBILL_FAILPOINT"

RECEIVE: Final = (
    "accept.stored", "accept.committed", "receive.claimed", "receive.loaded", "receive.decided", "receive.applied",
    "receive.rendered", "receive.queued", "receive.finished", "receive.committed", "receive.failed",
)
DELIVER: Final = (
    "deliver.claimed", "deliver.judged", "deliver.marked", "deliver.posted", "deliver.refused", "deliver.recorded",
    "deliver.committed", "lookup.asked", "lookup.recorded", "tick.released",
)
#: A press on the button, the way back from the processor's page, and asking about pages that ran out in silence.
PAY: Final = (
    "pay.begun", "pay.asked", "pay.opened", "return.asked", "return.applied", "reconcile.asked", "reconcile.applied",
)
#: A call to the processor: claimed, answered, its outcome written down; or it brought an error.
CALL: Final = ("call.claimed", "call.asked", "call.recorded", "call.refused")
#: Reading the processor's books, and saying what each difference came to.
RECONCILE: Final = ("reconcile.entries", "reconcile.payouts", "reconcile.judged")
#: Telegram by polling: what getUpdates brought is accepted one by one, and confirmed by the next getUpdates.
POLL: Final = ("poll.fetched", "poll.accepted")
POSTINGS: Final = ("postings.gathered", "postings.written")
#: Batches of a file: the next one holds its accounts, is written, may commit, each while the one before is under way or
#: has just ended; and any batch that has committed.
IMPORT: Final = ("import.loaded", "import.ahead", "import.turn", "import.committed")
#: A bulk run: its rows laid out; rows chosen, a message queued and its row settled in one transaction, that committed;
#: the end looked for.
CAMPAIGN: Final = ("campaign.started", "campaign.chosen", "campaign.queued", "campaign.settled", "campaign.committed",
                   "campaign.finished")
#: A file to an agency, and each row of its report.
AGENCY: Final = ("agency.gathered", "agency.written", "agency.opened", "agency.row")
#: The calendar of reminders: an account worked, and its transaction committed.
DUNNING: Final = ("dunning.worked", "dunning.committed")
#: A print run: some letters taken into it, closed, its files written under another name, its letters counted as having
#: left, its files under its own name.
MAIL: Final = ("mail.taken", "mail.gathered", "mail.filled", "mail.ready", "mail.written")
NAMES: Final = frozenset(RECEIVE + DELIVER + PAY + CALL + RECONCILE + POLL + POSTINGS + IMPORT + CAMPAIGN + DUNNING
                         + AGENCY + MAIL)


class FailpointError(ValueError):
    """The variable names no failpoint, or is set where it may not be."""


def make_killer(setting: str) -> Callable[[str], None] | None:
    """Return the function that kills on the n-th passing of the named point; None for none. Raises FailpointError."""
    if not setting:
        return None
    name, _, count = setting.partition(":")
    if name not in NAMES or not (count or "1").isdigit():
        raise FailpointError(f"{VARIABLE}={setting} names no failpoint; they are: {', '.join(sorted(NAMES))}")
    left = int(count or "1")

    def kill(passed: str) -> None:
        nonlocal left
        if passed == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return kill


def refuse_in_production(in_production: bool) -> None:
    """Raise FailpointError when a failpoint is armed in production."""
    if in_production and os.environ.get(VARIABLE):
        raise FailpointError(f"{VARIABLE} is for crash tests; unset it")


_killer = make_killer(os.environ.get(VARIABLE, ""))


def arm(setting: str) -> None:
    """Set or, with an empty setting, disarm the point of this process. Raises FailpointError."""
    global _killer
    _killer = make_killer(setting)


def hit(name: str) -> None:
    """Pass a point. Nothing happens unless it is armed."""
    if _killer is not None:
        _killer(name)
