"""X12 files as a stream of segments, whatever their delimiters and line breaks, in bounded memory.

Delimiters are read again from every ISA (X12.5 interchange control structures): the element separator is its
fourth byte, the component separator its sixteenth element, the segment terminator the byte after that. ISA is
split by its separators, not by its 106 fixed columns: real files pad them wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from billing.importers.records import Fault, ImportFault
from billing.importers.x12_envelope import ENVELOPE_SEGMENTS, Envelope

CHUNK_BYTES = 64 * 1024
LARGEST_SEGMENT_BYTES = 16 * 1024
_LONGEST_ISA = 512
_BOM = b"\xef\xbb\xbf"
_PADDING = b" \t\r\n\v\f\x00\x1a"
_HEAD_SEGMENTS = 2_000

Kind = Literal["835", "837P", "837I", "unknown"]
Progress = Callable[[int], None]


class Segment(NamedTuple):
    """One segment; ``elements[0]`` is its name, so ``elements[4]`` is CLP04. ``position`` is 1-based in the file."""

    position: int
    id: str
    elements: list[str]

    def get(self, index: int) -> str:
        """The element, or an empty string where the segment ends before it."""
        return self.elements[index] if index < len(self.elements) else ""


class _Delimiters(NamedTuple):
    element: str
    component: str
    repetition: str
    terminator: bytes


@dataclass(slots=True)
class _Window:
    """The part of the file that is in memory: never more than one chunk and one unfinished segment."""

    stream: BinaryIO
    progress: Progress | None
    data: bytes = b""

    def grow(self) -> bool:
        chunk = self.stream.read(CHUNK_BYTES)
        if not chunk:
            return False
        self.data += chunk
        if self.progress is not None:
            self.progress(len(chunk))
        return True


def read_segments(
    stream: BinaryIO, progress: Progress | None = None, notes: list[Fault] | None = None
) -> Iterator[Segment]:
    """Every segment of every interchange, the envelope checked on the way.

    ``progress`` is called with the number of bytes just read. What is odd about the envelope but harmless (see
    ``x12_envelope``) is appended to ``notes``. Raises ImportFault for an empty file, for something that is not X12,
    for an oversized segment and for a file that was cut off.
    """
    envelope = Envelope([] if notes is None else notes)
    for segment in _raw_segments(_Window(stream, progress)):
        if segment.id in ENVELOPE_SEGMENTS:
            envelope.check(segment.position, segment.elements)
        yield segment


def identify(path: Path) -> Kind:
    """What the head of the file says it is; ``unknown`` for everything that is not a remittance or a claim file."""
    with path.open("rb") as stream:
        try:
            return _identify_segments(_raw_segments(_Window(stream, None)))
        except ImportFault:
            return "unknown"


def claim_kind(version: str) -> Kind:
    """837P or 837I by the implementation guide in ST03 or GS08 (4010 and 5010), else ``unknown``."""
    if "X222" in version or "X098" in version:
        return "837P"
    if "X223" in version or "X096" in version:
        return "837I"
    return "unknown"


def is_dental(version: str) -> bool:
    """The dental claim guides (X097, X224), which Plainbill does not read."""
    return "X224" in version or "X097" in version


def _identify_segments(segments: Iterator[Segment]) -> Kind:
    version = ""
    for _, segment in zip(range(_HEAD_SEGMENTS), segments, strict=False):
        if segment.id == "GS":
            version = segment.get(8)
        elif segment.id == "ST" and segment.get(1) == "835":
            return "835"
        elif segment.id == "ST" and segment.get(1) == "837":
            version = segment.get(3) or version
            return "unknown" if is_dental(version) else _kind_by_content(version, segments)
    return "unknown"


def _kind_by_content(version: str, segments: Iterator[Segment]) -> Kind:
    kind = claim_kind(version)
    if kind != "unknown":
        return kind
    for _, segment in zip(range(_HEAD_SEGMENTS), segments, strict=False):
        if segment.id == "SV1":
            return "837P"
        if segment.id in ("SV2", "CL1"):
            return "837I"
    return "unknown"


def _raw_segments(window: _Window) -> Iterator[Segment]:
    position = 0
    while _find_interchange(window, position):
        delimiters = _read_delimiters(window.data[:_LONGEST_ISA], position + 1)
        position = yield from _interchange_segments(window, delimiters, position)
    if position == 0:
        raise ImportFault(
            "The file is empty. Download it again from the payer or clearinghouse.",
            position=0,
        )


def _find_interchange(window: _Window, position: int) -> bool:
    """Drop padding and byte order marks up to the next ISA; False at the end of the file."""
    window.data = _skip_padding(window.data)
    while len(window.data) < _LONGEST_ISA and window.grow():
        window.data = _skip_padding(window.data)
    if window.data and not window.data.startswith(b"ISA"):
        raise ImportFault(_not_x12(position), position=position + 1)
    return bool(window.data)


def _skip_padding(data: bytes) -> bytes:
    return data.lstrip(_PADDING).removeprefix(_BOM).lstrip(_PADDING)


def _not_x12(position: int) -> str:
    if position:
        return (
            f"After segment {position}, the end of an interchange, comes text that is not X12. "
            "Remove it, or download the file again."
        )
    return (
        "The file does not begin with an ISA segment, so it is not an X12 file. Choose the 835 or 837 exactly as the "
        "payer or clearinghouse sent it, not a report, a spreadsheet or a zip made of it."
    )


def _read_delimiters(head: bytes, position: int) -> _Delimiters:
    element = head[3:4]
    parts = head.split(element, 16) if element else [head]
    if len(parts) < 17 or len(parts[16]) < 2:
        raise ImportFault(_broken_isa(position), position=position, segment="ISA")
    component, terminator = parts[16][:1], parts[16][1:2]
    marks = {element, component, terminator}
    if len(marks) < 3 or any(mark.isalnum() or mark == b" " for mark in marks):
        raise ImportFault(_broken_isa(position), position=position, segment="ISA")
    if component in b"\r\n" or terminator in b"".join(parts[:16]):
        raise ImportFault(_broken_isa(position), position=position, segment="ISA")
    repetition = parts[11].decode("latin-1")
    # Until 00402 ISA11 named a standards agency ("U"), not a separator.
    repetition = repetition if parts[12] >= b"00402" and len(repetition) == 1 and not repetition.isalnum() else ""
    return _Delimiters(element.decode("latin-1"), component.decode("latin-1"), repetition, terminator)


def _broken_isa(position: int) -> str:
    return (
        f"Segment {position}, ISA, is damaged: its 16 elements and the delimiters after them cannot be read. "
        "Download the file again."
    )


def _interchange_segments(window: _Window, delimiters: _Delimiters, position: int) -> Generator[Segment, None, int]:
    """The segments from ISA to IEA; returns the position of IEA and leaves the window behind it."""
    terminator = delimiters.terminator
    growing = True
    while growing:
        pieces = window.data.split(terminator)
        window.data = pieces.pop()
        for index, piece in enumerate(pieces):
            elements = _split_elements(piece, delimiters.element, position + 1)
            if elements is None:
                continue
            position += 1
            yield Segment(position, elements[0], elements)
            if elements[0] == "IEA":
                window.data = terminator.join(chain(pieces[index + 1 :], (window.data,)))
                return position
        if len(window.data) > LARGEST_SEGMENT_BYTES:
            raise ImportFault(_oversized(position + 1), position=position + 1)
        growing = window.grow()
    return (yield from _last_segment(window, delimiters, position))


def _last_segment(window: _Window, delimiters: _Delimiters, position: int) -> Generator[Segment, None, int]:
    """A final IEA may lack its terminator; anything else that ends the file is the stump of a cut-off one."""
    elements = _split_elements(window.data, delimiters.element, position + 1)
    window.data = b""
    if elements is None or elements[0] != "IEA" or len(elements) < 3:
        raise ImportFault(
            f"The file ends after segment {position} without its IEA segment: it was cut off. "
            "Nothing in it was used. Download it again.",
            position=position,
            segment="IEA",
        )
    yield Segment(position + 1, "IEA", elements)
    return position + 1


def _split_elements(piece: bytes, separator: str, position: int) -> list[str] | None:
    piece = piece.strip(_PADDING)
    if not piece:
        return None
    if len(piece) > LARGEST_SEGMENT_BYTES:
        raise ImportFault(_oversized(position), position=position)
    if b"\n" in piece or b"\r" in piece:  # files wrapped at 80 columns break lines inside segments
        piece = piece.replace(b"\r", b"").replace(b"\n", b"")
    try:
        return piece.decode().split(separator)
    except UnicodeDecodeError:
        return piece.decode("latin-1").split(separator)


def _oversized(position: int) -> str:
    return (
        f"Segment {position} is longer than {LARGEST_SEGMENT_BYTES // 1024} KB, so the file is damaged or is not X12. "
        "Download it again."
    )
