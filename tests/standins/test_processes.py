"""The stand-ins as programs: started, stopped, killed, started again; and what they may import."""

from __future__ import annotations

import ast
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import pytest

import bot.standins
from bot.standins.journal import Journal, read_lines, replay
from bot.standins.wire import FormError, clock_from, nest

ROOT = Path(__file__).parents[2]
SID = "AC" + "3" * 32


def start_program(name: str, journal: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", f"bot.standins.{name}", "--port", "0", "--journal", str(journal), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    out: IO[str] | None = process.stdout
    assert out is not None
    return process, json.loads(out.readline())["url"]


def ask(url: str, form: dict[str, str], authorization: str) -> Any:
    request = urllib.request.Request(url, urlencode(form).encode(), {"Authorization": authorization})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


@pytest.mark.parametrize("name", ["twilio", "stripe", "telegram", "smtp"])
def test_a_program_prints_its_port_and_stops_cleanly(tmp_path: Path, name: str) -> None:
    """One JSON line, then SIGTERM ends it with exit code 0."""
    process, url = start_program(name, tmp_path / "journal.jsonl")
    with urllib.request.urlopen(f"{url}/_standin/journal", timeout=5) as answer:
        assert json.loads(answer.read()) == []
    process.terminate()
    assert process.wait(5) == 0


def test_a_killed_program_knows_what_it_answered(tmp_path: Path) -> None:
    """SIGKILL right after an answer: the message is in the journal and the next process delivers it."""
    journal = tmp_path / "twilio.jsonl"
    options = ("--account-sid", SID, "--auth-token", "t", "--callback-delay-ms", "400")
    authorization = "Basic " + b64encode(f"{SID}:t".encode()).decode()
    process, url = start_program("twilio", journal, *options)
    form = {"To": "+12175550142", "From": "+12175550100", "Body": "Hello"}
    sid = ask(f"{url}/2010-04-01/Accounts/{SID}/Messages.json", form, authorization)["sid"]
    os.kill(process.pid, signal.SIGKILL)
    process.wait(5)
    assert replay(journal)["messages"][sid]["resource"]["status"] == "queued"
    again, url = start_program("twilio", journal, *options)
    urllib.request.urlopen(urllib.request.Request(f"{url}/_standin/settle", b"{}"), timeout=5).close()
    again.send_signal(signal.SIGINT)
    assert again.wait(5) == 0
    assert replay(journal)["messages"][sid]["resource"]["status"] == "delivered"


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    """Half a line was never answered for; what follows is not glued to it."""
    path = tmp_path / "journal.jsonl"
    journal = Journal(path)
    journal.put("things", "a", {"n": 1})
    journal.write("request")
    journal.close()
    with path.open("ab") as torn:
        torn.write(b'{"seq":2,"kind":"request","changes":{"things":{"a":{"n"')
    again = Journal(path)
    assert again.table("things") == {"a": {"n": 1}}
    again.remove("things", "a")
    again.write("request")
    again.close()
    assert [line["seq"] for line in read_lines(path)] == [1, 2]
    assert replay(path) == {"things": {}}


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("a", "1"), ("b[c]", "2")], {"a": "1", "b": {"c": "2"}}),
        ([("l[0][q]", "1"), ("l[1][q]", "2")], {"l": [{"q": "1"}, {"q": "2"}]}),
        ([("l[10]", "k"), ("l[9]", "j")], {"l": ["j", "k"]}),
        ([("expand[]", "x"), ("expand[]", "y")], {"expand": ["x", "y"]}),
    ],
)
def test_nested_forms(pairs: list[tuple[str, str]], expected: dict[str, Any]) -> None:
    """a[b][0][c] keys become objects and lists, in the order of their numbers."""
    assert nest(pairs) == expected


@pytest.mark.parametrize("pairs", [[("a[", "1")], [("a]b", "1")], [("a", "1"), ("a[b]", "2")], [("[a]", "1")]])
def test_malformed_forms_are_refused(pairs: list[tuple[str, str]]) -> None:
    """A key that is not a[b][c], or is both a value and an object, is an error."""
    with pytest.raises(FormError):
        nest(pairs)


def test_a_clock_needs_an_offset() -> None:
    """A naive instant would mean whatever zone the machine is in."""
    with pytest.raises(ValueError, match="offset"):
        clock_from("2026-11-03T10:00:00")
    assert abs(clock_from("2026-11-03T10:00:00-05:00")() - 1_793_718_000) < 5


def test_standins_import_nothing_of_ours() -> None:
    """Only the standard library, aiohttp and each other: the adapters meet them over the wire alone."""
    seen = set()
    assert bot.standins.__file__ is not None
    for path in Path(bot.standins.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                seen.add("bot.standins" if str(node.module).startswith("bot.standins") else str(node.module))
            elif isinstance(node, ast.Import):
                seen |= {alias.name for alias in node.names}
    foreign = {name for name in seen if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"aiohttp", "bot.standins"}
