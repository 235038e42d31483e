"""``plainbill campaign`` from the draft to the report, as a biller types it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bot import campaigning, deliver
from bot.write import open_store
from config.practice import PracticePolicy
from tests.campaigns.world import Kept, Town, make_town
from tests.cli.conftest import Outcome, Run
from tests.conftest import TEST_KEYS, Clock

NOON = "2026-11-03T12:00:00-05:00"


@dataclass
class Desk:
    """The town's database, and commands typed by its people."""

    town: Town
    type: Callable[..., Outcome]
    channel: Kept = field(default_factory=Kept)

    def ok(self, *arguments: str, staff: str = "ana") -> Outcome:
        done = self.type(*arguments, staff=staff)
        assert done.code == 0, done.err
        return done

    def run(self) -> None:
        """What serve would do in the minutes after the commands, whose clock runs."""
        self.town.clock.advance(minutes=2)
        for _ in range(3):
            asyncio.run(campaigning.feed_campaigns(self.town.road))
            asyncio.run(deliver.deliver_due(self.town.road, 100))


@pytest.fixture
def desk(sqlite_url: str, plainbill: Run, clock: Clock) -> Iterator[Desk]:
    import base64

    store = open_store(sqlite_url, TEST_KEYS)
    clock.advance(hours=2)
    town = make_town(store, clock)
    for number in range(1, 5):
        town.account(number, language="es" if number == 4 else "en")
    settings = {
        "DATABASE_URL": sqlite_url, "PRACTICE": "prac_maple", "PUBLIC_URL": "https://pay.maple.example", "CLOCK": NOON,
        "ENCRYPTION_KEYS": "test-1:" + base64.b64encode(bytes(range(32))).decode(),
        "INDEX_KEY": base64.b64encode(bytes(range(32, 64))).decode()}

    def run(*arguments: str, staff: str) -> Outcome:
        return plainbill("campaign", *arguments, **settings, STAFF=staff)

    yield Desk(town, run)
    store.close()


def draft(desk: Desk) -> None:
    desk.ok("segments", "new", "owing", "--min", "50")
    desk.ok("new", "autumn", "--segment", "owing", "--template", "statement_ready", "--ways", "sms")


def preview(desk: Desk, *more: str) -> Any:
    return desk.ok("preview", "1", "--json", *more).json


def test_from_the_draft_to_the_report(desk: Desk) -> None:
    draft(desk)
    desk.town.account(5, phone=False)
    seen = preview(desk)
    assert (seen["accounts"], seen["messages"], seen["needs_second"]) == (5, 4, True)
    assert seen["total_minor"] == 50_000 and seen["messages_minor"] == 40_000
    assert desk.type("send", "1", staff="ana").code == 3, "nobody approved it"
    assert desk.type("approve", "1", seen["digest"], staff="ana").code == 3, "ana is a biller and made it"
    assert "approved" in desk.ok("approve", "1", seen["digest"][:12], staff="sam").out
    assert "sending" in desk.ok("send", "1").out
    desk.run()
    watched = desk.ok("watch", "1", "--json", "--once").json
    assert (watched["status"], watched["left"], watched["left_out"]) == ("done", 4, 1)
    told = desk.ok("report", "1", "--json", "--rows").json
    assert (told["accounts"], told["left"], told["rules"]) == (5, 4, {"no-way": 1})
    assert [row["account"] for row in told["rows"]] == [f"N{n:05}" for n in range(1, 6)]


def test_the_preview_for_people_says_who_why_when_and_what_it_costs(desk: Desk) -> None:
    draft(desk)
    desk.town.account(5, phone=False)
    out = desk.ok("preview", "1").out
    for words in ("5 accounts in the segment, $500.00; 4 would be told, $400.00", "no-way", "No way leads to them",
                  "America/New_York", "segments; about $", "Sample, account N00001, sms, en", "Sample, account N00004",
                  "plainbill campaign approve 1"):
        assert words in out


def test_samples_open_no_link_and_show_no_name(desk: Desk) -> None:
    draft(desk)
    samples = preview(desk)["samples"]
    assert {one["language"] for one in samples} == {"en", "es"}
    assert all("/l/..." in one["text"] and "Rivera" not in one["text"] for one in samples)


def test_each_rule_has_its_list(desk: Desk, tmp_path: Path) -> None:
    draft(desk)
    desk.town.account(5, phone=False)
    assert preview(desk, "--who", "no-way")["who"] == ["N00005"]
    desk.ok("preview", "1", "--lists", str(tmp_path / "lists"))
    lines = (tmp_path / "lists" / "none-no-way.csv").read_text(encoding="utf-8").splitlines()
    assert lines == ["account,outcome,rule", "N00005,none,no-way"]
    assert desk.type("preview", "1", "--who", "T-99", staff="ana").code == 5


