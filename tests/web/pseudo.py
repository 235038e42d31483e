"""A made-up language for the tests: English in Hebrew letters, right to left, complete in one folder."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from templates import languages

_LETTERS = str.maketrans({chr(97 + n): chr(0x5D0 + n % 27) for n in range(26)})
_ABOUT = 'name = "\u05e4\u05e1\u05d0\u05d5\u05d3\u05d5"\nlocale = "he_IL"\ndirection = "rtl"\npaper = "en"\n'


def write_language(folder: Path) -> Path:
    """Write the folder of a language; return it."""
    folder.mkdir(parents=True)
    (folder / "language.toml").write_text(_ABOUT, "utf-8")
    for kind in languages.FILES:
        (folder / f"{kind}.toml").write_text(_toml(languages.words(kind, "en")), "utf-8")
    return folder


def _toml(table: Mapping[str, Any], name: str = "") -> str:
    plain = {key: value for key, value in table.items() if not isinstance(value, Mapping)}
    head = [f"[{name}]"] if name else []
    lines = [f"{json.dumps(key)} = {_value(value)}" for key, value in plain.items()]
    inner = [_toml(value, f"{name}.{key}" if name else key) for key, value in table.items()
             if isinstance(value, Mapping)]
    return "\n".join([*head, *lines, "", *inner])


def _value(value: Any) -> str:
    return json.dumps(_turned(value) if isinstance(value, str) else value, ensure_ascii=False)


def _turned(text: str) -> str:
    """Hebrew letters for Latin ones; marks stay as they are."""
    return "".join(part if part.startswith("{") else part.lower().translate(_LETTERS)
                   for part in re.split(r"(\{\w*\})", text))
