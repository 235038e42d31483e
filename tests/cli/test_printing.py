"""What a command prints is exact for people and for programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from billing.money import dollars
from bot.cli.edge import print_json, show


@dataclass(frozen=True)
class _Row:
    visit: str
    at: datetime
    on: date
    amount_minor: int


ROW = _Row("V-1", datetime(2026, 11, 3, 15, tzinfo=UTC), date(2026, 11, 3), 1205)


@pytest.mark.parametrize(("minor", "text"), [
    (0, "$0.00"), (5, "$0.05"), (-5, "-$0.05"), (123456, "$1,234.56"), (-100, "-$1.00"),
])
def test_cents_are_shown_as_dollars_without_a_float(minor: int, text: str) -> None:
    assert dollars(minor) == text


def test_json_is_one_line_with_iso_dates_and_spanish_letters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"row": ROW, "word": "¿Cuánto?", "file": Path("a.835")})
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert "¿Cuánto?" in out
    assert json.loads(out)["row"] == {"visit": "V-1", "at": "2026-11-03T15:00:00+00:00", "on": "2026-11-03",
                                      "amount_minor": 1205}


def test_a_thing_that_json_does_not_know_is_an_error_and_not_a_guess() -> None:
    with pytest.raises(TypeError, match="object"):
        print_json(object())


def test_a_result_is_shown_as_table_as_fields_and_as_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"visit": "V-1", "due_minor": 1205}], as_json=False)
    show(ROW, as_json=False)
    show([], as_json=False)
    out = capsys.readouterr().out
    assert "Due minor" in out
    assert "amount_minor  1205" in out
    assert out.endswith("Nothing.\n")
