"""X12 835 remittances (005010X221A1, and 004010X091 of older payers), claim by claim.

Only form is checked here. Whether a remittance foots is ``footing``'s question, what it means is the ledger's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import BinaryIO

from billing.importers.records import (
    Adjustment,
    Fault,
    ImportFault,
    PaidClaim,
    PaidLine,
    Person,
    ProviderAdjustment,
    RemittanceClosed,
    RemittanceOpened,
)
from billing.importers.x12 import Progress, Segment, read_segments
from billing.importers.x12_elements import (
    MOST_SEGMENTS_PER_CLAIM,
    Findings,
    claim_too_large,
    read_adjustments,
    read_amount,
    read_date,
    read_flagged_date,
    read_name,
    read_optional_amount,
    read_person,
    read_procedure,
    split_composite,
)
from billing.importers.x12_envelope import MOST_NOTES

RemittanceRecord = RemittanceOpened | PaidClaim | RemittanceClosed

_LINE_FIRST_DATES = ("472", "150")
_CLAIM_FIRST_DATES = ("232", "472", "150")
_CLAIM_LAST_DATES = ("233", "151")
_MIA_REMARKS = (5, 20, 21, 22, 23)
_MOA_REMARKS = (3, 4, 5, 6, 7)


def read(
    stream: BinaryIO, progress: Progress | None = None, notes: list[Fault] | None = None
) -> Iterator[RemittanceRecord]:
    """Each 835 transaction as RemittanceOpened, its PaidClaims in order, RemittanceClosed.

    One claim is in memory at a time. ``progress`` gets the number of bytes just read; ``notes`` collects what is
    odd about the envelope. Raises ImportFault where the file as a whole cannot be trusted (cut off, not X12, no
    readable payment amount); amounts that cannot be read inside a claim or a PLB are in its ``faults``.
    """
    notes = [] if notes is None else notes
    segments = read_segments(stream, progress, notes)
    component = ":"
    for segment in segments:
        if segment.id == "ISA":
            component = segment.get(16)
        elif segment.id == "ST" and segment.get(1) == "835":
            yield from _read_transaction(segment, segments, component, notes)
        elif segment.id == "ST" and len(notes) < MOST_NOTES:
            notes.append(
                Fault(
                    segment.position,
                    "ST",
                    "a transaction that is not an 835 stands in this file: not read",
                )
            )


def _read_transaction(
    first: Segment, segments: Iterator[Segment], component: str, notes: list[Fault]
) -> Iterator[RemittanceRecord]:
    header: _Header | None = _Header(first)
    claim: _Claim | None = None
    closing = _Footer(component)
    for segment in segments:
        name = segment.id
        if header is not None and name in ("CLP", "PLB", "SE"):
            yield header.freeze()
            header = None
        if claim is not None and name in ("CLP", "PLB", "SE"):
            yield claim.freeze()
            claim = None
        if name == "CLP":
            claim = _open_claim(segment, component)
        elif name == "PLB":
            closing.take(segment)
        elif name == "SE":
            yield closing.freeze(
                segment,
                tuple(note for note in notes if note.position == segment.position),
            )
            return
        elif claim is not None:
            claim.take(segment)
        elif header is not None:
            header.take(segment)


@dataclass(slots=True)
class _Header:
    """ST to the first CLP."""

    first: Segment
    payment: Segment | None = None
    trace: Segment | None = None
    entity: str = ""
    names: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    secondary_ids: dict[str, str] = field(default_factory=dict)

    def take(self, segment: Segment) -> None:
        name = segment.id
        if name == "BPR" and self.payment is None:
            self.payment = segment
        elif name == "TRN" and self.trace is None:
            self.trace = segment
        elif name == "N1":
            self.entity = segment.get(1)
            if self.entity in ("PR", "PE"):
                self.names[self.entity] = segment.get(2).strip()
                self.ids[self.entity] = segment.get(4).strip()
        elif name == "REF" and self.entity == "PR" and segment.get(1) == "2U":
            self.secondary_ids["PR"] = segment.get(2).strip()

    def freeze(self) -> RemittanceOpened:
        payment, trace = self.payment, self.trace
        if payment is None:
            raise ImportFault(
                _no_payment(self.first.position),
                position=self.first.position,
                segment="BPR",
            )
        findings = Findings()
        paid_on = read_flagged_date(payment, 16, findings)
        if trace is None or not trace.get(2).strip():
            findings.flag(
                self.first,
                "TRN02 is missing: the deposit cannot be matched by its trace number",
            )
        return RemittanceOpened(
            position=self.first.position,
            control_number=self.first.get(2).strip(),
            trace=trace.get(2).strip() if trace else "",
            payer_identifier=trace.get(3).strip() if trace else "",
            paid_minor=_payment_minor(payment),
            handling_code=payment.get(1),
            method=payment.get(4),
            paid_on=paid_on,
            payer_name=self.names.get("PR", ""),
            payer_id=self.ids.get("PR") or self.secondary_ids.get("PR", ""),
            payee_name=self.names.get("PE", ""),
            payee_id=self.ids.get("PE", ""),
            payment_position=payment.position,
            flags=tuple(findings.flags),
        )


def _payment_minor(payment: Segment) -> int:
    """BPR02 in cents, negative where it is written so or where BPR03 = D takes money back."""
    findings = Findings()
    amount_minor = read_amount(payment, 2, findings)
    if findings.faults:
        raise ImportFault(
            f"Segment {payment.position}, BPR: {findings.faults[0].reason}.",
            position=payment.position,
            segment="BPR",
        )
    return -abs(amount_minor) if payment.get(3) == "D" else amount_minor


def _no_payment(position: int) -> str:
    return (
        f"The remittance at segment {position} has no BPR segment, so the payment amount is unknown. "
        "Ask the payer for a complete file."
    )


@dataclass(slots=True)
class _Footer:
    component: str
    adjustments: list[ProviderAdjustment] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)

    def take(self, segment: Segment) -> None:
        """PLB: provider, fiscal year end, then up to six pairs of reason:reference and amount."""
        if len(self.adjustments) > MOST_SEGMENTS_PER_CLAIM:
            raise ImportFault(
                f"Segment {segment.position}, PLB: more provider adjustments than any remittance has, so the file is "
                "damaged. Download it again.",
                position=segment.position,
                segment="PLB",
            )
        for index in range(3, len(segment.elements), 2):
            if not segment.elements[index].strip() and not segment.get(index + 1).strip():
                continue
            parts = split_composite(segment.elements[index].strip(), self.component)
            amount_minor = read_amount(segment, index + 1, self.findings)
            reference = self.component.join(parts[1:])
            self.adjustments.append(ProviderAdjustment(segment.position, parts[0], reference, amount_minor))

    def freeze(self, segment: Segment, flags: tuple[Fault, ...]) -> RemittanceClosed:
        return RemittanceClosed(
            position=segment.position,
            control_number=segment.get(2).strip(),
            provider_adjustments=tuple(self.adjustments),
            faults=tuple(self.findings.faults),
            flags=flags,
        )


@dataclass(slots=True)
class _Line:
    first: Segment
    charge_minor: int
    paid_minor: int
    days: dict[str, date | None] = field(default_factory=dict)
    control_number: str = ""
    adjustments: list[Adjustment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def freeze(self, component: str) -> PaidLine:
        segment = self.first
        procedure, modifiers, revenue = read_procedure(segment.get(1).strip(), component)
        return PaidLine(
            position=segment.position,
            procedure_code=procedure,
            modifiers=modifiers,
            revenue_code=revenue or segment.get(4).strip(),
            charge_minor=self.charge_minor,
            paid_minor=self.paid_minor,
            units=segment.get(5).strip(),
            service_on=_first_day(self.days, _LINE_FIRST_DATES),
            control_number=self.control_number,
            adjustments=tuple(self.adjustments),
            remarks=tuple(self.remarks),
        )


@dataclass(slots=True)
class _Claim:
    """CLP to the segment before the next CLP; a line is open from the first SVC on."""

    first: Segment
    component: str
    findings: Findings
    charge_minor: int
    paid_minor: int
    reported_patient_minor: int | None
    line: _Line | None = None
    lines: list[PaidLine] = field(default_factory=list)
    people: dict[str, Person] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    days: dict[str, date | None] = field(default_factory=dict)
    adjustments: list[Adjustment] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def take(self, segment: Segment) -> None:
        if segment.position - self.first.position > MOST_SEGMENTS_PER_CLAIM:
            raise claim_too_large(self.first)
        handler = _CLAIM_SEGMENTS.get(segment.id)
        if handler is not None:
            handler(self, segment)

    def close_line(self) -> None:
        if self.line is not None:
            self.lines.append(self.line.freeze(self.component))

    def freeze(self) -> PaidClaim:
        self.close_line()
        segment, people = self.first, self.people
        from_on, to_on = self._service_days()
        return PaidClaim(
            position=segment.position,
            claim_id=self.findings.claim_id or "",
            status_code=segment.get(2).strip(),
            charge_minor=self.charge_minor,
            paid_minor=self.paid_minor,
            reported_patient_minor=self.reported_patient_minor,
            filing_code=segment.get(6).strip(),
            payer_claim_id=segment.get(7).strip(),
            patient=people.get("QC", _NOBODY),
            subscriber=people.get("IL", _NOBODY),
            service_from_on=from_on,
            service_to_on=to_on,
            adjustments=tuple(self.adjustments),
            lines=tuple(self.lines),
            remarks=tuple(self.remarks),
            crossover_payer=self.names.get("TT", ""),
            rendering_name=self.names.get("82", ""),
            corrected=people.get("74", _NOBODY),
            faults=tuple(self.findings.faults),
            flags=tuple(self.findings.flags),
        )

    def _service_days(self) -> tuple[date | None, date | None]:
        """The claim's own dates, else those of its lines (the guide lets a payer give either)."""
        line_days = [line.service_on for line in self.lines if line.service_on is not None]
        from_on = _first_day(self.days, _CLAIM_FIRST_DATES) or min(line_days, default=None)
        to_on = _first_day(self.days, _CLAIM_LAST_DATES)
        return from_on, to_on or max([*line_days, *([from_on] if from_on else [])], default=None)


