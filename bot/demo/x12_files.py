"""Writes the sample practice's claim and remittance files: ``python -m bot.demo.x12_files``.

The people, plans and numbers are made up. The files are shipped; a test writes them again and compares.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FILES = Path(__file__).parent / "files"
HARBOR, CITY, MEDICARE, MEDIGAP = (
    ("HARBOR HEALTH PLAN", "HHP01", "1341111111", "CI"), ("CITYWIDE EMPLOYEE FUND", "CWE22", "1342222222", "CI"),
    ("MEDICARE PART B", "MCRB1", "1343333333", "MB"), ("SENIOR GAP MUTUAL", "SGM44", "1344444444", "CI"))
Payer = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A service line: code, charge and, as the plan answered, payment and CAS pairs; money as X12 writes it."""

    code: str
    charge: str
    paid: str = "0"
    cas: tuple[tuple[str, str, str], ...] = ()
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    number: str
    surname: str
    given: str
    born: str
    sex: str
    day: str
    payers: tuple[Payer, ...]
    lines: tuple[Line, ...]
    subscriber: tuple[str, str, str, str] | None = None  # surname, given, born, sex, where it is somebody else
    f5: str = ""
    answer: str = "1"  # CLP02; "" when the plan has not answered
    second: tuple[Line, ...] = ()  # the second payer's answer
    second_status: str = "2"


