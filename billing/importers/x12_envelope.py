"""ISA/GS/ST against SE/GE/IEA: what a cut-off or mixed-up file looks like, and what is only sloppy.

Refused, because money may be missing: a transaction without its SE, an SE that closes another ST, an interchange
without its IEA. Noted and taken: wrong counts in SE01, GE01 and IEA01 and wrong control numbers in GE02 and IEA02.
Hand-edited and de-identified files are full of these, the amounts have to foot anyway, and a count cannot say
what is missing. (X12.5, X12.6: the counts and control numbers are the receiver's to check.)
"""

from __future__ import annotations

from dataclasses import dataclass

from billing.importers.records import Fault, ImportFault

ENVELOPE_SEGMENTS = frozenset({"ISA", "GS", "ST", "SE", "GE", "IEA"})
MOST_NOTES = 200


@dataclass(slots=True)
class _Open:
    position: int
    control: str
    inside: int = 0


@dataclass(slots=True)
class Envelope:
    """Fed every envelope segment in order; appends to ``notes`` and raises ImportFault."""

    notes: list[Fault]
    interchange: _Open | None = None
    group: _Open | None = None
    transaction: _Open | None = None

    def check(self, position: int, elements: list[str]) -> None:
        name = elements[0]
        if name == "SE":
            self._close_transaction(position, elements)
            return
        if self.transaction is not None:
            raise ImportFault(
                _unclosed("ST", self.transaction.position, "SE"),
                position=position,
                segment=name,
            )
        if name == "ST":
            self._open_transaction(position, elements)
        elif name == "GS":
            self._open_group(position, elements)
        elif name == "GE":
            self._close_group(position, elements)
        elif name == "IEA":
            self._close_interchange(position, elements)
        else:
            self._open_interchange(position, elements)

    def _open_interchange(self, position: int, elements: list[str]) -> None:
        if self.interchange is not None:
            raise ImportFault(
                _unclosed("ISA", self.interchange.position, "IEA"),
                position=position,
                segment="ISA",
            )
        self.interchange = _Open(position, _element(elements, 13))

    def _open_group(self, position: int, elements: list[str]) -> None:
        if self.group is not None:
            self._note(
                position,
                "GS",
                "a functional group begins before the one before it was closed by GE",
            )
        if self.interchange is not None:
            self.interchange.inside += 1
        self.group = _Open(position, _element(elements, 6))

    def _open_transaction(self, position: int, elements: list[str]) -> None:
        if self.group is None:
            self._note(position, "ST", "a transaction begins outside any functional group (GS)")
        else:
            self.group.inside += 1
        self.transaction = _Open(position, _element(elements, 2))

    def _close_transaction(self, position: int, elements: list[str]) -> None:
        opened, self.transaction = self.transaction, None
        if opened is None:
            raise ImportFault(
                f"Segment {position}, SE, closes a transaction that was never opened. Download the file again.",
                position=position,
                segment="SE",
            )
        if _element(elements, 2) != opened.control:
            raise ImportFault(
                f"Segment {position}, SE, carries another control number (SE02) than the ST at segment "
                f"{opened.position}: parts of two transactions were mixed. Download the file again.",
                position=position,
                segment="SE",
            )
        self._count(
            position,
            "SE01",
            _element(elements, 1),
            position - opened.position + 1,
            "segments",
        )

    def _close_group(self, position: int, elements: list[str]) -> None:
        opened, self.group = self.group, None
        if opened is None:
            self._note(position, "GE", "a functional group is closed that was never opened")
            return
        self._count(position, "GE01", _element(elements, 1), opened.inside, "transactions")
        self._control(position, "GE02", _element(elements, 2), opened.control)

    def _close_interchange(self, position: int, elements: list[str]) -> None:
        opened, self.interchange = self.interchange, None
        if self.group is not None:
            self._note(position, "IEA", "the last functional group has no GE segment")
            self.group = None
        if opened is None:
            return
        self._count(position, "IEA01", _element(elements, 1), opened.inside, "functional groups")
        self._control(position, "IEA02", _element(elements, 2), opened.control)

    def _count(self, position: int, name: str, declared: str, actual: int, what: str) -> None:
        if not declared.isascii() or not declared.isdigit() or len(declared) > 12:
            self._note(position, name[:-2], f"{name} is not a count; {actual} {what} were read")
        elif int(declared) != actual:
            self._note(
                position,
                name[:-2],
                f"{name} announces {int(declared)} {what}, {actual} were read",
            )

    def _control(self, position: int, name: str, closing: str, opening: str) -> None:
        if closing.lstrip("0") != opening.lstrip("0"):
            self._note(
                position,
                name[:-2],
                f"the control number in {name} is not the one that opened it",
            )

    def _note(self, position: int, segment: str, reason: str) -> None:
        if len(self.notes) < MOST_NOTES:  # a hostile file must not fill the memory with its own oddities
            self.notes.append(Fault(position, segment, reason))


def _element(elements: list[str], index: int) -> str:
    return elements[index].strip() if index < len(elements) else ""


def _unclosed(opening: str, position: int, closing: str) -> str:
    return (
        f"The {opening} at segment {position} is never closed by its {closing}: the file was cut off or pieces of "
        "several files were joined. Nothing in it was used. Download it again."
    )
