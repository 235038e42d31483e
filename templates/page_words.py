"""All words of patients' pages and papers in one list, for whoever reads them side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from templates import languages


def every(language: str) -> dict[str, str]:
    """Every sentence by its name: the file's kind, the tables it stands in, its key."""
    return {f"{kind}.{key}": text for kind in languages.FILES
            for key, text in _flat(languages.words(kind, language))}


def _flat(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from ((f"{key}.{inner}", text) for inner, text in _flat(value))
        else:
            yield key, value if isinstance(value, str) else ", ".join(str(one) for one in value)
