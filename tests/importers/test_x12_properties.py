"""Whatever the amounts, delimiters and line breaks, the same records come back; damage is only ever an ImportFault."""

from __future__ import annotations

from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing.importers import x12, x12_835, x12_837
from billing.importers.footing import billed_claim_faults
from billing.importers.records import ImportFault, PaidClaim
from tests.importers import samples

CENTS = st.integers(min_value=-10_000_000, max_value=10_000_000)
WORDS = st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", min_size=1, max_size=12)


@dataclass(frozen=True)
class Style:
    """How a file is written down."""

    element: str
    component: str
    terminator: str
    breaks: str
    indent: str
    start: str


@dataclass(frozen=True)
class Line:
    code: str
    charge: int
    paid: int
    adjustments: tuple[tuple[str, str, int, str], ...]


@dataclass(frozen=True)
class Claim:
    account: str
    status: str
    payer_number: str
    charge: int
    paid: int
    adjustments: tuple[tuple[str, str, int, str], ...]
    lines: tuple[Line, ...]
    name: str


@dataclass(frozen=True)
class Remittance:
    paid: int
    trace: str
    claims: tuple[Claim, ...]
    provider: tuple[tuple[str, str, int], ...]


@st.composite
def styles(draw: st.DrawFn) -> Style:
    marks = draw(st.permutations("*|+~^:>!&\x1c\x1d\x1f\n"))
    element, component = [mark for mark in marks if mark != "\n"][:2]
    terminator = next(mark for mark in marks if mark not in (element, component))
    return Style(
        element,
        component,
        terminator,
        breaks=draw(st.sampled_from(["", "\n", "\r\n", "\n\n"])),
        indent=draw(st.sampled_from(["", "  ", "\t"])),
        start=draw(st.sampled_from(["", "\ufeff", "\n \n"])),
    )


ADJUSTMENTS = st.lists(
    st.tuples(
        st.sampled_from(["CO", "PR", "OA", "PI", "CR"]),
        st.sampled_from(["1", "2", "3", "23", "45", "96", "B10"]),
        CENTS,
        st.sampled_from(["", "", "1", "2.5"]),
    ),
    max_size=9,
).map(tuple)
LINES = st.lists(st.builds(Line, WORDS.map(lambda w: f"X{w}"), CENTS, CENTS, ADJUSTMENTS), max_size=4).map(tuple)
CLAIMS = st.builds(Claim, WORDS, st.sampled_from(["1", "2", "4", "22"]), WORDS, CENTS, CENTS, ADJUSTMENTS, LINES, WORDS)
PROVIDER = st.lists(st.tuples(st.sampled_from(["WO", "FB", "72"]), st.one_of(st.just(""), WORDS), CENTS), max_size=8)
REMITTANCES = st.builds(Remittance, CENTS, WORDS, st.lists(CLAIMS, max_size=5).map(tuple), PROVIDER.map(tuple))


def _money(minor: int) -> str:
    whole, cents = divmod(abs(minor), 100)
    sign = "-" if minor < 0 else ""
    if cents == 0:
        return f"{sign}{whole}"
    return f"{sign}{whole or ''}.{cents:02d}".removesuffix("0")


def _adjustment_segments(adjustments: tuple[tuple[str, str, int, str], ...]) -> list[list[str]]:
    """Neighbours of one group share a CAS, up to six of them."""
    segments: list[list[str]] = []
    for group, reason, minor, quantity in adjustments:
        if not segments or segments[-1][1] != group or len(segments[-1]) >= 2 + 6 * 3:
            segments.append(["CAS", group])
        segments[-1] += [reason, _money(minor), quantity]
    return segments


def _claim_segments(claim: Claim) -> list[list[str]]:
    segments = [
        ["CLP", claim.account, claim.status, _money(claim.charge), _money(claim.paid), "", "12", claim.payer_number],
        *_adjustment_segments(claim.adjustments),
        ["NM1", "QC", "1", claim.name],
    ]
    for line in claim.lines:
        segments.append(["SVC", f"HC\0{line.code}", _money(line.charge), _money(line.paid), "", "1"])
        segments += _adjustment_segments(line.adjustments)
    return segments


def _segments(remittance: Remittance) -> list[list[str]]:
    body = [
        ["ST", "835", "0001"],
        ["BPR", "I", _money(remittance.paid), "C", "ACH", *[""] * 11, "20261103"],
        ["TRN", "1", remittance.trace, "1990000002"],
        *[segment for claim in remittance.claims for segment in _claim_segments(claim)],
    ]
    for reason, reference, minor in remittance.provider:
        body.append(["PLB", "1234567893", "20261231", f"{reason}\0{reference}" if reference else reason, _money(minor)])
    return [*body, ["SE", str(len(body) + 1), "0001"]]


