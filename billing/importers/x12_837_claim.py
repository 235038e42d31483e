"""Loops 2300 to 2430 of an 837: one claim, its other payers, its service lines and what earlier payers did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from billing.importers.records import (
    Adjustment,
    BilledClaim,
    ClaimCoverage,
    ClaimLine,
    LineAdjudication,
    Person,
)
from billing.importers.x12 import Segment
from billing.importers.x12_elements import (
    MOST_SEGMENTS_PER_CLAIM,
    Findings,
    claim_too_large,
    read_adjustments,
    read_amount,
    read_date,
    read_flagged_date,
    read_name,
    read_person,
    read_procedure,
    split_composite,
    with_detail,
)

_RANKS = "PSTABCDEFGHU"


@dataclass(slots=True)
class PayerDraft:
    """Loop 2000B with 2010BB, or 2320 with 2330: one payer of the claim."""

    rank: str = ""
    relation: str = ""
    filing_code: str = ""
    payer_name: str = ""
    payer_id: str = ""
    subscriber: Person = field(default_factory=Person)
    paid_minor: int | None = None
    paid_on: date | None = None
    adjustments: list[Adjustment] = field(default_factory=list)

    @classmethod
    def from_subscriber(cls, segment: Segment) -> PayerDraft:
        return cls(
            rank=segment.get(1).strip(),
            relation=segment.get(2).strip(),
            filing_code=segment.get(9).strip(),
        )

    def freeze(self, *, is_destination: bool) -> ClaimCoverage:
        return ClaimCoverage(
            rank=self.rank,
            payer_name=self.payer_name,
            payer_id=self.payer_id,
            member_id=self.subscriber.member_id,
            filing_code=self.filing_code,
            relation=self.relation,
            subscriber=self.subscriber,
            is_destination=is_destination,
            paid_minor=self.paid_minor,
            paid_on=self.paid_on,
            adjustments=tuple(self.adjustments),
        )


@dataclass(slots=True)
class _Adjudication:
    payer_id: str
    paid_minor: int
    adjustments: list[Adjustment] = field(default_factory=list)
    paid_on: date | None = None

    def freeze(self) -> LineAdjudication:
        return LineAdjudication(self.payer_id, self.paid_minor, tuple(self.adjustments), self.paid_on)


@dataclass(slots=True)
class _Line:
    number: int
    service: Segment | None = None
    charge_minor: int = 0
    service_on: date | None = None
    service_to_on: date | None = None
    control_number: str = ""
    adjudications: list[_Adjudication] = field(default_factory=list)


@dataclass(slots=True)
class ClaimDraft:
    """CLM to the segment that ends its claim; fed with ``take``, finished with ``freeze``."""

    first: Segment
    component: str
    destination: PayerDraft
    patient: Person
    billing_name: str
    billing_npi: str
    purpose: str
    reissued: bool
    findings: Findings = field(default_factory=Findings)
    charge_minor: int = 0
    patient_paid_minor: int = 0
    entity: str = ""
    rendering_name: str = ""
    original_reference: str = ""
    statement: tuple[date | None, date | None] = (None, None)
    admitted_on: date | None = None
    others: list[PayerDraft] = field(default_factory=list)
    line: _Line | None = None
    lines: list[ClaimLine] = field(default_factory=list)
    line_days: list[date] = field(default_factory=list)
    services: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.findings.claim_id = self.first.get(1).strip()
        self.charge_minor = read_amount(self.first, 2, self.findings)

    @property
    def in_lines(self) -> bool:
        return self.line is not None

    @property
    def other(self) -> PayerDraft | None:
        return self.others[-1] if self.others else None

    def take(self, segment: Segment) -> None:
        if segment.position - self.first.position > MOST_SEGMENTS_PER_CLAIM:
            raise claim_too_large(self.first)
        handler = _CLAIM_SEGMENTS.get(segment.id)
        if handler is not None:
            handler(self, segment)

    def close_line(self) -> None:
        line = self.line
        if line is None:
            return
        if line.service is None:
            self.findings.flag(self.first, f"service line {line.number} is empty and was left out")
            return
        self.lines.append(_freeze_line(line, line.service, self.component))
        self.line_days.extend(day for day in (line.service_on, line.service_to_on) if day is not None)

    def freeze(self, kind: str) -> BilledClaim:
        self.close_line()
        place, frequency = self._place_and_frequency()
        from_on, to_on = self.statement
        return BilledClaim(
            position=self.first.position,
            kind=kind if kind != "unknown" else "837I" if self.services == {"SV2"} else "837P",
            claim_id=self.findings.claim_id or "",
            charge_minor=self.charge_minor,
            place_of_service=place,
            frequency=frequency,
            original_reference=self.original_reference,
            patient=self.patient,
            coverages=self._coverages(),
            lines=tuple(self.lines),
            patient_paid_minor=self.patient_paid_minor,
            service_from_on=from_on or self.admitted_on or min(self.line_days, default=None),
            service_to_on=to_on or max(self.line_days, default=None),
            billing_name=self.billing_name,
            billing_npi=self.billing_npi,
            rendering_name=self.rendering_name,
            purpose=self.purpose,
            reissued=self.reissued,
            faults=tuple(self.findings.faults),
            flags=tuple(self.findings.flags),
        )

    def _coverages(self) -> tuple[ClaimCoverage, ...]:
        """In order of responsibility: primary, secondary, tertiary; the file's order where SBR01 does not say."""
        found = [self.destination.freeze(is_destination=True)]
        found += [other.freeze(is_destination=False) for other in self.others]
        return tuple(sorted(found, key=lambda coverage: _rank_order(coverage.rank)))

    def _place_and_frequency(self) -> tuple[str, str]:
        """CLM05: facility code, qualifier, frequency."""
        parts = split_composite(self.first.get(5).strip(), self.component)
        if len(parts) < 3 or not parts[0].isalnum():
            self.findings.flag(
                self.first,
                "CLM05 does not hold a place of service and a claim frequency",
            )
            return "", ""
        return parts[0], parts[2].strip()


