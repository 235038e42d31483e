"""Public utterances: as noise (what is none of ours) and as yardstick (what maps onto ours, never trained on).

CLINC150 (CC BY 3.0, github.com/clinc/oos-eval) and Banking77 (CC BY 4.0, PolyAI) are given by file, not shipped.
"""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from training.corpora import OUT_OF_SCOPE, Utterance

#: Their classes that mean what one of ours means. "cannot" in a name of theirs is no reason to think so: read them.
YARDSTICK = {
    "greeting": "greeting", "goodbye": "goodbye", "thank_you": "thanks", "yes": "yes", "no": "no", "repeat": "repeat",
    "are_you_a_bot": "are_you_a_robot", "what_can_i_ask_you": "capabilities", "change_language": "language",
    "bill_balance": "balance", "bill_due": "due_date", "pay_bill": "pay", "min_payment": "minimum_payment",
    "insurance_change": "insurance_update", "Refund_not_showing_up": "refund_status",
    "request_refund": "refund_status", "transaction_charged_twice": "dispute",
    "card_payment_not_recognised": "dispute"}
#: Neither ours nor noise: some of their texts are ours, some are not.
UNDECIDED = frozenset({
    "insurance", "cancel", "maybe", "transactions", "report_fraud", "new_card", "reverted_card_payment?",
    "extra_charge_on_statement", "edit_personal_details", "direct_debit_payment_not_recognised",
    "cash_withdrawal_not_recognised", "failed_transfer", "card_about_to_expire",
    "card_payment_fee_charged", "passcode_forgotten",
    "compromised_card"})


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public file: the texts that are noise with the class they came from, and those that map onto ours."""

    name: str
    sha256: str
    noise: tuple[Utterance, ...]
    mapped: tuple[Utterance, ...]
    validation_noise: tuple[Utterance, ...]
    validation_mapped: tuple[Utterance, ...]


def load_public(path: Path) -> PublicSet:
    """Raises ValueError naming the file when it is neither CLINC150's JSON nor a CSV of text and category."""
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if path.suffix == ".json":
        return _clinc(path.stem, digest, data)
    if path.suffix == ".csv":
        return _banking(path.stem, digest, data)
    raise ValueError(f"{path.name}: expected CLINC150's .json or Banking77's .csv")


def _clinc(name: str, digest: str, data: bytes) -> PublicSet:
    splits = json.loads(data)
    train = [*splits.get("train", []), *splits.get("oos_train", [])]
    val = [*splits.get("val", []), *splits.get("oos_val", [])]
    return PublicSet(name, digest, _noise(train), _mapped(train), _noise(val), _mapped(val))


def _banking(name: str, digest: str, data: bytes) -> PublicSet:
    """One line in ten is kept for measuring."""
    rows = [(row["text"], row["category"]) for row in csv.DictReader(data.decode("utf-8").splitlines())]
    train = [row for at, row in enumerate(rows) if at % 10]
    val = rows[::10]
    return PublicSet(name, digest, _noise(train), _mapped(train), _noise(val), _mapped(val))


def _noise(rows: list[tuple[str, str]]) -> tuple[Utterance, ...]:
    return tuple(Utterance(text, f"{OUT_OF_SCOPE}/{label}", "en", "noise") for text, label in rows
                 if label not in YARDSTICK and label not in UNDECIDED)


def _mapped(rows: list[tuple[str, str]]) -> tuple[Utterance, ...]:
    return tuple(Utterance(text, YARDSTICK[label], "en", "yardstick") for text, label in rows if label in YARDSTICK)
