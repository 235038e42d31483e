"""Every conversation and every branch of it, in both languages, as chats that anybody can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversations.play import play

FOLDER = Path(__file__).parent
#: What only a carrier does, how one gets from text messages to Telegram, and numbers of nobody: a chat that is joined
#: to no account is told how to join one (tests/telegram/test_talking.py).
TEXTS_ONLY = ("help_by_carrier", "stop_by_carrier", "way_telegram")
TRANSCRIPTS = sorted(path for language in ("en", "es") for path in (FOLDER / language).glob("*.txt"))
ON_TELEGRAM = [path for path in TRANSCRIPTS if not path.stem.startswith(TEXTS_ONLY)
               and "account: nobody" not in path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", TRANSCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_conversation_goes_as_written(path: Path) -> None:
    play(path)


@pytest.mark.parametrize("path", ON_TELEGRAM, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_conversation_goes_the_same_way_on_telegram(path: Path) -> None:
    play(path, "telegram")


def test_every_transcript_has_its_twin_in_the_other_language() -> None:
    names = {language: {path.name for path in (FOLDER / language).glob("*.txt")} for language in ("en", "es")}
    assert names["en"] == names["es"]