def _rank_order(rank: str) -> int:
    return _RANKS.find(rank) if rank and rank in _RANKS else len(_RANKS)


def _freeze_line(line: _Line, service: Segment, component: str) -> ClaimLine:
    offset = 1 if service.id == "SV2" else 0
    procedure, modifiers, revenue = read_procedure(service.get(1 + offset).strip(), component)
    return ClaimLine(
        position=service.position,
        number=line.number,
        procedure_code=procedure,
        modifiers=modifiers,
        revenue_code=service.get(1).strip() if service.id == "SV2" else revenue,
        charge_minor=line.charge_minor,
        units=service.get(4 + offset).strip(),
        service_on=line.service_on,
        control_number=line.control_number,
        adjudications=tuple(item.freeze() for item in line.adjudications),
    )


def _take_other_payer(claim: ClaimDraft, segment: Segment) -> None:
    claim.others.append(PayerDraft.from_subscriber(segment))
    claim.entity = "IL"  # 004010 gives the other subscriber's DMG before the name


def _take_adjustments(claim: ClaimDraft, segment: Segment) -> None:
    found = read_adjustments(segment, claim.findings)
    if claim.line is not None and claim.line.adjudications:
        claim.line.adjudications[-1].adjustments.extend(found)
    elif claim.line is None and claim.other is not None:
        claim.other.adjustments.extend(found)
    else:
        claim.findings.flag(segment, "an adjustment that belongs to no other payer was left out")


def _take_amount(claim: ClaimDraft, segment: Segment) -> None:
    if claim.line is not None:
        return
    if segment.get(1) == "F5" and claim.other is None:
        claim.patient_paid_minor += read_amount(segment, 2, claim.findings)
    elif segment.get(1) == "D" and claim.other is not None:
        claim.other.paid_minor = read_amount(segment, 2, claim.findings)


