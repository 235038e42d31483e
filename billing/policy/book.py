"""All the field notes' rules T-01 to T-58 in one book: of what class each is, its default, where it is kept and set.

Where the register has a rule, its title, source and place come from there; the rest is told here. Classes: ``gate``
(asked about every message or charge), ``money`` (in the ledger, payments, plans), ``words`` (in templates and pages),
``records`` (in what is kept, and how), ``organisational`` (people do it; ``plainbill check`` lists it).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from billing.policy.core import Rule
from billing.policy.register import RULES

Kind = Literal["gate", "money", "words", "records", "organisational"]

IDS = tuple(f"T-{number:02}" for number in range(1, 59))


@dataclass(frozen=True, slots=True)
class Entry:
    """One rule. ``where``: the module or policy field that keeps it; ``default``: what holds where nothing is set."""

    id: str
    kind: Kind
    title: str
    citation: str
    evidence: str
    default: str
    where: str


#: Class and default of each rule.
_KINDS: Mapping[str, tuple[Kind, str]] = {
    "T-01": ("gate", "no consent, no text"), "T-02": ("gate", "the exemption is never relied on"),
    "T-03": ("gate", "STOP binds at once"), "T-04": ("gate", "0 seconds"), "T-05": ("gate", "one, within 5 minutes"),
    "T-06": ("gate", "STOP ends everything unasked"), "T-07": ("gate", "replies are read on every channel"),
    "T-08": ("gate", "9-20, Sundays 12-20, no federal holidays, 3 in 24 hours"),
    "T-09": ("words", "a bare CANCEL or END is an opt-out"), "T-10": ("gate", "a wrong number voids consent"),
    "T-11": ("records", "consents are never deleted"), "T-12": ("gate", "once"),
    "T-13": ("words", "before any model"), "T-14": ("gate", "the first text introduces"),
    "T-15": ("gate", "never texted"), "T-16": ("gate", "75 a minute, 2,000 a day, 1 segment a second"),
    "T-17": ("gate", "6 segments unasked, 10 in answer"), "T-18": ("records", "verified, applied once"),
    "T-19": ("gate", "off"), "T-20": ("records", "creditor"), "T-21": ("gate", "8-21 and the person's own hours"),
    "T-22": ("gate", "always"), "T-23": ("gate", "always"), "T-24": ("gate", "never at work"),
    "T-25": ("gate", "no calls"), "T-26": ("gate", "always"), "T-27": ("gate", "no voicemail"),
    "T-28": ("gate", "off: the field notes lack the notice's contents, and no demand leaves; else 30 days, 5 for post"),
    "T-29": ("gate", "stopped until released"),
    "T-30": ("gate", "never; no state's period of limitation is known"),
    "T-31": ("money", "what is not surely owed is not asked for"), "T-32": ("gate", "practice, link, STOP"),
    "T-33": ("gate", "no amounts"), "T-34": ("gate", "15 minutes, 5 tries"), "T-35": ("gate", "nothing"),
    "T-36": ("records", "6 years"), "T-37": ("gate", "no agreement, no facts"), "T-38": ("organisational", "30 days"),
    "T-39": ("gate", "random links"), "T-40": ("money", "only what the payer calls patient responsibility"),
    "T-41": ("money", "$400.00 above its own line holds the bill"), "T-42": ("gate", "stopped while open"),
    "T-43": ("gate", "off (policy collections.hospital_501r)"),
    "T-44": ("gate", "off (policy collections.hospital_501r)"), "T-45": ("words", "on every statement"),
    "T-46": ("gate", "never mentioned"), "T-47": ("money", "4 instalments without disclosures"),
    "T-48": ("money", "3 days' notice, 10 for a raise"), "T-49": ("money", "3 presentments in 180 days"),
    "T-50": ("money", "15 tries in 30 days"), "T-51": ("money", "the live balance"), "T-52": ("gate", "redacted"),
    "T-53": ("money", "five keys"), "T-54": ("money", "on"), "T-55": ("words", "reviewed templates only"),
    "T-56": ("words", "WCAG 2.1 AA"), "T-57": ("gate", "hard hold"),
    "T-58": ("money", "no written policy, no discount; federal payers never"),
}

#: Rules that the register does not name: title, source, evidence, where kept.
_TOLD: Mapping[str, tuple[str, str, str, str]] = {
    "T-02": ("The healthcare exemption is for no billing text", "47 CFR 64.1200(a)(9)(iv)", "S",
             "billing/policy/consent.py: consent is asked of everything unasked"),
    "T-06": ("A STOP ends all that nobody asked for, until START", "DA 26-12; FCC 26-67 (not in force)", "S",
             "billing/consents.py: an opt-out binds the number"),
    "T-09": ("A bare CANCEL or END is an opt-out; cancelling a plan is not", "47 CFR 64.1200(a)(10)", "S",
             "handlers/understanding"),
    "T-10": ("A reassigned or wrong number voids consent", "rules.md T-10", "S",
             "billing/consents.py; contact_points.reassigned_checked_on"),
    "T-11": ("Consents and opt-outs are kept", "rules.md T-11 (four-year limit; Virginia: ten years)", "S",
             "consents: rows are only ever added"),
    "T-13": ("Fixed words are read in code before any model", "47 CFR 64.1200(a)(10)", "S", "handlers/understanding"),
    "T-31": ("Nothing unowed or paid is collected", "90 FR 20084 (guidance withdrawn; the statute stands)", "V",
             "billing/policy/stops.py, billing/figures.py"),
    "T-36": ("Who saw and did what is on record", "45 CFR 164.312, 164.316(b)(2)", "M",
             "audit: rows are only ever added; policy retention"),
    "T-38": ("Restrictions, copies of records, representatives", "45 CFR 164.522(a), 164.524, 164.502(f), (g)", "S",
             "cases for the practice's privacy officer"),
    "T-40": ("Nothing above in-network cost sharing", "45 CFR 149.410, 149.420", "S",
             "billing/adjudication.py; hold waiver_check"),
    "T-41": ("A bill $400 above its good-faith estimate is held", "45 CFR 149.610, 149.620", "V",
             "billing/estimates.py; hold gfe_exceeded"),
    "T-42": ("No collection while a patient-provider dispute is open", "45 CFR 149.620", "V", "hold ppdr"),
    "T-43": ("120 days and 30 days' notice before extraordinary collection", "26 CFR 1.501(r)-6(c)", "M",
             "billing/clocks.py"),
    "T-44": ("An application for assistance suspends collection until day 240", "26 CFR 1.501(r)-1(b)(3), -6(c)", "V",
             "billing/clocks.py; hold assistance_pending"),
    "T-45": ("Every statement tells of assistance, with phone and address", "26 CFR 1.501(r)-4(b)(5)", "M",
             "templates/statement.*.toml; policy assistance_note_en, _es, assistance_url"),
    "T-55": ("Help in the reader's language, no unreviewed translation", "45 CFR 92.11, 92.201(c)(3)", "M",
             "templates/en, templates/es, templates/foreign.toml; policy interpreter_lines"),
    "T-56": ("Pages can be used by everybody", "45 CFR 84.84; 91 FR 25496", "S", "templates/web"),
    "T-58": ("Discounts by a written, uniform policy only, and none to federal payers' patients",
             "42 USC 1320a-7b(b)", "S", "policy settlement"),
}

#: What no program can do: the rule, and what the practice's people have to see to.
DUTIES: tuple[tuple[str, str], ...] = (
    ("T-10", "numbers are checked against the Reassigned Numbers Database before a bulk run"),
    ("T-15", "each practice's own brand (EIN) is registered with the carriers, not the billing company's"),
    ("T-16", "policy carrier holds the caps of the brand's own vetting score"),
    ("T-20", "a billing company records for each account when it was obtained, and whether in default"),
    ("T-28", "a collector's validation notice is counsel's: none is built in, and no demand goes out before it"),
    ("T-30", "counsel knows the periods of limitation; no state's is built in"),
    ("T-36", "staff have a login each, and who may see what is reviewed yearly"),
    ("T-37", "every vendor that carries account facts has signed a business associate agreement"),
    ("T-38", "a privacy officer answers restrictions, requests for copies (30 days) and representatives"),
    ("T-40", "out-of-network bills that the No Surprises Act covers are billed to the payer first"),
    ("T-41", "good-faith estimates are given in time, and imported"),
    ("T-45", "a hospital under 501(r) gives its assistance policy's phone and page; plainbill check names what lacks"),
    ("T-55", "templates are read by a qualified translator after every change, and the notice of language help hangs"),
    ("T-56", "the pages are audited before 2027-05-11 (2028-05-10 below 15 staff)"),
    ("T-58", "the settlement policy is written, signed and the same for all"),
)


def rules_of(rule_id: str) -> list[Rule]:
    """The register's rules of one T-number: the rule itself and its parts (``T-21:outer``)."""
    return [rule for rule in RULES if rule.id == rule_id or rule.id.startswith(f"{rule_id}:")]


def entry(rule_id: str) -> Entry:
    """Raises KeyError for a number that is none of the field notes'."""
    kind, default = _KINDS[rule_id]
    found = rules_of(rule_id)
    if not found:
        title, citation, evidence, where = _TOLD[rule_id]
        return Entry(rule_id, kind, title, citation, evidence, default, where)
    first = found[0]
    return Entry(rule_id, kind, "; ".join(rule.title for rule in found),
                 "; ".join(dict.fromkeys(rule.citation for rule in found)), first.evidence, default,
                 "; ".join(dict.fromkeys(rule.configured for rule in found)))


def entries() -> list[Entry]:
    return [entry(rule_id) for rule_id in IDS]
