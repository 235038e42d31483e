"""``plainbill mail`` and the addresses of an account, as a biller types them."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from billing import restorations
from billing.store.tables import Audit, Consent, Outbox
from bot.cli.exits import NOT_FOUND, REFUSED, USAGE
from bot.standins.smtp_bounces import report
from tests.cli.conftest import Office, Run, plainbill, stores
from tests.conftest import TUESDAY
from tests.web.newcomers import add

__all__ = ["plainbill", "stores"]

MORNING, NOON = "2026-11-03T10:00:00-05:00", "2026-11-03T12:00:00-05:00"  # each command's clock starts there
POLICY = """
name = "Maple Clinic"
legal_name = "Maple Clinic PLLC"
phone = "+12125550199"
address = "12 Maple St, New York, NY 10001"
region = "NY"
sending = "on"
[mail]
sender = "billing@maple.example"
"""


@pytest.fixture
def clinic(plainbill: Run, stores: Office, tmp_path: Path) -> Run:
    """A practice that sends, on a Tuesday morning; A-1 owes $145.50 and lives at 5 Oak St."""
    run: Run = partial(plainbill, CLOCK=MORNING)
    (tmp_path / "policy.toml").write_text(POLICY, "utf-8")
    assert run("practice", "set", "policy.toml").code == 0
    for login, role in (("ana", "biller"), ("aud", "auditor")):
        run("staff", "add", login, "--name", login.title(), "--role", role)
    stores().write(lambda session: add(session, "main", "A-1", "en", TUESDAY))
    assert run("accounts", "address", "A-1", "5 Oak St, Apt 2, Albany, NY 12207").code == 0
    return run


def test_a_statement_goes_from_the_queue_to_the_mail_house_and_back(clinic: Run, stores: Office,
                                                                    tmp_path: Path) -> None:
    assert clinic("send", "A-1", "--json").json["way"] == "paper"
    assert clinic("mail", "list", "--json").json == {"runs": [], "waiting": 1}
    assert clinic("mail", "export", "out", STAFF="aud").code == REFUSED
    (run,) = clinic("mail", "export", "out", "--json", STAFF="ana", CLOCK=NOON).json["runs"]
    assert (run["run"], run["letters"], run["status"], run["made_by"]) == (1, 1, "written", "ana")
    assert sorted(path.name for path in (tmp_path / "out/mail-0001").iterdir()) == ["0001-00001.pdf", "manifest.csv"]
    assert "5 Oak St,Apt 2,\"Albany, NY 12207\"" in (tmp_path / "out/mail-0001/manifest.csv").read_text("utf-8")
    assert "No letter leaves now." in clinic("mail", "export", "out", CLOCK=NOON).out
    assert clinic("mail", "ack", "1", STAFF="ana").code == 0 and clinic("mail", "ack", "2").code == NOT_FOUND
    assert clinic("mail", "list", "--json").json["runs"][0]["acknowledged_by"] == "ana"
    assert clinic("mail", "returned", "1-1").code == USAGE
    assert clinic("mail", "returned", "1-9", "--reason", "moved").code == NOT_FOUND
    assert clinic("mail", "returned", "1-1", "--reason", "moved", STAFF="ana").code == 0
    assert clinic("accounts", "show", "A-1", "--json").json["phones"][0]["status"] == "returned"
    trail = stores().read(lambda s: set(s.execute(select(Audit.action, Audit.actor, Audit.reason)).all()))
    assert {("export", "ana", ""), ("acknowledge", "ana", ""), ("mail.returned", "ana", "moved")} <= trail


def test_a_run_is_written_again_on_request(clinic: Run, tmp_path: Path) -> None:
    clinic("send", "A-1")
    clinic("mail", "export", "out", CLOCK=NOON)
    assert clinic("mail", "export", "again", "--run", "1").code == 0
    assert clinic("mail", "export", "again", "--run", "8").code == NOT_FOUND
    first, again = (sorted(path.read_bytes() for path in (tmp_path / name / "mail-0001").iterdir())
                    for name in ("out", "again"))
    assert first == again


def test_a_bounce_is_read_from_an_email_an_mbox_and_a_maildir(clinic: Run, stores: Office, tmp_path: Path) -> None:
    clinic("accounts", "email", "A-1", "ana@patient.example")
    sent = clinic("send", "A-1", "--json").json
    assert sent["way"] == "email"
    stores().write(lambda s: setattr(s.get_one(Outbox, sent["message_id"]), "attempts", 1))
    text = report({"raw": f"Message-ID: <{sent['message_id']}@maple.example>\n\nhello", "envelope": "",
                   "from": "billing@maple.example", "to": "ana@patient.example"}, "5.1.1")
    (tmp_path / "one.eml").write_text(text)
    (tmp_path / "box").write_text(f"From MAILER-DAEMON Tue Nov  3 10:00:00 2026\n{text}\n\n")
    for part in ("new", "cur", "tmp"):
        (tmp_path / "dir" / part).mkdir(parents=True)
    (tmp_path / "dir/new/1.eml").write_text(text)
    told = [clinic("mail", "bounced", name, "--json").json for name in ("one.eml", "box", "dir")]
    assert [(one["undelivered"], one["known"]) for one in told] == [(1, 0), (0, 1), (0, 1)]
    assert clinic("mail", "bounced", "nothing.eml").code == NOT_FOUND


def test_an_email_address_comes_with_what_was_agreed_and_is_stopped_by_the_patients_words(clinic: Run) -> None:
    assert clinic("accounts", "email", "A-1", "ana at patient").code == USAGE
    assert clinic("accounts", "email", "A-1", "ana@patient.example", "--medium", "form").code == USAGE
    first = clinic("accounts", "email", "A-1", "Ana@Patient.example", "--consent-wording", "E-mail me my bills",
                   "--medium", "form", "--amounts-wording", "E-mail is not private. Amounts all the same?", "--json")
    assert {key: first.json[key] for key in ("added", "consent", "amounts", "stopped")} == {
        "added": True, "consent": True, "amounts": True, "stopped": False}
    again = clinic("accounts", "email", "A-1", "ana@patient.example", "--stop", "no more mails please", "--json").json
    assert (again["added"], again["stopped"]) == (False, True)
    assert clinic("send", "A-1", "--json").json["way"] == "paper"
    assert clinic("accounts", "email", "A-9", "ana@patient.example").code == NOT_FOUND


def test_stopped_email_starts_again_by_the_patients_recorded_words_alone(clinic: Run, stores: Office) -> None:
    place = ("accounts", "email", "A-1", "ana@patient.example")
    assert clinic(*place, "--again", "send me e-mails", "--medium", "phone").code == USAGE  # nothing is stopped
    clinic(*place, "--stop", "no more mails please")
    assert clinic(*place, "--consent-wording", "E-mail me", "--medium", "form", "--json").json["stopped"]
    assert clinic(*place, "--again", "send me e-mails").code == USAGE
    assert clinic(*place, "--again", "send me e-mails", "--medium", "import").code == USAGE
    assert clinic(*place, "--again", "send me e-mails", "--stop", "no").code == USAGE
    assert clinic(*place, "--again", "send me e-mails", "--medium", "phone", STAFF="aud").code == REFUSED
    assert clinic("send", "A-1", "--json", CLOCK=MORNING).json["way"] == "paper"
    done = clinic(*place, "--again", "please send me e-mails again", "--medium", "phone", "--json", STAFF="ana").json
    assert done["stopped"] is False
    events = stores().read(lambda s: s.execute(select(Consent.event, Consent.wording, Consent.medium,
                                                      Consent.recorded_by).order_by(Consent.id)).all())
    assert events[-1] == ("restored", "please send me e-mails again", "phone", "ana")
    trail = stores().read(lambda s: s.execute(select(Audit.actor, Audit.reason).where(Audit.action == "email")).all())
    assert ("ana", "medium, again") in trail


def test_a_restored_copy_shows_what_is_held_by_channel_and_a_person_says_what_left(clinic: Run, stores: Office) -> None:
    assert clinic("send", "A-1", "--json").json["way"] == "paper"
    at = TUESDAY + timedelta(hours=1)
    stores().write(lambda s: restorations.begin(s, backup_at=TUESDAY, now=at))
    restored: Run = partial(clinic, "restored")
    shown = restored("show", "--json").json
    assert {one["channel"]: (one["held"], one["said"]) for one in shown["standing"]["channels"]} == {
        "telegram": (0, ""), "email": (0, ""), "paper": (1, "")}
    assert "paper: 1 held; nobody has said" in restored("show").out
    for wrong in (("--left",), ("--reason", "the folder"), ()):
        assert restored("channel", "paper", *wrong).code == USAGE
    assert restored("channel", "sms", "--left", "--reason", "the log").code == REFUSED
    assert restored("channel", "paper", "--left", "--reason", "the log", STAFF="ana").code == REFUSED
    assert restored("channel", "paper", "--left", "--reason", "run 7 is there", "--last-run", "7").code == 0
    assert restored("channel", "email", "telegram", "--nothing-left", "--reason", "not in use").code == 0
    assert "taken as left" in restored("show").out
    assert clinic("mail", "export", "out").code == REFUSED
    missing = restored("show", "--json").json["missing"]
    assert [line.partition(":")[0] for line in missing] == ["compare with the carrier", "compare with the processor"]
    trail = stores().read(lambda s: s.execute(select(Audit.action, Audit.reason)).all())
    assert ("restored.channel", "paper: run 7 is there") in trail


def test_an_address_without_town_and_zip_is_refused(clinic: Run) -> None:
    assert clinic("accounts", "address", "A-1", "5 Oak St").code == USAGE


def test_a_policy_with_mail_asks_for_a_server_before_going_live(clinic: Run) -> None:
    missing = clinic("check", "--golive", "--json").json["missing"]
    assert any("PLAINBILL_SMTP_URL" in one["todo"] for one in missing)
    assert not any("PLAINBILL_SMTP_URL" in one["todo"] for one in clinic(
        "check", "--golive", "--json", SMTP_URL="smtps://user:secret@mail.example").json["missing"])


def test_the_password_of_the_mail_server_is_never_printed(clinic: Run) -> None:
    shown = clinic("check", SMTP_URL="smtps://user:pa55word@mail.example")
    assert "pa55word" not in shown.out + shown.err
    wrong = clinic("check", SMTP_URL="smtps://user:pa55word@mail.example/inbox")
    assert wrong.code == USAGE and "pa55word" not in wrong.out + wrong.err and "%40" in wrong.err
