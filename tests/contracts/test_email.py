"""E-mail against the stand-in that ships and an independent server: what leaves, and what each refusal comes to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as reading
from email.utils import formataddr
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiosmtpd.controller import UnthreadedController
from aiosmtpd.smtp import AuthResult, LoginPassword
from aiosmtpd.smtp import Envelope as Taken
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.channels import email_bounces
from bot.channels.base import Outbound, SendError
from bot.channels.email import EmailChannel, MailAccount, compose, receipt_kind
from bot.standins import smtp
from config.addresses import AddressFault, mail_server
from tests.conftest import TUESDAY

WORDS = Outbound(
    "msg_0123456789", '"Maple Clinic" <billing@maple.example>', "ana@patient.example",
    "Hello,\nWe have a new bill for you.\nSee it here: https://pay.maple.example/l/t0ken\n.\n"
    "To stop these e-mails, call.",
    subject="A message from your doctor's billing office", reply_to="desk@maple.example",
    stop_url="https://pay.maple.example/u/st0p")


@dataclass
class Independent:
    """aiosmtpd, keeping what it took."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Taken) -> str:  # noqa: N802  # aiosmtpd's name
        self.taken.append(envelope)
        return "250 2.0.0 kept"


@dataclass
class Served:
    """A server by name, the channel to it, and what it has taken, as e-mails."""

    channel: EmailChannel
    taken: Callable[[], list[EmailMessage]]


def account(url: str, tls: ssl.SSLContext | None = None) -> MailAccount:
    return MailAccount(mail_server(url), lambda: TUESDAY, tls)


def read(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw, policy=reading)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
async def standin() -> AsyncIterator[smtp.SmtpRunning]:
    running = await smtp.start()
    yield running
    await running.stop()


@pytest.fixture
def channel(standin: smtp.SmtpRunning) -> EmailChannel:
    return EmailChannel(account(standin.smtp_url))


def rows(standin: smtp.SmtpRunning) -> list[dict[str, Any]]:
    return list(standin.post.journal.table("messages").values())


@pytest.fixture(params=["standin", "aiosmtpd"])
async def served(request: pytest.FixtureRequest, standin: smtp.SmtpRunning) -> AsyncIterator[Served]:
    if request.param == "standin":
        yield Served(EmailChannel(account(standin.smtp_url)), lambda: [read(r["raw"].encode()) for r in rows(standin)])
        return
    keeper = Independent()
    server = UnthreadedController(keeper, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop())
    listening: Any = await server._create_server()  # the loop runs already
    port = listening.sockets[0].getsockname()[1]
    yield Served(EmailChannel(account(f"smtp://127.0.0.1:{port}")), lambda: [read(raw_of(one)) for one in keeper.taken])
    listening.close()


def raw_of(taken: Taken) -> bytes:
    assert isinstance(taken.content, bytes)
    return taken.content


