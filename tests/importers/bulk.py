"""A remittance of any size as a stream that is made while it is read, so that tests and benchmarks hold none of it.

``python -m tests.importers.bulk CLAIMS > big.835`` writes one to standard output.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

HEAD = (
    "ISA*00*          *00*          *ZZ*BULKPAYER      *ZZ*BULKCLINIC     *261102*0900*^*00501*000000001*0*T*:~\n"
    "GS*HP*BULKPAYER*BULKCLINIC*20261102*0900*1*X*005010X221A1~\n"
    "ST*835*0001*005010X221A1~\n"
)


def bulk_remittance(claims: int) -> Iterator[bytes]:
    """One ST of ``claims`` claims, two service lines each, in pieces of one claim; it foots."""
    yield HEAD.encode()
    header = [
        f"BPR*I*{claims * 130}.00*C*ACH*CCP*01*099999991*DA*1234567*1512345678**01*099999992*DA*9876543*20261103",
        "TRN*1*BULK0001*1512345678",
        "N1*PR*SAMPLE HEALTH PLAN*XV*99999",
        "N1*PE*SAMPLE CLINIC*XX*1234567893",
        "LX*1",
    ]
    yield _render(header)
    segments = len(header) + 1
    for number in range(claims):
        body = _claim_segments(number)
        segments += len(body)
        yield _render(body)
    yield _render([f"SE*{segments + 1}*0001", "GE*1*1", "IEA*1*000000001"])


def _claim_segments(number: int) -> list[str]:
    account = f"B{number:09d}"
    return [
        f"CLP*{account}*1*220.00*130.00*40.00*12*P{account}*11*1",
        f"NM1*QC*1*SAMPLE*PERSON{number % 97}****MI*M{account}",
        "NM1*82*1*EXAMPLE*DANA****XX*1234567893",
        "DTM*232*20261015",
        "DTM*233*20261015",
        "AMT*AU*170.00",
        "SVC*HC:99213:25*150.00*90.00**1",
        "DTM*472*20261015",
        "CAS*CO*45*35.00",
        "CAS*PR*1*20.00**2*5.00",
        f"REF*6R*{account}-1",
        "AMT*B6*115.00",
        "SVC*HC:85025*70.00*40.00**1",
        "DTM*472*20261015",
        "CAS*CO*45*15.00",
        "CAS*PR*3*15.00",
        f"REF*6R*{account}-2",
    ]


def _render(segments: list[str]) -> bytes:
    return "".join(f"{segment}~\n" for segment in segments).encode()


class PieceStream(io.RawIOBase):
    """A readable binary stream over pieces that are made on demand."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        target = memoryview(buffer)
        while len(self._rest) < len(target):
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._rest += piece
        count = min(len(target), len(self._rest))
        target[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


if __name__ == "__main__":
    for piece in bulk_remittance(int(sys.argv[1])):
        sys.stdout.buffer.write(piece)
