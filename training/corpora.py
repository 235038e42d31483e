"""The utterances that the model learns from and is measured on: one file a class and language, one text a line."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent
LANGUAGES = ("en", "es")
#: Classes that only the conversation knows, and the published intent that each of them is judged as.
PUBLISHED_AS = {"medical": "out_of_scope", "bankrupt": "human", "attorney": "human", "anger": "out_of_scope"}
OUT_OF_SCOPE = "out_of_scope"
#: What asks for money, so that more is needed to believe it.
MONEY = frozenset({"pay", "minimum_payment", "plan", "saved_card"})


@dataclass(frozen=True, slots=True)
class Utterance:
    """One line of a corpus. ``origin``: written, pattern, heldout, noise, or typed for a mangled copy."""

    text: str
    label: str
    language: str
    origin: str


def load_written() -> list[Utterance]:
    return _load("utterances", "written")


def load_heldout() -> list[Utterance]:
    return _load("heldout", "heldout")


def load_patterns() -> list[Utterance]:
    return _load("patterns", "pattern")


def fingerprint() -> str:
    """SHA-256 over the texts that decide the weights. Held-out texts do not, and code is not in it."""
    digest = hashlib.sha256()
    for folder in ("utterances", "patterns"):
        for path in sorted((ROOT / folder).rglob("*.txt")):
            digest.update(f"{path.relative_to(ROOT).as_posix()}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(text: str) -> str:
    """Two lines with one key are the same text but for case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def _load(folder: str, origin: str) -> list[Utterance]:
    found: list[Utterance] = []
    seen: set[tuple[str, str]] = set()
    for language in LANGUAGES:
        for path in sorted((ROOT / folder / language).rglob("*.txt")):
            for line in path.read_text("utf-8").splitlines():
                text = line.strip()
                if not text or text.startswith("#"):
                    continue
                if (language, key_of(text)) not in seen:
                    seen.add((language, key_of(text)))
                    found.append(Utterance(text, path.stem, language, origin))
    return found