def _cents(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


def _money(cents: int) -> str:
    sign, whole, part = "-" * (cents < 0), abs(cents) // 100, abs(cents) % 100
    return f"{sign}{whole}" + (f".{part:02d}".rstrip("0") if part else "")


CLAIMS = (
    Claim("MS-1001", "KELLER", "ANNA", "19840312", "F", "20261006", (HARBOR,), (
        Line("99213", "185", "68.8", (("CO", "45", "62"), ("PR", "1", "37"), ("PR", "2", "17.2"))),
        Line("87880", "45", "0", (("CO", "45", "15"), ("PR", "1", "30"))))),
    Claim("MS-1002", "ORTEGA", "LUIS", "19790521", "M", "20261007", (HARBOR,), (
        Line("99214", "260", "145.5", (("CO", "45", "84.5"), ("PR", "3", "30"))),)),
    Claim("MS-1003", "ORTEGA", "LUIS", "19790521", "M", "20261021", (HARBOR,), (
        Line("80053", "72", "0", (("CO", "45", "31.4"), ("PR", "1", "40.6"))),
        Line("36415", "18", "0", (("CO", "45", "9"), ("PR", "1", "9"))))),
    Claim("MS-1004", "KIM", "GRACE", "19910804", "F", "20261103", (CITY,), (Line("99213", "185"),), answer=""),
    Claim("MS-1005", "PRICE", "SAMUEL", "19560930", "M", "20261012", (MEDICARE, MEDIGAP), (
        Line("99214", "260", "102.4", (("CO", "45", "132"), ("PR", "2", "25.6"))),), answer="19"),
    Claim("MS-1006", "MOORE", "DENISE", "19680117", "F", "20261013", (CITY,), (
        Line("93000", "90", "0", (("CO", "50", "90"),), "N115"),), answer="4"),
    Claim("MS-1007", "HADDAD", "OMAR", "19870225", "M", "20261014", (HARBOR,), (
        Line("99213", "185", "90", (("CO", "45", "70"), ("PR", "3", "25"))),
        Line("A9270", "60", "0", (("PR", "96", "60"),), "N130"))),
    Claim("MS-1008", "FELDMAN", "RUTH", "19480714", "F", "20260922", (MEDICARE, MEDIGAP), (
        Line("99214", "260", "102.4", (("CO", "45", "132"), ("PR", "2", "25.6"))),
        Line("G0439", "175", "139.2", (("CO", "45", "35.8"),))), answer="19", second=(
        Line("99214", "260", "15.6", (("OA", "23", "234.4"), ("PR", "1", "10"))),
        Line("G0439", "175", "0", (("OA", "23", "175"),)))),
    Claim("MS-1009", "NOVAK", "MIA", "20170609", "F", "20261015", (HARBOR,), (
        Line("99393", "210", "148", (("CO", "45", "62"),)),
        Line("87880", "45", "5", (("CO", "45", "15"), ("PR", "3", "25")))),
        subscriber=("NOVAK", "PETER", "19830228", "M")),
    Claim("MS-1010", "WHITAKER", "JOAN", "19720428", "F", "20261016", (CITY,), (
        Line("99213", "185", "103", (("CO", "45", "62"), ("PR", "3", "20"))),), f5="40"),
    Claim("MS-1011", "MENDEZ", "CARLOS", "19650303", "M", "20261019", (CITY,), (
        Line("99214", "260", "0", (("CO", "45", "84.5"), ("PR", "1", "175.5"))),)),
    Claim("MS-1012", "BROOKS", "HELEN", "19440212", "F", "20261020", (MEDICARE,), (
        Line("99213", "185", "73.6", (("CO", "45", "93"), ("PR", "2", "18.4")), "N781"),)),
    Claim("MS-1013", "CHEN", "VICTOR", "19890911", "M", "20261022", (), (
        Line("99204", "410"), Line("93000", "90"), Line("71046", "330"))),
    Claim("MS-1014", "WHITAKER", "PAUL", "19701203", "M", "20261023", (CITY,), (
        Line("99213", "185", "83", (("CO", "45", "62"), ("PR", "3", "40"))),)),
    Claim("MS-1015", "SANTOS", "MARIA", "19930126", "F", "20261008", (HARBOR,), (
        Line("99214", "260", "0", (("CO", "45", "84.5"), ("PR", "1", "175.5"))),)),
)

#: Harbor takes back and corrects its answer on MS-1015 in the second remittance.
CORRECTED = Line("99214", "260", "140.4", (("CO", "45", "84.5"), ("PR", "2", "35.1")))


def claim_file(claims: Sequence[Claim] = CLAIMS, number: int = 1) -> str:
    """These claims as one 837P. ``number``: of the interchange."""
    body = ["BHT*0019*00*MAPLE1*20261104*0900*CH", "NM1*41*2*MAPLE STREET FAMILY MEDICINE*****46*MAPLE",
            "PER*IC*BILLING*TE*2125550142", "NM1*40*2*CLEARINGHOUSE*****46*CLEAR"]
    level = 1
    body += [f"HL*{level}**20*1", "NM1*85*2*MAPLE STREET FAMILY MEDICINE*****XX*1999999984",
             "N3*120 MAPLE STREET", "N4*NEW YORK*NY*10013", "REF*EI*123456789"]
    for claim in claims:
        segments, level = _claim_loops(claim, level)
        body += segments
    return _interchange([("HC", "005010X222A1", "837", body)], number)


def _claim_loops(c: Claim, level: int) -> tuple[list[str], int]:
    holder = c.subscriber or (c.surname, c.given, c.born, c.sex)
    destination = c.payers[0] if c.payers else ("SELF PAY", "SELF", "", "09")
    found = [f"HL*{level + 1}*1*22*{int(c.subscriber is not None)}",
             f"SBR*P*{'' if c.subscriber else '18'}*******{destination[3]}",
             f"NM1*IL*1*{holder[0]}*{holder[1]}****MI*{_member(c)}", f"DMG*D8*{holder[2]}*{holder[3]}",
             f"NM1*PR*2*{destination[0]}*****PI*{destination[1]}"]
    level += 1
    if c.subscriber:
        found += [f"HL*{level + 1}*{level}*23*0", "PAT*19", f"NM1*QC*1*{c.surname}*{c.given}",
                  f"DMG*D8*{c.born}*{c.sex}"]
        level += 1
    total = _money(sum(_cents(line.charge) for line in c.lines))
    found.append(f"CLM*{c.number}*{total}***11:B:1*Y*A*Y*Y")
    found += [f"AMT*F5*{c.f5}"] if c.f5 else []
    found += ["HI*ABK:Z0000", "NM1*82*1*RIVERA*ELENA****XX*1888888883"]
    for other in c.payers[1:]:
        found += [f"SBR*S*18*******{other[3]}", "OI***Y***Y", f"NM1*IL*1*{holder[0]}*{holder[1]}****MI*{_member(c)}S",
                  f"NM1*PR*2*{other[0]}*****PI*{other[1]}"]
    for number, line in enumerate(c.lines, 1):
        found += [f"LX*{number}", f"SV1*HC:{line.code}*{line.charge}*UN*1***1", f"DTP*472*D8*{c.day}",
                  f"REF*6R*{c.number}-{number}"]
    return found, level


def _member(c: Claim) -> str:
    return f"M{c.number.removeprefix('MS-')}{c.born[2:]}"


def first_remittances() -> str:
    """What the first payers answered: one 835 transaction a payer."""
    groups = []
    for place, payer in enumerate((HARBOR, CITY, MEDICARE), 1):
        claims = [c for c in CLAIMS if c.answer and c.payers and c.payers[0] == payer]
        loops = [segment for c in claims for segment in _answer(c, c.answer, c.lines, f"{place}{c.number[3:]}", payer)]
        paid = sum(_cents(line.paid) for c in claims for line in c.lines)
        plb = ["PLB*1999999984*20261231*L6:INTEREST*-1.37"] if payer == CITY else []
        groups.append(_transaction(payer, paid + (137 if plb else 0), f"EFT2026110{place}", "20261106", loops, plb))
    return _interchange([("HP", "005010X221A1", "835", g) for g in groups], 2)


def second_remittances() -> str:
    """A week later: the second payer's answer, and a reversal with its correction (reversal first, RFI 791)."""
    seconds = [c for c in CLAIMS if c.second]
    gap = [s for c in seconds for s in _answer(c, c.second_status, c.second, f"4{c.number[3:]}", MEDIGAP)]
    gap_paid = sum(_cents(line.paid) for c in seconds for line in c.second)
    santos = next(c for c in CLAIMS if c.number == "MS-1015")
    back = _answer(santos, "22", santos.lines, "11015", HARBOR, sign=-1)
    again = _answer(santos, "1", (CORRECTED,), "11015R", HARBOR)
    groups = [_transaction(MEDIGAP, gap_paid, "EFT20261113", "20261113", gap, []),
              _transaction(HARBOR, _cents(CORRECTED.paid), "EFT20261114", "20261113", back + again, [])]
    return _interchange([("HP", "005010X221A1", "835", g) for g in groups], 3)


def answers_of(claims: Sequence[Claim], trace: str, number: int) -> str:
    """What the only payers of these claims answered: one 835 transaction a payer, its trace number ``trace`` and a
    place. ``number``: of the interchange.
    """
    groups = []
    for place, payer in enumerate(dict.fromkeys(c.payers[0] for c in claims if c.answer), 1):
        answered = [c for c in claims if c.answer and c.payers[0] == payer]
        loops = [segment for c in answered for segment in _answer(c, c.answer, c.lines, f"9{c.number[3:]}", payer)]
        paid = sum(_cents(line.paid) for c in answered for line in c.lines)
        groups.append(_transaction(payer, paid, f"{trace}{place}", "20261113", loops, []))
    return _interchange([("HP", "005010X221A1", "835", g) for g in groups], number)


def _transaction(payer: Payer, paid: int, trace: str, day: str, loops: list[str], plb: list[str]) -> list[str]:
    return [f"BPR*I*{_money(paid)}*C*ACH*CCP*01*021000021*DA*1*{payer[2]}**01*021000089*DA*2*{day}",
            f"TRN*1*{trace}*{payer[2]}", f"DTM*405*{day}", f"N1*PR*{payer[0]}", "N3*1 PLAN WAY", "N4*ALBANY*NY*12207",
            f"REF*2U*{payer[1]}", "PER*BL*EDI DESK*TE*8005550100", "N1*PE*MAPLE STREET FAMILY MEDICINE*XX*1999999984",
            "LX*1", *loops, *plb]


def _answer(c: Claim, status: str, lines: Sequence[Line], payer_claim: str, payer: Payer, sign: int = 1) -> list[str]:
    charge = sum(_cents(line.charge) for line in lines) * sign
    paid = sum(_cents(line.paid) for line in lines) * sign
    patient = sum(_cents(a) for line in lines for group, _, a in line.cas if group == "PR") * sign
    found = [f"CLP*{c.number}*{status}*{_money(charge)}*{_money(paid)}*{_money(patient)}*{payer[3]}*{payer_claim}*11*1",
             f"NM1*QC*1*{c.surname}*{c.given}****MI*{_member(c)}"]
    if status == "19":
        found.append(f"NM1*TT*2*{c.payers[1][0]}*****PI*{c.payers[1][1]}")
    found.append(f"DTM*232*{c.day}")
    for number, line in enumerate(lines, 1):
        found += [f"SVC*HC:{line.code}*{_money(_cents(line.charge) * sign)}*{_money(_cents(line.paid) * sign)}**1",
                  f"DTM*472*{c.day}", *_cas(line, sign), f"REF*6R*{c.number}-{number}"]
        found += [f"LQ*HE*{line.remark}"] if line.remark else []
    return found


def _cas(line: Line, sign: int) -> Iterator[str]:
    for group in dict.fromkeys(g for g, _, _ in line.cas):
        pairs = [f"{reason}*{_money(_cents(a) * sign)}" for g, reason, a in line.cas if g == group]
        yield f"CAS*{group}*" + "**".join(pairs)


def _interchange(groups: Sequence[tuple[str, str, str, list[str]]], number: int) -> str:
    """One ISA with one GS; each group an ST."""
    kind, version = groups[0][0], groups[0][1]
    nobody = f"00*{'':<10}*00*{'':<10}"
    lines = [f"ISA*{nobody}*ZZ*{'SENDER':<15}*ZZ*{'MAPLE':<15}*261106*0900*^*00501*{number:09d}*0*T*:",
             f"GS*{kind}*SENDER*MAPLE*20261106*0900*{number}*X*{version}"]
    for place, (_, guide, st, body) in enumerate(groups, 1):
        opening = f"ST*{st}*{place:04d}" + (f"*{guide}" if st == "837" else "")
        lines += [opening, *body, f"SE*{len(body) + 2}*{place:04d}"]
    lines += [f"GE*{len(groups)}*{number}", f"IEA*1*{number:09d}"]
    return "~\n".join(lines) + "~\n"


SAMPLES = {"claims-2026-11-04.837": claim_file, "remittances-2026-11-06.835": first_remittances,
           "remittances-2026-11-13.835": second_remittances}

if __name__ == "__main__":
    for name, write in SAMPLES.items():
        (FILES / name).write_text(write(), encoding="ascii")
