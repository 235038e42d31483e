"""``plainbill understand``: how texts are read, without a conversation and without a database."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime
from io import BufferedReader
from itertools import islice
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

import typer

from bot.cli.edge import print_json
from bot.cli.exits import USAGE, Stop

app = typer.Typer()

#: Lines read together. What has arrived is answered at once, so whoever waits for an answer a line gets it.
BATCH = 256
LANGUAGES = ("en", "es")


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
    from handlers.understanding.reader import read_many, to_json

    if lang not in LANGUAGES:
        raise Stop(f"--lang is {' or '.join(LANGUAGES)}, not {lang!r}.", USAGE)
    today = on.date() if on else _today()
    for group in _grouped(texts, lang):
        for reading, (_, language) in zip(read_many(group, today), group, strict=True):
            answer = to_json(reading, language)
            if jsonl:
                print_json(answer)
            else:
                _print(answer)
        sys.stdout.flush()


def _grouped(texts: list[str] | None, language: str) -> Iterator[list[tuple[str, str]]]:
    """(text, language) pairs, as many at a time as there are already."""
    if texts:
        yield [(text, language) for text in texts]
        return
    number = 0
    for arrived in _arriving():
        lines = iter(arrived)
        while some := list(islice(lines, BATCH)):
            group: list[tuple[str, str]] = []
            try:
                for line in some:
                    number += 1
                    group.append(_pair(line, number, language))
            except Stop:
                yield group  # what came before the bad line is answered
                raise
            yield group


def _arriving() -> Iterator[list[bytes]]:
    """Whole lines of standard input, without waiting for more than have come."""
    rest = b""
    arriving = cast(BufferedReader, sys.stdin.buffer)
    while chunk := arriving.read1(1 << 16):
        *lines, rest = (rest + chunk).split(b"\n")
        yield lines
    if rest:
        yield [rest]


def _pair(line: bytes, number: int, language: str) -> tuple[str, str]:
    """Raises Stop naming the line that is neither a text nor an object with a text."""
    try:
        text = line.rstrip(b"\r").decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        raise Stop(f"Line {number} is not UTF-8; save the file as UTF-8.", USAGE) from error
    if not text.startswith("{"):
        return text, language
    try:
        given = json.loads(text)
        said, spoken = given["text"], given.get("language") or given.get("lang") or language
    except (ValueError, KeyError) as error:
        raise Stop(f"Line {number} is neither a text nor an object with \"text\".", USAGE) from error
    if not isinstance(said, str) or spoken not in LANGUAGES:
        raise Stop(f"Line {number}: \"text\" is a string and \"language\" is {' or '.join(LANGUAGES)}.", USAGE)
    return said, spoken


def _today() -> date:
    from config.clock import make_clock
    from config.policy_file import UNCONFIGURED
    from config.settings import load

    return make_clock(load().clock).now().astimezone(ZoneInfo(UNCONFIGURED.zone)).date()


def _print(answer: dict[str, Any]) -> None:
    slots = ", ".join(f"{name} {value}" for name, value in answer["slots"].items() if value not in (None, [], ()))
    print(f"{answer['text']}\n  {answer['language']}  {answer['intent']} ({answer['confidence']})  {slots}")
