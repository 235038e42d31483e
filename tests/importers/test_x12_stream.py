"""The tokeniser: any delimiters, any chunking, bounded memory, and clear words about what is not X12."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from pathlib import Path

import pytest

from billing.importers import x12, x12_835, x12_837
from billing.importers.records import Fault, ImportFault, PaidClaim
from billing.importers.x12 import read_segments
from tests.importers import samples
from tests.importers.bulk import HEAD, PieceStream, bulk_remittance


class Dribble(BytesIO):
    """Gives a few bytes at a time, as a pipe may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(7)


def _message(data: bytes) -> str:
    with pytest.raises(ImportFault) as caught:
        list(x12_835.read(BytesIO(data)))
    return str(caught.value)


@pytest.mark.parametrize("name", ["plain.835", "several-isa.835", "bom.835", "newline-terminator.835"])
def test_chunk_borders_do_not_matter(name: str) -> None:
    whole = list(read_segments(BytesIO(samples.content(name))))

    assert list(read_segments(Dribble(samples.content(name)))) == whole
    assert [segment.position for segment in whole] == list(range(1, len(whole) + 1))


def test_a_file_of_many_small_interchanges_is_read_whole() -> None:
    assert len(samples.read_remittance_bytes(samples.content("plain.835") * 50)) == 50


def test_progress_counts_every_byte_once() -> None:
    data = samples.content("plain.835")
    counted: list[int] = []

    list(x12_835.read(BytesIO(data), counted.append))

    assert sum(counted) == len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \r\n\x00" * 100_000, "empty"),
        (b"PK\x03\x04" + bytes(range(256)) * 100, "does not begin with an ISA"),
        (b"%PDF-1.7 nothing here", "does not begin with an ISA"),
        ("ISA*00*".encode("utf-16"), "does not begin with an ISA"),
        (b"ISA", "damaged"),
        (b"ISA" + b"*" * 600, "damaged"),
        (b"ISA" + b"A" * 100_000, "damaged"),
        (HEAD.encode() + b"X" * 200_000, "longer than 16 KB"),
        (HEAD.encode() + b"NTE*" + b"X" * 70_000 + b"~", "longer than 16 KB"),
        (HEAD.encode(), "cut off"),
        (HEAD.encode() + b"SE*2*0001~GE*1*1~IEA*1*000000001~", "no BPR segment"),
        (samples.content("plain.835") + b"--- end of transmission ---", "comes text that is not X12"),
        (samples.content("plain.835").replace(b"IEA*", b"ISA*"), "never closed by its IEA"),
        (samples.content("plain.835").replace(b"ST*835*0001", b"N1*XX*NAME "), "never opened"),
    ],
)
def test_what_is_not_a_whole_x12_file_is_refused_in_words(data: bytes, words: str) -> None:
    assert words in _message(data)


def test_an_endless_claim_is_refused() -> None:
    claim = b"BPR*I*0*C~TRN*1*T*1~CLP*A*1*0*0~" + b"REF*EA*1~" * 11_000

    assert "more than 10,000 segments" in _message(HEAD.encode() + claim)


def test_a_seventh_adjustment_in_one_cas_is_a_fault() -> None:
    data = samples.content("plain.835").replace(b"CAS*CO*45*40~", b"CAS*CO*45*40" + b"**A2*0" * 6 + b"~")
    claim = samples.read_remittance_bytes(data)[0].claims[0]

    assert [fault.reason for fault in claim.faults] == ["CAS has more than six adjustments, so the segment is damaged"]
    assert len(claim.lines[0].adjustments) == 6


def test_endless_provider_adjustments_are_refused() -> None:
    data = HEAD.encode() + b"BPR*I*0*C~" + b"PLB*1*2*CS*0*CS*0*CS*0*CS*0*CS*0*CS*0~" * 3_000

    assert "more provider adjustments" in _message(data)


def test_other_transactions_in_a_file_are_named_and_left_alone() -> None:
    data = samples.content("plain.837")
    notes: list[Fault] = []

    assert list(x12_835.read(BytesIO(data), notes=notes)) == []
    assert [note.reason for note in notes] == ["a transaction that is not an 835 stands in this file: not read"]


def test_a_payer_id_of_ref_2u_is_used_where_the_name_has_none() -> None:
    data = samples.content("secondary-cob.837").replace(b"LIGHTHOUSE PRIMARY*****PI*LS77~", b"LIGHTHOUSE PRIMARY~")
    claims = list(x12_837.read(BytesIO(data.replace(b"REF*F8*LSCLAIM9~", b"REF*2U*LS99~"))))

    assert [coverage.payer_id for coverage in claims[0].coverages] == ["LS99", "HM001"]


def test_names_in_another_payers_loop_do_not_end_the_claim() -> None:
    """Loops 2330C (004010) and 2330G repeat NM1*QC and NM1*85."""
    data = samples.content("secondary-cob.837")
    extended = data.replace(b"LX*1~", b"NM1*QC*1******MI*LSX55~NM1*85*2******XX*1999999984~LX*1~", 1)

    assert extended != data
    assert [len(claim.lines) for claim in samples.read_claims(extended)] == [2]


@pytest.mark.parametrize(
    ("version", "service", "kind"),
    [("", "SV1*HC:99213*1*UN*1", "837P"), ("", "SV2*0450**1*UN*1", "837I"), ("005010X223A2", "SV1*HC:1*1", "837I")],
)
def test_the_kind_of_claim_file_comes_from_the_guide_else_from_its_lines(
    version: str, service: str, kind: str, tmp_path: Path
) -> None:
    data = samples.content("plain.837").replace(b"005010X222A1", version.encode())
    lines = data.split(b"SV1*")
    path = tmp_path / "claims"
    path.write_bytes(lines[0] + service.encode() + b"~SE*1*0001~GE*1*1~IEA*1*000000001~")

    assert x12.identify(path) == kind
    assert [claim.kind for claim in x12_837.read(BytesIO(path.read_bytes()))] == [kind]


def test_each_transaction_is_opened_filled_and_closed_in_turn() -> None:
    records = list(x12_835.read(BytesIO(samples.content("several-st.835"))))

    assert [type(record).__name__ for record in records] == ["RemittanceOpened", "PaidClaim", "RemittanceClosed"] * 2


@pytest.mark.slow
def test_memory_stays_flat_on_a_20_megabyte_remittance() -> None:
    """One ST of 48,000 claims; the peak is that of a few chunks, not of the file."""
    tracemalloc.start()
    try:
        claims = _count_claims(x12_835.read(BufferedReader(_bulk_stream(48_000))))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert claims == 48_000
    assert peak < 3_000_000


def _bulk_stream(claims: int) -> PieceStream:
    return PieceStream(bulk_remittance(claims))


def _count_claims(records: Iterator[object]) -> int:
    return sum(isinstance(record, PaidClaim) for record in records)
