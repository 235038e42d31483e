"""Claim files and remittances of any size, made while they are written. People, plans and numbers are made up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

#: About how many bytes a claim takes in a remittance.
CLAIM_BYTES = 421

_ISA = ("ISA*00*          *00*          *ZZ*BULKPAYER      *ZZ*BULKCLINIC     *261102*0900*^*00501*000000001*0*T*:",
        "GS*{}*BULKPAYER*BULKCLINIC*20261102*0900*1*X*{}")
_END = ("GE*1*1", "IEA*1*000000001")


def write_remittance(stream: BinaryIO, claims: int, *, first: int, trace: str) -> None:
    """One ST of ``claims`` claims, two service lines each; it foots. $130 of each claim are paid, $40 the patient's."""
    head = [f"BPR*I*{claims * 130}.00*C*ACH*CCP*01*099999991*DA*1234567*1512345678**01*099999992*DA*9876543*20261103",
            f"TRN*1*{trace}*1512345678", "N1*PR*SAMPLE HEALTH PLAN*XV*99999", "N1*PE*BENCH CLINIC*XX*1234567893",
            "LX*1"]
    guide = "005010X221A1"
    _write(stream, "HP", guide, f"ST*835*0001*{guide}", head, (_paid(first + n) for n in range(claims)))


def write_claims(stream: BinaryIO, claims: int) -> None:
    """An 837P of the claims that ``write_remittance`` answers when it begins at 0."""
    head = ["BHT*0019*00*1*20261102*0900*CH", "NM1*41*2*BENCH CLINIC*****46*B1", "PER*IC*DESK*TE*2125550199",
            "NM1*40*2*SAMPLE HEALTH PLAN*****46*99999", "HL*1**20*1", "NM1*85*2*BENCH CLINIC*****XX*1234567893",
            "N3*12 MAPLE ST", "N4*NEW YORK*NY*10001", "REF*EI*123456789"]
    guide = "005010X222A1"
    _write(stream, "HC", guide, f"ST*837*0001*{guide}", head, (_billed(n) for n in range(claims)))


def _write(stream: BinaryIO, kind: str, guide: str, opening: str, head: list[str],
           bodies: Iterator[list[str]]) -> None:
    _put(stream, [_ISA[0], _ISA[1].format(kind, guide), opening, *head])
    segments = 1 + len(head)
    for body in bodies:
        segments += len(body)
        _put(stream, body)
    _put(stream, [f"SE*{segments + 1}*0001", *_END])


def _put(stream: BinaryIO, segments: list[str]) -> None:
    stream.write("".join(f"{segment}~\n" for segment in segments).encode())


def _paid(number: int) -> list[str]:
    account = f"B{number:09d}"
    return [
        f"CLP*{account}*1*220.00*130.00*40.00*12*P{account}*11*1",
        f"NM1*QC*1*SAMPLE*PERSON{number % 97}****MI*M{account}",
        "NM1*82*1*EXAMPLE*DANA****XX*1234567893", "DTM*232*20261015", "DTM*233*20261015", "AMT*AU*170.00",
        "SVC*HC:99213:25*150.00*90.00**1", "DTM*472*20261015", "CAS*CO*45*35.00", "CAS*PR*1*20.00**2*5.00",
        f"REF*6R*{account}-1", "AMT*B6*115.00", "SVC*HC:85025*70.00*40.00**1", "DTM*472*20261015", "CAS*CO*45*15.00",
        "CAS*PR*3*15.00", f"REF*6R*{account}-2"]


def _billed(number: int) -> list[str]:
    account = f"B{number:09d}"
    return [
        f"HL*{number + 2}*1*22*0", "SBR*P*18*******CI", f"NM1*IL*1*SAMPLE*PERSON{number % 97}****MI*M{account}",
        "N3*1 ELM ST", "N4*NEW YORK*NY*10001", f"DMG*D8*1980{number % 12 + 1:02d}{number % 28 + 1:02d}*F",
        "NM1*PR*2*SAMPLE HEALTH PLAN*****PI*99999", f"CLM*{account}*220***11:B:1*Y*A*Y*Y", "HI*ABK:Z0000",
        "LX*1", "SV1*HC:99213:25*150*UN*1***1", "DTP*472*D8*20261015", f"REF*6R*{account}-1",
        "LX*2", "SV1*HC:85025*70*UN*1***1", "DTP*472*D8*20261015", f"REF*6R*{account}-2"]
