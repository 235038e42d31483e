"""``plainbill understand``: how texts are read, without a conversation and without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.cli.edge import print_json
from bot.cli.exits import USAGE, Stop

app = typer.Typer()


@app.command()
def understand(
    texts: Annotated[list[str] | None, typer.Argument(help="Texts; without any, standard input, one a line.")] = None,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Print one JSON object a line. Input lines may be objects too: "
                                                        "text, language.")] = False,
    lang: Annotated[str, typer.Option(help="The language to assume where a text does not tell.")] = "en",
    on: Annotated[datetime | None, typer.Option("--today", "--on", formats=["%Y-%m-%d"],
                                                help="The day that counts as today.")] = None,
) -> None:
    """Show how texts are understood: language, intent, and what they name."""
    from handlers.understanding.reader import read, to_json

    today = on.date() if on else _today()
    for text, language in ((text, lang) for text in texts) if texts else _lines(lang):
        answer = to_json(read(text, language, today), language)
        if jsonl:
            print_json(answer)
        else:
            _print(answer)


def _lines(language: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(sys.stdin, 1):
        text = line.rstrip("\r\n")
        if not text.startswith("{"):
            yield text, language
            continue
        try:
            given = json.loads(text)
            yield str(given["text"]), str(given.get("language") or given.get("lang") or language)
        except (ValueError, KeyError) as error:
            raise Stop(f"Line {number} is neither a text nor an object with \"text\".", USAGE) from error


def _today() -> date:
    from config.clock import make_clock
    from config.policy_file import UNCONFIGURED
    from config.settings import load

    return make_clock(load().clock).now().astimezone(ZoneInfo(UNCONFIGURED.zone)).date()


def _print(answer: dict[str, Any]) -> None:
    slots = ", ".join(f"{name} {value}" for name, value in answer["slots"].items() if value not in (None, [], ()))
    print(f"{answer['text']}\n  {answer['language']}  {answer['intent']} ({answer['confidence']})  {slots}")
