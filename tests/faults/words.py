"""The fault table's code names in words."""

from __future__ import annotations

from collections.abc import Mapping

from billing.policy import retries
from billing.policy.retries import CARD_CODES
from tests.faults.table import Cell, Seen

FAULTS: Mapping[str, str] = {
    "timeout_before": "time-out before it took effect",
    "timeout_after": "time-out after it took effect",
    "drop_before": "connection dropped before it took effect",
    "drop_after": "connection dropped after it took effect",
    "409": "409",
    "429": "429",
    "500": "500",
    "500_saved": "500 that Stripe keeps under the key",
}

TEXTS: Mapping[str, str] = {
    "payment_refunded": "so much went back to the card or account",
    "payment_receipt": "the receipt, with its link",
    "payment_failed": "the payment did not go through, nothing was taken, here is how to try again",
    "payment_failed_card": "the card cannot be used, another one can",
    "payment_failed_bank": "your bank wants to ask you, nothing was taken, here is how",
    "plan_charge_bank": "your bank wants to ask you, nothing was taken, the plan's page where it can",
    "charge_needs_patient": "your bank wants to ask you first, with the link",
    "plan_charge_failed": "the instalment did not go through: when it is tried again, or how to give another card",
    "card_kept": "the card is on file, by its last four digits",
}

PAGES: Mapping[str, str] = {
    "stripe": "Stripe's own page", "down": "we cannot open the payment page right now; nothing was charged",
    "card_done": "your card is saved",
    "working": "your payment is on its way; look again", "paid": "your payment arrived",
}

CASES: Mapping[str, str] = {
    "charge_not_made": "it is not known whether a charge was made; look at Stripe's dashboard before charging again",
    "processor_call": "a call that moves no money has failed for three days",
    "refund_failed": "a refund did not arrive; find another way",
    "payment_after_cancel": "a cancelled payment was paid; its money waits as credit where nothing is owed",
    "unapplied_credit": "money that fits no visit waits as credit",
}


def fault_in_words(cell: Cell) -> str:
    kind, _, about = cell.fault.partition(":")
    if kind == "killed":
        return f"the process is killed at `{about}`"
    if kind == "declined":
        return "3-D Secure is needed" if about == "authentication_required" else f"declined: {CARD_CODES[about]}"
    return FAULTS[cell.fault] + (f", {cell.lasts}" if cell.lasts else "")


def patient_sees(seen: Seen) -> str:
    parts = ([f"page `{seen.page}`"] if seen.page else []) + [f"`{text}`" for text in seen.texts]
    return ", ".join(parts) or "nothing"


def ledger_says(seen: Seen) -> str:
    posted = f"${seen.posted_minor // 100}.{seen.posted_minor % 100:02} from Stripe" if seen.posted_minor else ""
    credit = f"${seen.credit_minor // 100}.{seen.credit_minor % 100:02} credit" if seen.credit_minor else ""
    why = "" if seen.why in CARD_CODES else seen.why  # one row stands for many codes
    status = f"payment {seen.payment}" + (f" ({why})" if why else "") if seen.payment else ""
    other = seen.other.replace("instalment retrying", "instalment not paid").replace("1 days", "1 day")
    return "; ".join(part for part in (status, other, posted, credit) if part) or "nothing"


def staff_see(seen: Seen) -> str:
    return ", ".join(f"`{kind}`" for kind in seen.cases) or "nothing"


def what_next(cell: Cell) -> str:
    """What is done about it by itself, or by the patient."""
    call = cell.at_once.call
    if call.startswith("unknown"):
        return f"same key {call.removeprefix('unknown, ')}; looked for after 23 h" if cell.call in _MONEY else \
            f"the same {call.removeprefix('unknown, ')}"
    if call.startswith("queued"):
        return f"same key {call.removeprefix('queued, ')}"
    if call.startswith("calling"):
        return f"same key {call.removeprefix('calling, ')}, by another process"
    if cell.fault in ("500", "500_saved") and cell.call in ("open_checkout", "open_setup"):
        return "the patient presses again: a new key, for the old one may bring the same 500 every time"
    return _NEXT.get(cell.call, _after_an_answer(cell))


_MONEY = frozenset({"charge_saved", "charge_autopay", "refund"})
_NEXT: Mapping[str, str] = {
    "open_checkout": "the patient presses again: same key, same page",
    "open_setup": "the patient presses again: same key, same page",
    "stripes_page": "another card on the same page",
    "return_page": "Stripe is asked again when the page has run out",
    "silent_page": "Stripe is asked again in a minute",
    "books": "read again within the hour", "payouts": "read again within the hour",
}


def _after_an_answer(cell: Cell) -> str:
    kind, _, code = cell.fault.partition(":")
    if kind != "declined":
        return "nothing is left to do"
    if cell.call == "charge_saved":
        return ("the patient answers their bank, within a day" if code == "authentication_required"
                else "never by itself; the patient may pay another way")
    return {"soft": "again on the practice's retry days", "processor": "again on the next day"}.get(
        retries.kind_of(code), "never again without the patient")
