"""Every shipped X12 sample reads as the expectation beside it says: amounts, refusals, flags, places."""

from __future__ import annotations

from io import BytesIO

import pytest

from billing.importers import x12, x12_835, x12_837
from billing.importers.records import Fault, ImportFault
from tests.importers import samples

NAMES = samples.sample_names()
REMITTANCES = [name for name in NAMES if "transactions" in samples.expected(name)]
CLAIM_FILES = [name for name in NAMES if "claims" in samples.expected(name) and "refused" not in samples.expected(name)]
REFUSED = [name for name in NAMES if "refused" in samples.expected(name)]


@pytest.mark.parametrize("name", NAMES)
def test_the_kind_of_a_file_is_known_from_its_head(name: str) -> None:
    assert x12.identify(samples.FOLDER / name) == samples.expected(name)["kind"]


@pytest.mark.parametrize("name", REMITTANCES)
def test_a_remittance_reads_to_the_cent(name: str) -> None:
    want = samples.expected(name)
    notes: list[Fault] = []
    found = samples.read_remittances(BytesIO(samples.content(name)), notes)

    assert [samples.shown_remittance(transaction) for transaction in found] == want["transactions"]
    faults = [fault for transaction in found for fault in samples.faults_of(transaction)]
    assert samples.shown_places(faults) == want.get("faults", [])
    flags = [flag for transaction in found for flag in samples.flags_of(transaction)]
    assert samples.shown_places(flags) == want.get("flags", [])
    assert [{"segment": note.segment, "position": note.position} for note in notes] == want.get("notes", [])


@pytest.mark.parametrize("name", CLAIM_FILES)
def test_a_claim_file_reads_to_the_cent(name: str) -> None:
    want = samples.expected(name)
    notes: list[Fault] = []
    found = samples.read_claims(samples.content(name), notes)

    assert [samples.shown_billed_claim(claim) for claim in found] == want["claims"]
    assert samples.shown_places(samples.billed_faults_of(found)) == want.get("faults", [])
    assert [flag for claim in found for flag in claim.flags] == []
    assert notes == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_damaged_file_is_refused_naming_the_place(name: str) -> None:
    want = samples.expected(name)["refused"]
    read = x12_837.read if name.endswith(".837") else x12_835.read

    with pytest.raises(ImportFault) as caught:
        list(read(BytesIO(samples.content(name))))

    assert {"segment": caught.value.segment, "position": caught.value.position} == want
    assert str(caught.value).endswith("."), "a refusal is a whole sentence"


SAME_CONTENT = ["plain.835", "newline-terminator.835", "crlf-terminator.835", "one-long-line.835", "bom.835"]


@pytest.mark.parametrize("name", [*SAME_CONTENT, "indented.835", "wrapped-80.835"])
def test_the_same_amounts_have_the_same_digest_whatever_the_bytes(name: str) -> None:
    plain, other = (samples.read_remittance_bytes(samples.content(each))[0] for each in ("plain.835", name))

    assert samples.digest_of(plain) == samples.digest_of(other)
    assert [line.remarks for line in plain.claims[0].lines] == [line.remarks for line in other.claims[0].lines]


def test_another_amount_is_another_digest() -> None:
    plain = samples.content("plain.835")
    changed = plain.replace(b"CAS*CO*45*40~", b"CAS*CO*45*41~")

    assert changed != plain
    digests = [samples.digest_of(samples.read_remittance_bytes(data)[0]) for data in (plain, changed)]
    assert digests[0] != digests[1]


