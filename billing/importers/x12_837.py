"""X12 837 professional and institutional claims (005010X222, X223; 004010X098, X096), claim by claim.

The hierarchy is billing provider (HL 20), subscriber (HL 22), patient (HL 23); where there is no patient level the
subscriber is the patient. Senders who leave HL out are followed by their NM1 segments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import BinaryIO

from billing.importers.records import BilledClaim, Fault, ImportFault, Person
from billing.importers.x12 import (
    Progress,
    Segment,
    claim_kind,
    is_dental,
    read_segments,
)
from billing.importers.x12_837_claim import ClaimDraft, PayerDraft
from billing.importers.x12_elements import read_name, read_person, with_detail
from billing.importers.x12_envelope import MOST_NOTES


def read(stream: BinaryIO, progress: Progress | None = None, notes: list[Fault] | None = None) -> Iterator[BilledClaim]:
    """Every claim of every 837 transaction, one in memory at a time.

    ``progress`` gets the number of bytes just read; ``notes`` collects what is odd about the envelope. Raises
    ImportFault where the file as a whole cannot be trusted and for dental claims; amounts that cannot be read are in
    the claim's ``faults``. ``footing.billed_claim_faults`` checks the sums.
    """
    notes = [] if notes is None else notes
    segments = read_segments(stream, progress, notes)
    component, version = ":", ""
    for segment in segments:
        if segment.id == "ISA":
            component = segment.get(16)
        elif segment.id == "GS":
            version = segment.get(8)
        elif segment.id == "ST" and segment.get(1) == "837":
            yield from _read_transaction(segments, component, segment.get(3) or version, segment)
        elif segment.id == "ST" and len(notes) < MOST_NOTES:
            notes.append(
                Fault(
                    segment.position,
                    "ST",
                    "a transaction that is not an 837 stands in this file: not read",
                )
            )


def _read_transaction(
    segments: Iterator[Segment], component: str, version: str, first: Segment
) -> Iterator[BilledClaim]:
    if is_dental(version):
        raise ImportFault(
            f"The transaction at segment {first.position} holds dental claims (837D), which cannot be imported. "
            "Export professional (837P) or institutional (837I) claims.",
            position=first.position,
            segment="ST",
        )
    hierarchy = _Hierarchy(component, claim_kind(version))
    for segment in segments:
        if hierarchy.claim is not None and hierarchy.ends_claim(segment):
            yield hierarchy.close_claim()
        if segment.id == "SE":
            return
        hierarchy.take(segment)


@dataclass(slots=True)
class _Hierarchy:
    """The loops that stand around a claim: what 2010AA, 2000B, 2010BA, 2010BB and 2010CA said last."""

    component: str
    kind: str
    purpose: str = ""
    reissued: bool = False
    entity: str = ""
    billing_name: str = ""
    billing_npi: str = ""
    payer: PayerDraft = field(default_factory=PayerDraft)
    patient: Person | None = None
    patient_relation: str = ""
    claim: ClaimDraft | None = None

    def ends_claim(self, segment: Segment) -> bool:
        """HL, the next CLM and SE end a claim; so do names that can only begin the next one."""
        name = segment.id
        if name in ("HL", "CLM", "SE"):
            return True
        claim = self.claim
        if claim is None:
            return False
        if name == "SBR":
            return claim.in_lines
        # In loop 2330 the same names are those of another payer's subscriber, patient (004010) and provider.
        in_other_payer = claim.other is not None and not claim.in_lines
        return name == "NM1" and segment.get(1) in ("85", "IL", "QC") and not in_other_payer

    def take(self, segment: Segment) -> None:
        if self.claim is not None:
            self.claim.take(segment)
            return
        handler = _OUTER_SEGMENTS.get(segment.id)
        if handler is not None:
            handler(self, segment)

    def close_claim(self) -> BilledClaim:
        claim, self.claim = self.claim, None
        if claim is None:
            raise AssertionError("no claim is open")
        return claim.freeze(self.kind)

    def open_claim(self, segment: Segment) -> None:
        payer = self.payer
        relation = payer.relation or self.patient_relation
        self.claim = ClaimDraft(
            first=segment,
            component=self.component,
            destination=replace(payer, relation=relation),
            patient=payer.subscriber if self.patient is None else self.patient,
            billing_name=self.billing_name,
            billing_npi=self.billing_npi,
            purpose=self.purpose,
            reissued=self.reissued,
        )


def _take_beginning(outer: _Hierarchy, segment: Segment) -> None:
    outer.purpose = segment.get(6).strip()
    outer.reissued = segment.get(2).strip() == "18"


def _take_level(outer: _Hierarchy, segment: Segment) -> None:
    """A new level forgets what hung below the one before it."""
    level = segment.get(3)
    outer.entity = ""
    outer.patient, outer.patient_relation = None, ""
    if level in ("20", "22"):
        outer.payer = PayerDraft()
    if level == "20":
        outer.billing_name, outer.billing_npi = "", ""


def _take_subscriber(outer: _Hierarchy, segment: Segment) -> None:
    outer.payer = PayerDraft.from_subscriber(segment)
    outer.patient, outer.patient_relation = None, ""


def _take_patient(outer: _Hierarchy, segment: Segment) -> None:
    outer.patient_relation = segment.get(1).strip()


def _take_name(outer: _Hierarchy, segment: Segment) -> None:
    outer.entity = entity = segment.get(1)
    if entity == "85":
        outer.billing_name, outer.billing_npi = (
            read_name(segment),
            segment.get(9).strip(),
        )
    elif entity == "IL":
        _take_subscriber_name(outer, segment)
    elif entity == "PR":
        outer.payer.payer_name, outer.payer.payer_id = (
            read_name(segment),
            segment.get(9).strip(),
        )
    elif entity == "QC":
        outer.patient = read_person(segment)


def _take_subscriber_name(outer: _Hierarchy, segment: Segment) -> None:
    if outer.payer.subscriber != Person():  # no HL and no SBR came between: the sender leaves them out
        outer.payer = PayerDraft()
        outer.patient = None
    outer.payer.subscriber = read_person(segment)


def _take_person_detail(outer: _Hierarchy, segment: Segment) -> None:
    if outer.entity == "IL":
        outer.payer.subscriber = with_detail(outer.payer.subscriber, segment)
    elif outer.entity == "QC" and outer.patient is not None:
        outer.patient = with_detail(outer.patient, segment)


def _take_reference(outer: _Hierarchy, segment: Segment) -> None:
    if outer.entity == "PR" and segment.get(1) == "2U" and not outer.payer.payer_id:
        outer.payer.payer_id = segment.get(2).strip()


_OUTER_SEGMENTS: dict[str, Callable[[_Hierarchy, Segment], None]] = {
    "BHT": _take_beginning,
    "HL": _take_level,
    "SBR": _take_subscriber,
    "PAT": _take_patient,
    "NM1": _take_name,
    "N3": _take_person_detail,
    "N4": _take_person_detail,
    "DMG": _take_person_detail,
    "REF": _take_reference,
    "CLM": _Hierarchy.open_claim,
}
