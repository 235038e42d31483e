"""Elements that the 835 and the 837 share: amounts, dates, composites, CAS triplets, names.

What cannot be read is recorded beside the claim (``Findings``), so that one bad amount names its place without
hiding the others. The unreadable text itself is never repeated: a shifted element may hold a name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from billing.importers.records import Adjustment, Fault, ImportFault, Person
from billing.importers.x12 import Segment
from billing.money import parse_minor

MOST_SEGMENTS_PER_CLAIM = 10_000
"""A guide allows 999 service lines of a dozen segments at most; beyond this a claim is an attack or damage."""

ADJUSTMENT_GROUPS = frozenset({"CO", "PR", "OA", "PI", "CR"})
_MOST_CAS_ELEMENTS = 20  # CAS and CAS01 to CAS19
_FALLBACK_SEPARATORS = ":>^|\\<!&;"


@dataclass(slots=True)
class Findings:
    """Faults (the claim cannot be posted) and flags (odd, posted all the same) of one claim or transaction."""

    claim_id: str | None = None
    faults: list[Fault] = field(default_factory=list)
    flags: list[Fault] = field(default_factory=list)

    def fault(self, segment: Segment, reason: str) -> None:
        self.faults.append(Fault(segment.position, segment.id, reason, claim_id=self.claim_id))

    def flag(self, segment: Segment, reason: str) -> None:
        self.flags.append(Fault(segment.position, segment.id, reason, claim_id=self.claim_id))


def read_amount(segment: Segment, index: int, findings: Findings) -> int:
    """Cents of a required amount; an unreadable or missing one is a fault and counts as 0."""
    text = segment.get(index)
    try:
        return parse_minor(text)
    except ValueError:
        return _read_padded_amount(segment, index, text.strip(), findings)


def read_optional_amount(segment: Segment, index: int, findings: Findings) -> int | None:
    """Cents, or None where the element is empty."""
    return read_amount(segment, index, findings) if segment.get(index).strip() else None


def _read_padded_amount(segment: Segment, index: int, text: str, findings: Findings) -> int:
    name = f"{segment.id}{index:02d}"
    try:
        return parse_minor(text)
    except ValueError as error:
        problem = f"non-numeric amount in {name} ({error})" if text else f"missing amount in {name}"
        findings.fault(segment, f"{problem}: ask the payer for a corrected file")
        return 0


def read_date(text: str) -> date | None:
    """CCYYMMDD, with or without a time behind it; None for anything else."""
    if len(text) < 8 or not text.isascii() or not text[:8].isdigit():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return None


def read_flagged_date(segment: Segment, index: int, findings: Findings) -> date | None:
    """The date, flagged where there is text that is no date."""
    text = segment.get(index).strip()
    day = read_date(text)
    if text and day is None:
        findings.flag(segment, f"{segment.id}{index:02d} is not a calendar date")
    return day


def split_composite(text: str, separator: str) -> list[str]:
    """Components; where the declared separator does not occur, the first other customary one is taken for it.

    Senders are known to declare ``:`` in ISA16 and to write ``>``.
    """
    if separator in text:
        return text.split(separator)
    for mark in text:
        if mark in _FALLBACK_SEPARATORS:
            return text.split(mark)
    return [text]


def read_procedure(text: str, separator: str) -> tuple[str, tuple[str, ...], str]:
    """(procedure code, modifiers, revenue code) of SVC01, SV101 or SV202, qualifier NU being a revenue code."""
    parts = split_composite(text, separator)
    if len(parts) == 1:
        return (parts[0] if len(parts[0]) > 2 else ""), (), ""
    if parts[0] == "NU":
        return "", (), parts[1]
    return parts[1], tuple(part for part in parts[2:6] if part), ""


def read_adjustments(segment: Segment, findings: Findings) -> Iterator[Adjustment]:
    """The up to six reason, amount, quantity triplets of a CAS; empty slots between them are skipped."""
    group = segment.get(1)
    if group not in ADJUSTMENT_GROUPS:
        findings.fault(
            segment,
            "CAS01 is none of the adjustment groups CO, PR, OA, PI, CR: ask the payer what is meant",
        )
    if len(segment.elements) > _MOST_CAS_ELEMENTS:
        findings.fault(segment, "CAS has more than six adjustments, so the segment is damaged")
    for index in range(2, min(len(segment.elements), _MOST_CAS_ELEMENTS), 3):
        reason = segment.elements[index].strip()
        if not reason and not segment.get(index + 1).strip():
            continue
        if not reason:
            findings.flag(segment, f"CAS{index:02d} is empty: an adjustment without its reason")
        amount_minor = read_amount(segment, index + 1, findings)
        yield Adjustment(
            group,
            reason,
            amount_minor,
            segment.position,
            segment.get(index + 2) or None,
        )


def read_person(segment: Segment) -> Person:
    """NM1 as a person; an organisation's name stays in ``surname``."""
    return Person(
        surname=segment.get(3).strip(),
        given=segment.get(4).strip(),
        middle=segment.get(5).strip(),
        member_id=segment.get(9).strip(),
    )


def read_name(segment: Segment) -> str:
    """NM103 to NM105 as one reads a name: given, middle, family; or the organisation."""
    return " ".join(
        part
        for part in (
            segment.get(4).strip(),
            segment.get(5).strip(),
            segment.get(3).strip(),
        )
        if part
    )


def with_detail(person: Person, segment: Segment) -> Person:
    """The person with what N3, N4 or DMG adds."""
    if segment.id == "N3":
        address = ", ".join(part for part in (segment.get(1).strip(), segment.get(2).strip()) if part)
        return replace(person, address=address)
    if segment.id == "N4":
        return replace(
            person,
            city=segment.get(1).strip(),
            region=segment.get(2).strip(),
            postal_code=segment.get(3).strip(),
        )
    return replace(person, born_on=read_date(segment.get(2).strip()), sex=segment.get(3).strip())


def claim_too_large(first: Segment) -> ImportFault:
    """The refusal of a claim that runs on for more segments than any claim can have."""
    return ImportFault(
        f"The claim at segment {first.position} has more than {MOST_SEGMENTS_PER_CLAIM:,} segments, so the file is "
        "damaged. Download it again.",
        position=first.position,
        segment=first.id,
    )