_NOBODY = Person()


def _first_day(days: dict[str, date | None], qualifiers: tuple[str, ...]) -> date | None:
    if not days:
        return None
    return next((day for name in qualifiers if (day := days.get(name)) is not None), None)


def _open_claim(segment: Segment, component: str) -> _Claim:
    findings = Findings(segment.get(1).strip())
    if not findings.claim_id:
        findings.flag(segment, "CLP01 is empty: the claim cannot be matched by its number")
    return _Claim(
        first=segment,
        component=component,
        findings=findings,
        charge_minor=read_amount(segment, 3, findings),
        paid_minor=read_amount(segment, 4, findings),
        reported_patient_minor=read_optional_amount(segment, 5, findings),
    )


def _take_line(claim: _Claim, segment: Segment) -> None:
    claim.close_line()
    findings = claim.findings
    claim.line = _Line(segment, read_amount(segment, 2, findings), read_amount(segment, 3, findings))


def _take_adjustments(claim: _Claim, segment: Segment) -> None:
    owner = claim if claim.line is None else claim.line
    owner.adjustments.extend(read_adjustments(segment, claim.findings))


def _take_name(claim: _Claim, segment: Segment) -> None:
    role = segment.get(1)
    if role in ("QC", "IL", "74"):
        claim.people[role] = read_person(segment)
    elif role in ("TT", "82"):
        claim.names[role] = read_name(segment) or segment.get(9).strip()