def test_the_facts_around_the_amounts_are_kept() -> None:
    """Names, dates, references, units, payer and payee of the plain sample."""
    transaction = samples.read_remittance_bytes(samples.content("plain.835"))[0]
    opened, claim = transaction.opened, transaction.claims[0]

    assert (opened.payer_name, opened.payer_id, opened.payee_id) == ("HARBOR MUTUAL HEALTH", "HM001", "1234567893")
    assert (opened.payer_identifier, opened.method, opened.handling_code) == ("1990000002", "ACH", "I")
    assert str(opened.paid_on) == "2026-11-03"
    assert (claim.patient.surname, claim.patient.given, claim.patient.member_id) == ("ROWAN", "MIRA", "HMA100200")
    assert (claim.rendering_name, claim.filing_code) == ("LENA OKAFOR", "12")
    assert str(claim.service_from_on) == str(claim.service_to_on) == "2026-10-12"
    assert [line.control_number for line in claim.lines] == ["MS-1001-1", "MS-1001-2"]
    assert [(line.procedure_code, line.units) for line in claim.lines] == [("99213", "1"), ("85025", "1")]


def test_remark_codes_of_protected_patients_are_found_at_both_levels() -> None:
    """T-57 needs N781 to N783 from MOA and from LQ."""
    claims = samples.read_remittance_bytes(samples.content("qmb-remarks.835"))[0].claims

    assert claims[0].remarks == ("MA01", "N781")
    assert claims[0].lines[0].remarks == ("N782",)
    assert [(item.group, item.reason) for item in claims[1].lines[0].adjustments] == [("OA", "209")]


def test_revenue_codes_and_units_of_an_institutional_claim_are_kept() -> None:
    claim = samples.read_remittance_bytes(samples.content("institutional-revenue-codes.835"))[0].claims[0]

    assert [(line.procedure_code, line.revenue_code, line.units) for line in claim.lines] == [
        ("", "0120", "3"),
        ("99284", "0450", "1"),
    ]
    assert claim.remarks == ("N115", "MA02")
    assert (str(claim.service_from_on), str(claim.service_to_on)) == ("2026-10-01", "2026-10-04")


def test_six_triplets_keep_their_quantities_and_their_order() -> None:
    claim = samples.read_remittance_bytes(samples.content("six-triplets.835"))[0].claims[0]

    assert len(claim.adjustments) == 12
    assert [(item.reason, item.quantity) for item in claim.adjustments[:3]] == [
        ("45", None),
        ("97", "1"),
        ("131", None),
    ]
    assert [item.reason for item in claim.lines[0].adjustments if item.group == "PR"] == [
        "1",
        "2",
        "3",
        "66",
        "96",
        "204",
    ]


def test_provider_adjustments_keep_reason_reference_and_sign() -> None:
    transaction = samples.read_remittance_bytes(samples.content("plb-many.835"))[0]

    found = [(i.reason, i.reference, i.amount_minor) for i in samples.closed_of(transaction).provider_adjustments]
    assert found == [
        ("WO", "OV-2201", 12000),
        ("WO", "", 500),
        ("FB", "FW-3", 1000),
        ("L6", "INT-9", -37),
        ("CS", "ADJ-4", -200),
        ("72", "HM26091111", 50),
        ("CS", "", 50),
    ]


def test_a_forwarding_payer_names_the_next_one() -> None:
    claims = samples.read_remittance_bytes(samples.content("crossover-19-20-21.835"))[0].claims

    assert {claim.crossover_payer for claim in claims} == {"LIGHTHOUSE SUPPLEMENT"}


def test_an_undeclared_component_mark_is_still_a_component_mark() -> None:
    transaction = samples.read_remittance_bytes(samples.content("other-component-mark.835"))[0]
    line, adjustment = transaction.claims[0].lines[0], samples.closed_of(transaction).provider_adjustments[0]

    assert (line.procedure_code, line.modifiers) == ("99212", ("25",))
    assert (adjustment.reason, adjustment.reference) == ("WO", "OV-9")


def test_names_in_latin_1_are_read() -> None:
    claim = samples.read_remittance_bytes(samples.content("latin1-names.835"))[0].claims[0]

    assert (claim.patient.surname, claim.patient.given) == ("YAÑEZ", "ZOÉ")
    assert (claim.corrected.surname, claim.corrected.member_id) == ("YÁÑEZ", "HMA100299")