def _take_name(claim: ClaimDraft, segment: Segment) -> None:
    claim.entity = entity = segment.get(1)
    if entity == "82":
        claim.rendering_name = claim.rendering_name or read_name(segment)
    if claim.line is not None or claim.other is None:
        return
    if entity == "IL":
        named, known = read_person(segment), claim.other.subscriber
        claim.other.subscriber = Person(
            named.surname,
            named.given,
            named.middle,
            known.born_on,
            known.sex,
            named.member_id,
        )
    elif entity == "PR":
        claim.other.payer_name, claim.other.payer_id = (
            read_name(segment),
            segment.get(9).strip(),
        )


def _take_person_detail(claim: ClaimDraft, segment: Segment) -> None:
    if claim.line is None and claim.other is not None and claim.entity == "IL":
        claim.other.subscriber = with_detail(claim.other.subscriber, segment)


def _take_reference(claim: ClaimDraft, segment: Segment) -> None:
    qualifier, text = segment.get(1), segment.get(2).strip()
    if claim.line is not None:
        if qualifier == "6R":
            claim.line.control_number = text
    elif claim.other is None:
        if qualifier == "F8":
            claim.original_reference = text
    elif qualifier == "2U" and claim.entity == "PR" and not claim.other.payer_id:
        claim.other.payer_id = text


def _take_date(claim: ClaimDraft, segment: Segment) -> None:
    qualifier = segment.get(1)
    if qualifier in ("472", "434", "435", "573"):
        days = _read_period(claim, segment)
        if qualifier == "573":
            _take_paid_date(claim, days[0])
        elif claim.line is not None:
            if qualifier == "472":
                claim.line.service_on, claim.line.service_to_on = days
        elif qualifier == "435":
            claim.admitted_on = days[0]
        elif claim.other is None:
            claim.statement = days


def _take_paid_date(claim: ClaimDraft, day: date | None) -> None:
    if claim.line is not None and claim.line.adjudications:
        claim.line.adjudications[-1].paid_on = day
    if claim.other is not None and claim.line is None:
        claim.other.paid_on = day


def _read_period(claim: ClaimDraft, segment: Segment) -> tuple[date | None, date | None]:
    """D8 or DT as one day, RD8 as two; a lone day under RD8 is taken as both."""
    text = segment.get(3).strip()
    first, _, last = text.partition("-")
    from_on = read_date(first)
    if from_on is None:
        return (read_flagged_date(segment, 3, claim.findings),) * 2
    return from_on, read_date(last) or from_on


def _take_line(claim: ClaimDraft, segment: Segment) -> None:
    claim.close_line()
    text = segment.get(1).strip()
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 7 else len(claim.lines) + 1
    claim.line = _Line(number)


def _take_service(claim: ClaimDraft, segment: Segment) -> None:
    if claim.line is None or claim.line.service is not None:
        claim.close_line()
        claim.line = _Line(len(claim.lines) + 1)
    claim.line.service = segment
    claim.line.charge_minor = read_amount(segment, 3 if segment.id == "SV2" else 2, claim.findings)
    claim.services.add(segment.id)


def _take_adjudication(claim: ClaimDraft, segment: Segment) -> None:
    if claim.line is None:
        claim.findings.flag(segment, "an earlier payer's line decision stands outside any service line")
        return
    paid_minor = read_amount(segment, 2, claim.findings)
    claim.line.adjudications.append(_Adjudication(segment.get(1).strip(), paid_minor))


_CLAIM_SEGMENTS: dict[str, Callable[[ClaimDraft, Segment], None]] = {
    "SBR": _take_other_payer,
    "CAS": _take_adjustments,
    "AMT": _take_amount,
    "NM1": _take_name,
    "N3": _take_person_detail,
    "N4": _take_person_detail,
    "DMG": _take_person_detail,
    "REF": _take_reference,
    "DTP": _take_date,
    "LX": _take_line,
    "SV1": _take_service,
    "SV2": _take_service,
    "SVD": _take_adjudication,
}
