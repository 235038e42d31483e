"""A form with files, as browsers send it (RFC 7578). Own code: the form parser of the framework wants another library,
writes large files to disk unsealed, and we take two small ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message

MOST_PARTS = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One field. A file's own name may say more than the picture: patients' pages leave it where it was."""

    name: str
    content: bytes
    is_file: bool
    file_name: str = ""


def boundary_of(content_type: str) -> bytes | None:
    """The line between the parts; None for what is no form with files."""
    head = Message()
    head["content-type"] = content_type
    found = head.get_param("boundary") if head.get_content_type() == "multipart/form-data" else None
    if not isinstance(found, str) or not 0 < len(found) <= 70 or not found.isascii():
        return None
    return found.encode()


def read_parts(body: bytes, boundary: bytes) -> list[Part]:
    """The form's fields in order. Raises ValueError for a body that is not one whole form of few parts."""
    line = b"--" + boundary
    pieces = (b"\r\n" + body).split(b"\r\n" + line)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise ValueError("the form is not whole")
    if len(pieces) - 2 > MOST_PARTS:
        raise ValueError("the form has too many fields")
    return [_read_part(piece) for piece in pieces[1:-1]]


def _read_part(piece: bytes) -> Part:
    head, found, content = piece.partition(b"\r\n\r\n")
    if not found or not head.startswith((b"\r\n", b" ", b"\t")):
        raise ValueError("a field of the form has no heading")
    for row in head.split(b"\r\n"):
        name, _, value = row.decode("utf-8", "replace").partition(":")
        if name.strip().lower() == "content-disposition":
            described = Message()
            described["content-disposition"] = value.strip()
            field = described.get_param("name", header="content-disposition")
            own = described.get_param("filename", header="content-disposition")
            return Part(field if isinstance(field, str) else "", content, own is not None,
                        own if isinstance(own, str) else "")
    raise ValueError("a field of the form has no name")
