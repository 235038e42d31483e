"""Every conversation and every branch of it, in both languages, as chats that anybody can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.play import play

FOLDER = Path(__file__).parent
TRANSCRIPTS = sorted(path for language in ("en", "es") for path in (FOLDER / language).glob("*.txt"))


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_conversation_goes_as_written(path: Path) -> None:
    play(path)


def test_every_transcript_has_its_twin_in_the_other_language() -> None:
    names = {language: {path.name for path in (FOLDER / language).glob("*.txt")} for language in ("en", "es")}
    assert names["en"] == names["es"]
