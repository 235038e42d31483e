"""The kinds of hold, as data: what each stops, where it may lie, when somebody has to look at it again.

Source: field notes, receivables.md D4 (stops are checked when a text is sent and when a card is charged).
``reach`` of a stop: nothing, the visit that carries the hold, or the whole account. A hold without a visit lies on
the account and reaches all of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reach = Literal["", "visit", "account"]
Scope = Literal["visit", "account", "either"]
Evidence = Literal["V", "S", "M", "own"]


@dataclass(frozen=True, slots=True)
class HoldKind:
    """``not_due``: the amount counts as held, not as due now. ``review_days`` empty: it stands until released."""

    name: str
    not_due: bool
    stops_demand: Reach
    stops_charge: Reach
    scope: Scope
    review_days: int | None
    citation: str
    evidence: Evidence
    why: str


_D4 = "receivables.md D4"

_ALL = (
    HoldKind("waiver_check", True, "", "", "visit", 30, "receivables.md D1 (other PR reasons need a signed waiver)",
             "M", "part of the bill needs a signed waiver before it may be asked for"),
    # The remark names one visit, but QMB is a status of the person: their other Medicare visits are barred as well.
    HoldKind("qmb", True, "account", "visit", "either", None, "42 USC 1396a(n)(3)(B); 42 CFR 447.15",
             "S", "Qualified Medicare Beneficiary or Medicaid: cost sharing may not be billed"),
    HoldKind("dispute", True, "visit", "visit", "either", 30, f"{_D4}; 12 CFR 1006.38(d)(2)",
             "M", "the patient disputes this bill"),
    HoldKind("bankruptcy", True, "account", "account", "account", 180, "11 USC 362(a)(6), 524",
             "V", "bankruptcy: collection is stayed"),
    HoldKind("attorney", False, "account", "", "account", 90, "12 CFR 1006.6(b)(2)",
             "M", "represented by an attorney"),
    HoldKind("cease", False, "account", "", "account", None, "12 CFR 1006.6(c)",
             "M", "asked in writing not to be contacted"),
    HoldKind("deceased", True, "account", "account", "account", 60, "45 CFR 164.502(f)",
             "M", "the guarantor has died; executor or spouse only, by a person"),
    HoldKind("insurance_update", True, "visit", "visit", "either", 30, _D4,
             "M", "new insurance was reported and is being billed"),
    HoldKind("ppdr", True, "visit", "visit", "either", 30, "45 CFR 149.620",
             "V", "a patient-provider dispute is open"),
    HoldKind("gfe_exceeded", True, "visit", "visit", "visit", 30, "45 CFR 149.610, 149.620",
             "S", "the bill is $400 or more above its good-faith estimate"),
    HoldKind("assistance_pending", True, "account", "account", "either", 30, "26 CFR 1.501(r)-6(c)",
             "M", "an application for financial assistance is pending"),
    HoldKind("agency", True, "visit", "visit", "either", 180, _D4,
             "M", "placed with a collection agency"),
    HoldKind("litigation", True, "account", "account", "either", 90, _D4,
             "M", "a lawsuit is open"),
    HoldKind("minor_confidential", True, "visit", "visit", "visit", None, "45 CFR 164.502(g)(3); 164.522(b)",
             "M", "care that a minor consented to is not shown to the guarantor"),
    HoldKind("staff_flag", False, "account", "", "either", 30, _D4,
             "M", "staff asked for no demands here"),
    HoldKind("emergency", False, "account", "", "account", 1, _D4,
             "M", "an emergency message: a person answers, nobody is dunned"),
    HoldKind("language_unmet", False, "account", "", "account", 14, "45 CFR 92.201",
             "M", "the person's language is not one we write"),
    HoldKind("handover", False, "account", "", "either", 3, "issue 2, section 5",
             "own", "a person has this conversation in hand"),
    HoldKind("paid_already", False, "account", "", "either", 7, _D4,
             "M", "the patient says it is paid; being checked"),
    HoldKind("lender", True, "account", "", "account", 30, "NY GBL 349-g; issue 4 (paying over time)",
             "own", "a lender that the patient turned to is deciding, or paying"),
    # receivables.md D1: while a visit's balance may be negative nothing else of the guarantor is dunned or charged.
    HoldKind("takeback", True, "account", "account", "visit", 30, "receivables.md D1 (takeback pauses dunning)",
             "M", "the payer took money back; the claim is open again"),
    HoldKind("confidential_contact", False, "account", "", "account", 7, "45 CFR 164.522(b)",
             "V", "asked to be reached another way; a person sets that up first"),
    # T-48: somebody at this number took back the permission to charge, and it is not proved yet who.
    HoldKind("autopay_stop", False, "", "account", "account", 7, "12 CFR 1005.10(c); T-48",
             "M", "asked not to be charged any more; a person sees that nothing is"),
    HoldKind("audit", True, "account", "", "either", 14, "DESIGN.md, a bill audits itself",
             "own", "the bill's own check found something that a person has to look at"),
    HoldKind("first_look", False, "account", "", "either", 14, "issue 5, self-audit",
             "own", "a bill that rose after it was paid, or comes very late, waits for a person"),
    HoldKind("address", False, "account", "", "account", 30, "issue 5, address finding",
             "own", "mail came back or texts do not arrive; an address is being looked for"),
    # One case for each takeover stands for its review (billing/opening_release.py): thousands of them would be none.
    HoldKind("carried_over", False, "account", "", "either", None, "issue 5, migration",
             "own", "taken over from another system and not released yet"),
    HoldKind("settlement", False, "visit", "", "either", 35, "issue 5, settlement",
             "own", "an offer to settle stands; nothing else is asked for meanwhile"),
    HoldKind("wrong_number", False, "account", "", "account", 30, f"{_D4}; 45 CFR 164.502",
             "M", "no right number is known for the guarantor"),
)

KINDS: dict[str, HoldKind] = {kind.name: kind for kind in _ALL}
#: Under these alone a debt that is with an agency may still be paid here: nobody disputes it, nobody bars its payment.
PAYABLE_AT_AGENCY = frozenset({"agency", "carried_over"})


def reaches(reach: Reach, hold_visit_id: str | None, visit_ids: tuple[str, ...]) -> bool:
    """Tell whether a stop of ``reach``, lying on ``hold_visit_id`` (None: the account), touches these visits."""
    if not reach:
        return False
    return reach == "account" or hold_visit_id is None or hold_visit_id in visit_ids