def _take_date(claim: _Claim, segment: Segment) -> None:
    qualifier = segment.get(1)
    if qualifier == "036":
        claim.findings.flag(segment, "the payer reports that the coverage had ended (DTM*036)")
        return
    day = read_date(segment.get(2)) or read_flagged_date(segment, 2, claim.findings)
    days = claim.days if claim.line is None else claim.line.days
    days[qualifier] = day


def _take_reference(claim: _Claim, segment: Segment) -> None:
    if claim.line is not None and segment.get(1) == "6R":
        claim.line.control_number = segment.get(2).strip()


def _take_line_remark(claim: _Claim, segment: Segment) -> None:
    if segment.get(1) == "HE" and segment.get(2).strip():
        remarks = claim.remarks if claim.line is None else claim.line.remarks
        remarks.append(segment.get(2).strip())


def _take_claim_remarks(claim: _Claim, segment: Segment) -> None:
    indexes = _MIA_REMARKS if segment.id == "MIA" else _MOA_REMARKS
    claim.remarks.extend(code for index in indexes if (code := segment.get(index).strip()))


def _take_amount(claim: _Claim, segment: Segment) -> None:
    """AMT is never posted; it is read so that a damaged one is noticed."""
    read_optional_amount(segment, 2, claim.findings)


_CLAIM_SEGMENTS: dict[str, Callable[[_Claim, Segment], None]] = {
    "SVC": _take_line,
    "CAS": _take_adjustments,
    "NM1": _take_name,
    "DTM": _take_date,
    "REF": _take_reference,
    "LQ": _take_line_remark,
    "MIA": _take_claim_remarks,
    "MOA": _take_claim_remarks,
    "AMT": _take_amount,
}
