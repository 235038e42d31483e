"""``plainbill understand --jsonl``: a line in, a line out; a bad line is named."""

from __future__ import annotations

import json
import subprocess
import sys

SHAPE = ["text", "language", "intent", "confidence", "slots"]


def understand(given: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "bot", "understand", "--jsonl", "--today", "2026-11-03", *options]
    return subprocess.run(command, input=given, capture_output=True, check=False)


def test_every_line_is_answered_in_its_place_even_without_a_last_line_break() -> None:
    lines = ["what do i owe", "", "¿cuánto debo?", '{"text": "quiero pagar $20", "language": "es"}', "balance"]
    done = understand("\n".join(lines).encode())
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [list(answer) for answer in answers] == [SHAPE] * 5
    assert [answer["intent"] for answer in answers] == ["balance", "out_of_scope", "balance", "pay", "balance"]
    assert answers[3]["slots"]["amount_minor"] == 2000
    assert done.returncode == 0


def test_the_language_given_stands_in_where_a_text_does_not_tell() -> None:
    done = understand(b"10001\n", "--lang", "es")
    assert json.loads(done.stdout)["language"] == "es"


def test_a_bad_line_is_named_and_those_before_it_are_answered() -> None:
    for bad, words in ((b'{"words": "x"}', b"Line 3"), (b"\xff\xfe", b"not UTF-8"), (b'{"text": 5}', b"Line 3")):
        done = understand(b"hello\nwhat do i owe\n" + bad + b"\nbye\n")
        assert words in done.stderr and b"Line 3" in done.stderr
        assert len(done.stdout.splitlines()) == 2
        assert done.returncode == 2


def test_an_unknown_language_is_refused() -> None:
    done = understand(b"hello\n", "--lang", "fr")
    assert b"--lang" in done.stderr and done.returncode == 2


def test_an_answer_comes_before_the_next_line_is_sent() -> None:
    command = [sys.executable, "-u", "-m", "bot", "understand", "--jsonl", "--today", "2026-11-03"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin is not None and running.stdout is not None
        for text, intent in ((b"what do i owe\n", "balance"), (b"STOP\n", "opt_out")):
            running.stdin.write(text)
            running.stdin.flush()
            assert json.loads(running.stdout.readline())["intent"] == intent
        running.stdin.close()
