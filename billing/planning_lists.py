"""Lists that may be long, kept in a file that nobody else can open: who is in which group of a preview."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import IO

Key = tuple[str, str]


class Lists:
    """Ids by key, in the order in which they came. The file has no name and ends with this object."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._places: dict[Key, list[tuple[int, int]]] = {}

    def keep(self, members: Mapping[Key, Sequence[str]]) -> None:
        """Add to the lists; ids hold no line break."""
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the lists
        for key, ids in members.items():
            written = "\n".join(ids).encode()
            at = self._file.seek(0, 2)
            self._file.write(written)
            self._places.setdefault(key, []).append((at, len(written)))

    def of(self, key: Key) -> Iterator[str]:
        for at, length in list(self._places.get(key, ())):
            assert self._file is not None, "places are noted only of what was written"
            self._file.seek(at)
            yield from self._file.read(length).decode().split("\n")