def test_a_reminder_leaves_out_who_had_no_statement_before_it_starts(desk: Desk) -> None:
    desk.ok("segments", "new", "owing")
    made = desk.type("new", "chase", "--segment", "owing", "--template", "reminder_first", "--purpose", "reminder",
                     "--ways", "sms", staff="ana")
    assert made.code == 0, made.err
    seen = preview(desk)
    assert seen["groups"] == [{"outcome": "none", "rule": "statement-first", "accounts": 4, "minor": 40_000}]
    assert preview(desk, "--who", "statement-first")["who"] == [f"N{n:05}" for n in range(1, 5)]


@pytest.mark.parametrize(("arguments", "words"), [
    (("--template", "no_such"), "no template 'no_such'"),
    (("--template", "payment_receipt"), "is written for receipt"),
    (("--template", "statement_ready", "--purpose", "reminder"), "is written for statement"),
    (("--template", "statement_ready", "--purpose", "threat"), "purpose is one of"),
    (("--template", "statement_ready", "--segment", "nobody"), "There is no segment nobody")])
def test_words_that_do_not_fit_are_refused_by_name(desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    desk.ok("segments", "new", "owing")
    given = ("--segment", "owing", "--ways", "sms", *arguments)
    refused = desk.type("new", "autumn", *given, staff="ana")
    assert refused.code in (3, 5)
    assert words in refused.err


def test_a_list_names_its_bad_lines_and_nothing_is_kept(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "who.csv"
    file.write_text("account\nN00001\nN7777\n", encoding="utf-8")
    refused = desk.type("segments", "new", "few", "--list", str(file), staff="ana")
    assert refused.code == 3
    assert f"{file}: line 3: there is no such account" in refused.err and "N7777" not in refused.err
    file.write_text("account\nN00001\nN00003\n", encoding="utf-8")
    desk.ok("segments", "new", "few", "--list", str(file))
    assert desk.ok("segments", "show", "few", "--who", "--json").json["members"] == ["N00001", "N00003"]


def test_a_segment_from_a_file_and_its_next_version(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "late.toml"
    file.write_text('aging = ["61-90", "91-120"]\nplans = ["none"]\n', encoding="utf-8")
    desk.ok("segments", "new", "late", "--file", str(file))
    desk.ok("segments", "new", "late", "--aging", "121+")
    assert [(one["name"], one["version"]) for one in desk.ok("segments", "list", "--json").json] == [
        ("late", 2), ("late", 1)]
    file.write_text("agign = 1\n", encoding="utf-8")
    assert "agign" in desk.type("segments", "new", "late", "--file", str(file), staff="ana").err


def test_an_auditor_looks_and_touches_nothing(desk: Desk) -> None:
    from billing import staff

    desk.town.do(lambda s: staff.add(s, "prac_maple", login="otto", name="Otto", role="auditor", actor="setup",
                                     now=desk.town.clock()))
    draft(desk)
    assert desk.type("list", "--json", staff="otto").code == 0
    for command in (("preview", "1"), ("send", "1"), ("stop", "1", "--reason", "x")):
        assert desk.type(*command, staff="otto").code == 3


def test_pause_resume_and_stop(desk: Desk) -> None:
    draft(desk)
    desk.ok("approve", "1", preview(desk)["digest"], staff="max")
    desk.ok("send", "1")
    desk.ok("pause", "1")
    desk.run()
    assert desk.town.channel.taken == []
    assert "paused" in desk.ok("show", "1").out
    desk.ok("resume", "1")
    desk.ok("stop", "1", "--reason", "wrong words")
    assert desk.type("resume", "1", staff="ana").code == 3
    shown = desk.ok("show", "1", "--json").json
    assert (shown["status"], shown["rows"], shown["stop_reason"]) == ("stopped", {"stopped": 4}, "wrong words")


def test_simulate_says_what_another_moment_state_policy_or_rule_would_change(desk: Desk, tmp_path: Path) -> None:
    draft(desk)
    night = desk.ok("simulate", "1", "--at", "2026-11-04T03:00-05:00", "--json").json
    assert (night["become_late"], night["become_unlawful"]) == (4, 0)
    assert {one["rule"] for one in night["shifts"]} == {"T-08"}
    desk.town.settle(sending="shadow")
    shadow = desk.ok("simulate", "1", "--at", "2026-11-03T12:30-05:00", "--json").json
    assert shadow["become_unlawful"] == shadow["become_lawful"] == 0
    file = tmp_path / "on.toml"
    file.write_text(toml_of(desk.town.policy.model_copy(update={"sending": "on"})), encoding="utf-8")
    on = desk.ok("simulate", "1", "--policy", str(file), "--json", "--who").json
    assert on["become_lawful"] == 4
    assert on["who"][0]["accounts"] == [f"N{n:05}" for n in range(1, 5)]
    assert desk.type("simulate", "1", staff="ana").code == 2
    assert desk.type("simulate", "1", "--without", "T-99", staff="ana").code == 2


def toml_of(policy: PracticePolicy) -> str:
    """A policy file with the top-level values of ``policy`` that are plain."""
    kept = {name: value for name, value in policy.model_dump(mode="json").items()
            if isinstance(value, str | bool | int) or (isinstance(value, list) and all(
                isinstance(one, str) for one in value))}
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in kept.items())