async def test_both_forms_say_the_same_reviewed_words_and_lead_to_no_more_of_them(served: Served) -> None:
    sent = await served.channel.send(WORDS)
    (mail,) = served.taken()
    text, html = (mail.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None and html is not None
    for line in (*WORDS.body.splitlines(), WORDS.stop_url):
        assert line in text.get_content()
    for word in ("We have a new bill for you.", "To stop these e-mails, call.", 'href="https://pay.maple.example/l/t0ken"',
                 f'href="{WORDS.stop_url}"', '<html lang="en">', "<title>"):
        assert word in html.get_content()
    assert sent.provider_id == mail["Message-ID"] == "<msg_0123456789@maple.example>"


async def test_the_headers_are_neutral_dated_and_carry_the_stop_page_for_one_click(served: Served) -> None:
    await served.channel.send(replace(WORDS, language="es", subject="Un mensaje de la oficina de cobros de su doctor"))
    (mail,) = served.taken()
    assert (mail["From"], mail["To"], mail["Reply-To"]) == (
        "Maple Clinic <billing@maple.example>", "ana@patient.example", "desk@maple.example")
    assert mail["Subject"] == "Un mensaje de la oficina de cobros de su doctor"
    assert mail["List-Unsubscribe"] == (
        "<https://pay.maple.example/u/st0p>, <mailto:desk@maple.example?subject=unsubscribe>")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Date"] == "Tue, 03 Nov 2026 15:00:00 +0000" and mail["Content-Language"] == "es"
    assert mail["Auto-Submitted"] == "auto-generated"


async def test_a_subject_of_two_lines_adds_no_header_and_never_leaves(served: Served) -> None:
    with pytest.raises(SendError) as caught:
        await served.channel.send(replace(WORDS, subject="Hello\r\nBcc: someone@else.example"))
    assert caught.value.kind == "refused" and served.taken() == []


def test_a_practice_s_name_with_an_accent_is_read_as_it_is_written() -> None:
    """In the From line it is encoded (RFC 2047); in the words that encoding would be gibberish."""
    sender = formataddr(("Cl\u00ednica \u00c1vila", "billing@maple.example"))
    letter, _ = compose(replace(WORDS, sender=sender), TUESDAY)
    page = letter.get_body(("html",))
    assert page is not None and "Cl\u00ednica \u00c1vila" in page.get_content() and "=?" not in page.get_content()
    assert letter["From"].addresses[0].display_name == "Cl\u00ednica \u00c1vila"


async def test_spanish_arrives_with_its_accents(served: Served) -> None:
    await served.channel.send(replace(WORDS, body="¿Cree que hay un error? Díganos.", language="es"))
    (mail,) = served.taken()
    text = mail.get_body(("plain",))
    assert text is not None and "¿Cree que hay un error? Díganos." in text.get_content()


@pytest.mark.parametrize(("to", "kind", "code"), [
    ("ana0001@patient.example", "unreachable", "550 5.1.1"), ("ana0002@patient.example", "unreachable", "552 5.2.2"),
    ("ana0020@patient.example", "retry", "450 4.2.0"), ("ana0021@patient.example", "retry", "451 4.3.0"),
    ("ana0022@patient.example", "unknown", "SMTPServerDisconnected"),
    ("ana0023@patient.example", "unknown", "SMTPServerDisconnected"),
    ("ana0005@patient.example", "turned_away", "550 5.7.1"), ("ana0006@patient.example", "refused", "552 5.2.3"),
    ("ana0008@patient.example", "turned_away", "550"), ("ana0009@patient.example", "turned_away", "550 5.1.8"),
    ("ana0010@patient.example", "unreachable", "550 5.4.1"),
    ("ana0007@patient.example", "configuration", "530 5.7.0"), ("ana0030@patient.example", "turned_away", "554 5.7.1"),
    ("ana0031@patient.example", "refused", "554 5.6.3"), ("no address", "unreachable", "no_address"),
    ("a@b.example>\r\nRCPT TO:<c@d.example", "unreachable", "no_address"),
])
async def test_each_refusal_is_a_verdict_that_holds_nothing_of_the_message(channel: EmailChannel, to: str, kind: str,
                                                                          code: str) -> None:
    with pytest.raises(SendError) as caught:
        await channel.send(replace(WORDS, to=to))
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert "ana" not in str(caught.value) and "bill" not in str(caught.value)


async def test_what_was_taken_before_the_line_broke_lies_in_the_mailbox_once(channel: EmailChannel,
                                                                            standin: smtp.SmtpRunning) -> None:
    with pytest.raises(SendError):
        await channel.send(replace(WORDS, to="ana0022@patient.example"))
    with pytest.raises(SendError):
        await channel.send(replace(WORDS, to="ana0023@patient.example"))
    assert [row["to"] for row in rows(standin)] == ["ana0022@patient.example"]


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(SendError) as caught:
        await EmailChannel(account("smtp://127.0.0.1:9")).send(WORDS)
    assert caught.value.kind == "retry"


async def test_a_wrong_password_stops_the_channel_and_no_patient_is_blamed(standin: smtp.SmtpRunning) -> None:
    with pytest.raises(SendError) as caught:
        await EmailChannel(account(f"smtp://standin:guess@127.0.0.1:{standin.port}")).send(WORDS)
    assert (caught.value.kind, caught.value.code) == ("configuration", "535 5.7.8")
    assert rows(standin) == []


@pytest.mark.parametrize(("sender", "kind", "code"), [
    ("billing0040@maple.example", "configuration", "550 5.7.1"), ("billing0041@maple.example", "refused", "552 5.3.4")])
async def test_a_sender_that_may_not_send_is_about_us_and_a_message_too_big_about_itself(
        channel: EmailChannel, sender: str, kind: str, code: str) -> None:
    """Both are said where the sender is named, before anybody was named as recipient."""
    with pytest.raises(SendError) as caught:
        await channel.send(replace(WORDS, sender=sender))
    assert (caught.value.kind, caught.value.code) == (kind, code)


async def test_an_email_cannot_be_asked_about_nor_taken_back(channel: EmailChannel) -> None:
    for act in (channel.look_up(WORDS, TUESDAY), channel.redact("<x@y>")):
        with pytest.raises(SendError) as caught:
            await act
        assert caught.value.kind == "configuration"


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's own certificate for localhost, and a client that trusts it alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    begin = datetime.now(UTC) - timedelta(days=1)
    made = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
            .serial_number(1).not_valid_before(begin).not_valid_after(begin + timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
            .sign(key, hashes.SHA256()))
    path = folder / "server.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    return serving, ssl.create_default_context(cafile=str(path))


def log_in(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    """Only what was said inside TLS counts."""
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"user", b"p@ss/word")
    return AuthResult(success=good and session.ssl is not None)


async def test_off_this_machine_nothing_is_said_before_starttls(tmp_path: Path,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither password nor words: a server without STARTTLS gets neither; one with it gets both, by a trusted name."""
    keeper, (serving, trusting) = Independent(), certificate(tmp_path)
    server = UnthreadedController(keeper, hostname="127.0.0.1", port=0, loop=asyncio.get_running_loop(),
                                  tls_context=serving, authenticator=log_in, auth_require_tls=True)
    listening: Any = await server._create_server()
    port = listening.sockets[0].getsockname()[1]
    far = mail_server(f"smtp://user:p%40ss%2Fword@localhost:{port}")
    monkeypatch.setattr(type(far), "local", property(lambda one: False))
    await EmailChannel(MailAccount(far, lambda: TUESDAY, trusting)).send(WORDS)
    assert len(keeper.taken) == 1
    with pytest.raises(SendError) as untrusted:
        await EmailChannel(MailAccount(far, lambda: TUESDAY)).send(WORDS)
    plain = await smtp.start()
    with pytest.raises(SendError) as bare:
        await EmailChannel(MailAccount(mail_server(plain.smtp_url), lambda: TUESDAY)).send(WORDS)
    await plain.stop()
    listening.close()
    assert untrusted.value.kind in ("configuration", "retry") and bare.value.kind == "configuration"
    assert len(keeper.taken) == 1 and rows(plain) == []


@pytest.mark.parametrize("address", ["mail.example", "http://mail.example", "smtp://user@mail.example", "smtp://h/path",
                                     "smtps://u:secret@h:notaport"])
def test_a_malformed_server_is_refused_without_being_repeated(address: str) -> None:
    with pytest.raises(AddressFault) as caught:
        mail_server(address)
    assert "secret" not in str(caught.value) and "secret" not in repr(mail_server("smtps://u:secret@h"))


@pytest.mark.parametrize("dsn", [True, False])
async def test_a_bounce_names_our_message_by_the_envelope_or_by_its_id(dsn: bool) -> None:
    running = await smtp.start(smtp.SmtpOptions(dsn=dsn))
    await EmailChannel(account(running.smtp_url)).send(replace(WORDS, to="ana0004@patient.example"))
    async with aiohttp.ClientSession() as client:
        async with client.get(f"{running.url}/_standin/messages") as answer:
            (taken,) = await answer.json()
        reports = []
        for wanted in ({"status": "5.1.1"}, {"status": "4.4.1", "action": "delayed"}):
            async with client.post(f"{running.url}/_standin/bounce", json={"id": taken["id"], **wanted}) as answer:
                reports.append((await answer.text()).encode())
    await running.stop()
    assert taken["envelope"] == (WORDS.outbox_id if dsn else "")
    assert [email_bounces.parse_bytes(one) for one in reports] == [
        email_bounces.Bounce(WORDS.outbox_id, "5.1.1", True), email_bounces.Bounce(WORDS.outbox_id, "4.4.1", False)]


def test_what_is_no_report_or_not_about_ours_is_left_alone() -> None:
    assert email_bounces.parse_bytes(b"From: ana@patient.example\r\nSubject: I am away\r\n\r\nUntil Monday.") is None
    assert email_bounces.parse_bytes(b"Content-Type: multipart/report; boundary=x\r\n\r\n--x--\r\n") is None
    assert email_bounces.parse_bytes(b"\xff\xfe\x00") is None


def test_only_an_address_that_will_never_do_is_marked() -> None:
    assert {status: receipt_kind(status) for status in ("5.1.1", "5.2.1", "5.2.2", "5.4.4", "5.7.1", "5.3.4", "")} == {
        "5.1.1": "unreachable", "5.2.1": "unreachable", "5.2.2": "unreachable", "5.4.4": "unreachable", "5.7.1": "",
        "5.3.4": "", "": ""}
