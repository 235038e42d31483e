"""The fault table as data: one row per cell, what is to be seen at once and on the next day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from billing.policy.retries import CARD_CODES, MEANINGS


@dataclass(frozen=True)
class Seen:
    """What there is to see at one moment. ``page``, ``texts``: the patient; ``payment`` and ``why``, ``posted_minor``
    (cents that stand as taken through Stripe), ``credit_minor``, ``other``: our books; ``cases``: staff; ``call``: what
    happens next.
    """

    page: str = ""
    texts: tuple[str, ...] = ()
    payment: str = ""
    why: str = ""
    posted_minor: int = 0
    credit_minor: int = 0
    other: str = ""
    cases: tuple[str, ...] = ()
    call: str = ""


@dataclass(frozen=True)
class Cell:
    """``fault`` as the stand-in knows it, "declined:CODE" or "killed:FAILPOINT"; ``lasts``: "" (once, for a page as
    long as the patient waits), "for a day", "for days"; ``charged``: what Stripe took.
    """

    call: str
    fault: str
    at_once: Seen = Seen()
    after: Seen = Seen()
    charged: tuple[int, ...] = ()
    lasts: str = ""

    @property
    def name(self) -> str:
        return "-".join(part.replace(" ", "_") for part in (self.call, self.fault, self.lasts) if part)

    @property
    def hangs(self) -> bool:
        return self.fault.startswith("timeout")


#: Without an answer: nobody knows whether it took effect.
LOST = ("timeout_before", "timeout_after", "drop_before", "drop_after", "409", "500")
READING = ("timeout_before", "drop_before", "409", "429", "500")

ASKED = "unknown, again in 1 min"
QUEUED = "queued, again in 1 min"
KILLED = "calling, again in 2 min"
RECEIPT = ("payment_receipt",)

FAST = frozenset({
    "charge_saved-timeout_after", "charge_saved-500_saved", "charge_autopay-declined:lost_card", "refund-drop_after",
    "charge_saved-declined:authentication_required",
})


def _same(call: str, faults: tuple[str, ...], at_once: Seen, after: Seen, charged: tuple[int, ...] = (),
          lasts: str = "") -> tuple[Cell, ...]:
    return tuple(Cell(call, fault, at_once, after, charged, lasts) for fault in faults)


def _call(call: str, before: Seen, after: Seen, charged: tuple[int, ...] = ()) -> tuple[Cell, ...]:
    """A call that is written down: whatever happens once, it is made again under its key and comes to its end."""
    killed = tuple(f"killed:call.{point}" for point in ("claimed", "asked", "recorded"))
    return (*_same(call, LOST, replace(before, call=ASKED), after, charged),
            *_same(call, ("429",), replace(before, call=QUEUED), after, charged),
            *_same(call, killed, replace(before, call=KILLED), after, charged))


def _moves_money(call: str, before: Seen, after: Seen, never: Seen, charged: tuple[int, ...],
                 not_charged: tuple[int, ...]) -> tuple[Cell, ...]:
    """As ``_call``; a fault that stays is ended by looking for our id, and so is a 500 that is kept under the key."""
    lost = replace(before, call=ASKED)
    return (*_call(call, before, after, charged), *_same(call, ("500_saved",), lost, never, not_charged),
            *_same(call, ("timeout_after",), lost, after, charged, "for a day"),
            *_same(call, ("timeout_before", "500"), lost, never, not_charged, "for a day"))


def _moves_none(call: str, before: Seen, after: Seen, given_up: Seen) -> tuple[Cell, ...]:
    lost = replace(before, call=ASKED)
    return (*_call(call, before, after), *_same(call, ("500_saved",), lost, after),
            *_same(call, ("timeout_before", "500"), lost, given_up, (), "for days"))


def _declined(call: str, by_kind: Mapping[str, tuple[Seen, Seen, tuple[int, ...]]]) -> Iterator[Cell]:
    """Every code of the table of retries that a bank can say; what it means is its kind."""
    for code, kind in sorted(CARD_CODES.items(), key=lambda pair: (list(MEANINGS).index(pair[1]), pair[0])):
        if code not in ("not_made", "authentication_required"):  # our own word; and 3-D Secure has rows of its own
            at_once, after, charged = by_kind[kind]
            yield Cell(call, f"declined:{code}", replace(at_once, why=code), replace(after, why=code), charged)


def _saved(text: str, other: str = "") -> tuple[Seen, Seen, tuple[int, ...]]:
    seen = Seen(texts=(text,), payment="failed", other=other, call="done")
    return seen, seen, ()


def _autopay(text: str, other: str) -> tuple[Seen, Seen, tuple[int, ...]]:
    return _saved(text, f"instalment retrying{other}")


CREATED = Seen(payment="created")
PAID = Seen(texts=RECEIPT, payment="succeeded", posted_minor=100_00, call="done")
CHARGING = Seen(payment="created", other="instalment charging")
INSTALMENT_PAID = Seen(texts=RECEIPT, payment="succeeded", posted_minor=25_00, other="instalment paid", call="done")
#: The first charge was not made; the plan charges again, under another key, when that is known.
PAID_THE_SECOND_TIME = Seen(texts=RECEIPT, payment="failed", why="not_made", posted_minor=25_00,
                            other="instalment paid", cases=("charge_not_made",), call="done")
TOMORROW = replace(_autopay("plan_charge_failed", ", again 1 days after it was due")[0])
PAID_TOMORROW = Seen(texts=("plan_charge_failed", *RECEIPT), payment="failed", posted_minor=25_00,
                     other="instalment paid", call="done")
APPROVED = Seen(payment="succeeded", posted_minor=100_00, other="refund approved")
REFUNDED = Seen(texts=("payment_refunded",), payment="partly_refunded", posted_minor=70_00, other="refund succeeded",
                call="done")
NOT_REFUNDED = Seen(payment="succeeded", posted_minor=100_00, other="refund failed", cases=("refund_failed",),
                    call="not_made")
OVERTAKEN = Seen(payment="cancelled", why="overtaken")
#: $45.50 of it pay the other visit that is due.
PAID_TWICE = Seen(texts=RECEIPT, payment="succeeded", posted_minor=100_00, credit_minor=54_50,
                  cases=("unapplied_credit", "payment_after_cancel"), call="done")
WAITING = Seen(payment="needs_patient")
NOT_CONFIRMED = Seen(texts=("payment_failed",), payment="cancelled", why="not_confirmed", call="done")
#: Staff were called after three days, and a new call was begun: a patient must not stay stuck with the first.
ASKED_ANEW = replace(NOT_CONFIRMED, cases=("processor_call",))
REMOVED = Seen(other="card removed")
OPENED = Seen(payment="pending")
BOOKED = Seen(texts=RECEIPT, payment="succeeded", posted_minor=100_00)
NOT_KEPT = Seen(other="setup open, card not kept")
KEPT = Seen(page="card_done", texts=("card_kept",), other="setup done, card kept")


def _given_up(seen: Seen) -> Seen:
    return replace(seen, cases=("processor_call",), call="staff")


def _pages() -> Iterator[Cell]:
    down, paid = replace(OPENED, page="down"), replace(BOOKED, page="paid")
    yield from _same("open_checkout", (*LOST, "429", "500_saved"), down, paid, (100_00,))
    yield from _same("open_checkout", ("killed:pay.begun", "killed:pay.asked", "killed:pay.opened"), OPENED, paid,
                     (100_00,))
    for code in ("insufficient_funds", "lost_card", "incorrect_cvc", "processing_error", "stop_payment_order"):
        yield Cell("stripes_page", f"declined:{code}", OPENED, paid, (100_00,))
    yield from _same("open_setup", (*LOST, "429", "500_saved"), replace(NOT_KEPT, page="down"), KEPT)
    yield from _same("return_page", READING, replace(OPENED, page="working"), BOOKED, (100_00,))
    yield from _same("return_page", ("killed:return.asked", "killed:return.applied"), OPENED, BOOKED, (100_00,))
    yield from _same("silent_page", READING, OPENED, BOOKED, (100_00,))
    yield from _same("silent_page", ("killed:reconcile.asked", "killed:reconcile.applied"), OPENED, BOOKED, (100_00,))


def _charges() -> Iterator[Cell]:
    not_made = Seen(texts=("payment_failed",), payment="failed", why="not_made", cases=("charge_not_made",),
                    call="not_made")
    yield from _moves_money("charge_saved", CREATED, PAID, not_made, (100_00,), ())
    yield from _declined("charge_saved", {
        "hard": _saved("payment_failed_card", "card failed"), "revoked": _saved("payment_failed_card", "card failed"),
        "soft": _saved("payment_failed"), "processor": _saved("payment_failed"),
        "patient": _saved("payment_failed_bank")})
    asked = Seen(texts=("charge_needs_patient",), payment="needs_patient", call="done")
    yield Cell("charge_saved", "declined:authentication_required", asked,
               replace(NOT_CONFIRMED, texts=("charge_needs_patient", "payment_failed")))
    yield from _moves_money("charge_autopay", CHARGING, INSTALMENT_PAID, PAID_THE_SECOND_TIME, (25_00,), (25_00,))
    patient = _autopay("plan_charge_bank", "")
    yield from _declined("charge_autopay", {
        "hard": _autopay("plan_charge_failed", ", plan by link"),
        "revoked": _autopay("plan_charge_failed", ", plan by link"),
        "soft": _autopay("plan_charge_failed", ", again 3 days after it was due"),
        "processor": (TOMORROW, PAID_TOMORROW, (25_00,)), "patient": patient})
    yield Cell("charge_autopay", "declined:authentication_required",
               replace(patient[0], why="authentication_required"), replace(patient[1], why="authentication_required"))


def _others() -> Iterator[Cell]:
    yield from _moves_money("refund", APPROVED, REFUNDED, NOT_REFUNDED, (100_00,), (100_00,))
    yield from _moves_none("expire_page", OVERTAKEN, replace(OVERTAKEN, call="done"), _given_up(OVERTAKEN))
    yield from _same("expire_page_late", ("timeout_before", "drop_before", "409", "500"),
                     replace(OVERTAKEN, call=ASKED), PAID_TWICE, (100_00,))
    yield from _moves_none("cancel_charge", WAITING, NOT_CONFIRMED, ASKED_ANEW)
    yield from _moves_none("remove_method", REMOVED, replace(REMOVED, call="done"), _given_up(REMOVED))
    yield from _same("books", READING, OPENED, BOOKED, (100_00,))
    yield from _same("books", ("killed:reconcile.entries",), OPENED, BOOKED, (100_00,))
    yield from _same("books", ("killed:reconcile.judged",), replace(BOOKED, texts=()), BOOKED, (100_00,))
    yield from _same("payouts", READING, OPENED, BOOKED, (100_00,))
    yield from _same("payouts", ("killed:reconcile.payouts",), OPENED, BOOKED, (100_00,))


CELLS: tuple[Cell, ...] = (*_pages(), *_charges(), *_others())
