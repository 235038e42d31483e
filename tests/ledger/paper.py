"""X12 files written for a test: as short as the importer takes them, in cents, footing unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

Cas = tuple[str, str, int]  # group, reason, cents


@dataclass(frozen=True)
class Payer:
    """A payer as remittances (TRN03) and claims (NM109) name it."""

    name: str
    payer_id: str
    trn: str


HARBOR = Payer("HARBOR MUTUAL", "HM001", "1990000002")
LIGHT = Payer("LIGHTHOUSE PLAN", "LS77", "1990000077")
CEDAR = Payer("CEDAR GAP PLAN", "CG05", "1990000005")


@dataclass(frozen=True)
class Clp:
    """One claim of a remittance with one service line; ``charge`` left out is payment plus adjustments."""

    claim_id: str
    paid: int
    cas: Sequence[Cas] = ()
    status: str = "1"
    charge: int | None = None
    pcn: str = "P1"  # CLP07
    line: str = "99213"
    remarks: Sequence[str] = ()
    on: date = date(2026, 9, 15)
    crossover: str = ""
    bad: int = 0  # cents by which the claim does not foot

    def negated(self, pcn: str = "") -> Clp:
        cas = [(group, reason, -amount) for group, reason, amount in self.cas]
        charge = None if self.charge is None else -self.charge
        return Clp(self.claim_id, -self.paid, cas, "22", charge, pcn or self.pcn, self.line, (), self.on)

    @property
    def charged(self) -> int:
        return self.charge if self.charge is not None else self.paid + sum(c[2] for c in self.cas)


@dataclass(frozen=True)
class Bill:
    """One claim of an 837. ``payers`` in order of rank; ``to`` is the rank it is sent to, ``reported`` what an earlier
    payer did: rank -> (paid, adjustments). ``lines`` are (procedure, cents).
    """

    claim_id: str
    lines: Sequence[tuple[str, int]]
    payers: Sequence[Payer] = (HARBOR,)
    to: int = 1
    frequency: str = "1"
    patient_paid: int = 0
    reported: dict[int, tuple[int, Sequence[Cas]]] = field(default_factory=dict)
    patient: tuple[str, str, str] = ("ROWAN", "MIRA", "19840229")


def cents(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def _envelope(kind: str, body: Sequence[str], number: int, end: str) -> str:
    version = "005010X221A1" if kind == "835" else "005010X222A1"
    isa = (f"ISA*00*{'':10}*00*{'':10}*ZZ*{'SENDER':15}*ZZ*{'RECEIVER':15}*261102*0900*^*00501*{number:09d}*0*T*:")
    st = f"ST*{kind}*0001" + (f"*{version}" if kind == "837" else "")
    rows = [isa, f"GS*{'HP' if kind == '835' else 'HC'}*SENDER*RECEIVER*20261102*0900*1*X*{version}", st, *body,
            f"SE*{len(body) + 2}*0001", "GE*1*1", f"IEA*1*{number:09d}"]
    return "".join(row + end for row in rows)


def remittance(trace: str, claims: Sequence[Clp], payer: Payer = HARBOR, *, plb: Sequence[tuple[str, int]] = (),
               on: date = date(2026, 11, 3), total: int | None = None, end: str = "~\n", number: int = 1) -> str:
    """An 835 of one transaction; ``total`` only where BPR02 shall be wrong, ``end`` for other bytes."""
    paid = sum(c.paid for c in claims) - sum(amount for _, amount in plb) if total is None else total
    sign = "D" if paid < 0 else "C"
    bank = f"ACH*CCP*01*099999991*DA*1234567*{payer.trn}**01*099999992*DA*1"
    body = [f"BPR*I*{cents(abs(paid))}*{sign}*{bank}*{on:%Y%m%d}", f"TRN*1*{trace}*{payer.trn}",
            f"N1*PR*{payer.name}*XV*{payer.payer_id}", "N1*PE*MAPLE CLINIC*XX*1234567893",
            "LX*1"]
    for claim in claims:
        body += _claim(claim)
    body += [f"PLB*1234567893*20261231*{reason}:REF*{cents(amount)}" for reason, amount in plb]
    return _envelope("835", body, number, end)


def _claim(c: Clp) -> list[str]:
    rows = [f"CLP*{c.claim_id}*{c.status}*{cents(c.charged + c.bad)}*{cents(c.paid)}**12*{c.pcn}*11*1",
            "NM1*QC*1*ROWAN*MIRA****MI*M1"]
    rows += [f"NM1*TT*2*{c.crossover}*****PI*XX1"] if c.crossover else []
    rows += [f"DTM*232*{c.on:%Y%m%d}", f"SVC*HC:{c.line}*{cents(c.charged)}*{cents(c.paid)}**1",
             f"DTM*472*{c.on:%Y%m%d}"]
    rows += [f"CAS*{group}*{reason}*{cents(amount)}" for group, reason, amount in c.cas]
    return rows + [f"LQ*HE*{remark}" for remark in c.remarks]


def claims(bills: Sequence[Bill], *, end: str = "~\n", number: int = 1) -> str:
    """An 837P."""
    body = ["BHT*0019*00*B1*20261016*1015*CH", "NM1*41*2*MAPLE CLINIC*****46*M", "NM1*40*2*HOUSE*****46*H",
            "HL*1**20*1", "NM1*85*2*MAPLE CLINIC*****XX*1234567893"]
    for place, bill in enumerate(bills, 2):
        body += _bill(bill, place)
    return _envelope("837", body, number, end)


def _bill(b: Bill, place: int) -> list[str]:
    surname, given, born = b.patient
    total = sum(amount for _, amount in b.lines)
    destination = b.payers[b.to - 1] if b.payers else Payer("SELF", "", "")
    rows = [f"HL*{place}*1*22*0", f"SBR*{'PST'[b.to - 1]}*18*******{'CI' if b.payers else '09'}",
            f"NM1*IL*1*{surname}*{given}****MI*M1", f"DMG*D8*{born}*F",
            f"NM1*PR*2*{destination.name}*****PI*{destination.payer_id}",
            f"CLM*{b.claim_id}*{cents(total)}***11:B:{b.frequency}*Y*A*Y*Y"]
    rows += [f"AMT*F5*{cents(b.patient_paid)}"] if b.patient_paid else []
    for rank, payer in enumerate(b.payers, 1):
        if rank != b.to:
            rows += _other(b, rank, payer)
    for number, (code, amount) in enumerate(b.lines, 1):
        rows += [f"LX*{number}", f"SV1*HC:{code}*{cents(amount)}*UN*1***1", "DTP*472*D8*20260915"]
    return rows


def _other(b: Bill, rank: int, payer: Payer) -> list[str]:
    paid, cas = b.reported.get(rank, (None, ()))
    return [f"SBR*{'PST'[rank - 1]}*18*******CI", *(f"CAS*{g}*{r}*{cents(a)}" for g, r, a in cas),
            *([f"AMT*D*{cents(paid)}"] if paid is not None else []),
            f"NM1*IL*1*ROWAN*PETER****MI*M{rank}", f"NM1*PR*2*{payer.name}*****PI*{payer.payer_id}"]