def _render(remittances: list[Remittance], style: Style) -> bytes:
    groups = [segment for remittance in remittances for segment in _segments(remittance)]
    isa = ["ISA", "00", " " * 10, "00", " " * 10, "ZZ", "A".ljust(15), "ZZ", "B".ljust(15), "261102", "0900"]
    isa += ["U", "00501", "000000001", "0", "P", style.component]
    opening = ["GS", "HP", "A", "B", "20261102", "0900", "1", "X", "005010X221A1"]
    closing = [["GE", str(len(remittances)), "1"], ["IEA", "1", "000000001"]]
    rows = [style.element.join(segment) for segment in [isa, opening, *groups, *closing]]
    text = "".join(f"{style.indent}{row}{style.terminator}{style.breaks}" for row in rows)
    return (style.start + text.replace("\0", style.component)).encode()


def _shown(transactions: list[samples.Transaction]) -> list[Remittance]:
    return [
        Remittance(
            transaction.opened.paid_minor,
            transaction.opened.trace,
            tuple(_shown_claim(claim) for claim in transaction.claims),
            tuple(
                (item.reason, item.reference, item.amount_minor)
                for item in samples.closed_of(transaction).provider_adjustments
            ),
        )
        for transaction in transactions
    ]


def _shown_claim(claim: PaidClaim) -> Claim:
    return Claim(
        claim.claim_id,
        claim.status_code,
        claim.payer_claim_id,
        claim.charge_minor,
        claim.paid_minor,
        tuple((item.group, item.reason, item.amount_minor, item.quantity or "") for item in claim.adjustments),
        tuple(
            Line(
                line.procedure_code,
                line.charge_minor,
                line.paid_minor,
                tuple((item.group, item.reason, item.amount_minor, item.quantity or "") for item in line.adjustments),
            )
            for line in claim.lines
        ),
        claim.patient.surname,
    )


@settings(max_examples=150, deadline=None)
@given(st.lists(REMITTANCES, min_size=1, max_size=3), styles(), styles())
def test_any_way_of_writing_a_remittance_down_gives_back_its_records_and_digest(
    remittances: list[Remittance], style: Style, other: Style
) -> None:
    found = samples.read_remittance_bytes(_render(remittances, style))
    again = samples.read_remittance_bytes(_render(remittances, other))

    assert _shown(found) == remittances
    assert [samples.digest_of(each) for each in found] == [samples.digest_of(each) for each in again]


@settings(max_examples=60, deadline=None)
@given(REMITTANCES.filter(lambda remittance: bool(remittance.claims)), st.integers(min_value=1, max_value=999))
def test_any_other_amount_gives_another_digest(remittance: Remittance, cents: int) -> None:
    first, *rest = remittance.claims
    changed = replace(remittance, claims=(replace(first, paid=first.paid + cents), *rest))
    style = Style("*", ":", "~", "\n", "", "")

    digests = [
        samples.digest_of(samples.read_remittance_bytes(_render([each], style))[0]) for each in (remittance, changed)
    ]
    assert digests[0] != digests[1]


MUTATIONS = st.lists(
    st.tuples(
        st.sampled_from(["delete", "insert", "replace", "double", "cut"]),
        st.floats(min_value=0, max_value=1),
        st.integers(min_value=0, max_value=400),
        st.one_of(
            st.binary(max_size=40), st.sampled_from([b"~", b"*", b"ISA*", b"SE*1*0001~", b"IEA*1*1~", b"\xff\x00"])
        ),
    ),
    min_size=1,
    max_size=4,
)


def _mutate(data: bytes, kind: str, where: float, length: int, junk: bytes) -> bytes:
    at = int(len(data) * where)
    if kind == "delete":
        return data[:at] + data[at + length :]
    if kind == "insert":
        return data[:at] + junk + data[at:]
    if kind == "replace":
        return data[:at] + junk + data[at + len(junk) :]
    if kind == "double":
        return data[:at] + data[at : at + length] * 2 + data[at + length :]
    return data[:at]


def _read_everything(data: bytes) -> None:
    for transaction in samples.read_remittance_bytes(data):
        samples.faults_of(transaction)
        samples.flags_of(transaction)
        samples.digest_of(transaction)


@settings(max_examples=400, deadline=None)
@example(name="plain.835", mutations=[("cut", 0.5, 0, b"")])
@given(name=st.sampled_from(samples.sample_names()), mutations=MUTATIONS)
def test_a_damaged_file_is_read_or_refused_never_a_crash(
    name: str, mutations: list[tuple[str, float, int, bytes]]
) -> None:
    data = samples.content(name)
    for kind, where, length, junk in mutations:
        data = _mutate(data, kind, where, length, junk)

    for read in (_read_everything, _read_every_claim):
        refusal = ""
        try:
            read(data)
        except ImportFault as fault:
            refusal = str(fault)
        assert refusal == "" or refusal.endswith("."), "a refusal says what is wrong in a sentence"


def _read_every_claim(data: bytes) -> None:
    for claim in x12_837.read(BytesIO(data)):
        billed_claim_faults(claim)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=2_000))
def test_any_bytes_at_all_are_identified_or_refused(data: bytes) -> None:
    for read in (x12_835.read, x12_837.read):
        try:
            records = list(read(BytesIO(data)))
        except ImportFault:
            continue
        assert records == []


def test_a_damaged_head_is_of_unknown_kind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for end in (0, 3, 50, 105, 150):
        path.write_bytes(samples.content("plain.835")[:end])
        assert x12.identify(path) == "unknown"
