"""A local mail server: takes e-mail by SMTP, keeps it in a journal, delivers to nobody, and fails on demand.

Special recipients, by what stands before the @: ...0001 no such mailbox (550 5.1.1), ...0002 mailbox full (552 5.2.2),
...0004 taken and bounced later; ...0005 this recipient takes nothing from us (550 5.7.1), ...0006 not of this size
(552 5.2.3), ...0007 log in first (530 5.7.0), ...0008 relaying denied (550), ...0009 our sender is unknown there (550
5.1.8), ...0010 no such user in another server's words (550 5.4.1); ...0020 greylisted (450), ...0021 the server's own
trouble (451 after the words); ...0022 taken, then the connection drops without an answer; ...0023 dropped before the
words; ...0030 refused as spam (554 5.7.1 after the words), ...0031 cannot be converted (554 5.6.3 after the words).
Special senders, before the @: ...0040 not allowed to send (550 5.7.1), ...0041 message too big (552 5.3.4).

Beside it a small web server for tests and people: /_standin/messages, /journal, /fault, /bounce.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import json
import re
import signal
import time
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default as reading
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web

from bot.standins import wire
from bot.standins.journal import Clock, Journal, Row
from bot.standins.wire import HOST, Fault, Faults

MOST_BYTES = 10 * 1024 * 1024
_PATH = re.compile(r"(?i)(?:FROM|TO):\s*<([^<>]*)>\s*(.*)")
_FATES = {"0001": "550", "0002": "552", "0005": "550p", "0006": "552s", "0007": "530", "0008": "550r", "0009": "550u",
          "0010": "550m", "0020": "450", "0021": "451",
          "0022": "drop_after", "0023": "drop_before", "0030": "554", "0031": "554c"}
_RECIPIENT = {"550": "550 5.1.1 no such mailbox", "552": "552 5.2.2 mailbox full",
              "550p": "550 5.7.1 takes nothing from you", "552s": "552 5.2.3 longer than this mailbox takes",
              "550r": "550 relaying denied", "550u": "550 5.1.8 sender's domain not found",
              "550m": "550 5.4.1 recipient address rejected", "530": "530 5.7.0 log in first",
              "450": "450 4.2.0 greylisted, come again"}
_WORDS = {"451": "451 4.3.0 trouble here", "450": "450 4.2.0 come again", "550": "550 5.1.1 no such mailbox",
          "554": "554 5.7.1 looks like spam", "554c": "554 5.6.3 cannot be converted"}
_SENDER = {"0040": "550 5.7.1 you may not send", "0041": "552 5.3.4 bigger than this server takes"}
BOUNCES = "0004"


@dataclass(frozen=True)
class SmtpOptions:
    """``user`` empty: whoever connects may send. ``dsn`` off: a server that knows nothing of RFC 3461."""

    user: str = "standin"
    password: str = "standin-password"
    journal: Path | None = None
    dsn: bool = True
    clock: Clock = time.time


@dataclass
class Post:
    """The running state; "messages" in the journal: id -> {"from", "to", "envelope", "raw", "at", "bounces"}."""

    options: SmtpOptions
    journal: Journal
    faults: Faults = field(default_factory=Faults)
    talks: set[asyncio.Task[None]] = field(default_factory=set)

    def take(self, sender: str, to: str, envelope: str, raw: bytes) -> str:
        """Keep a message; the line is on the disk before anybody hears of it."""
        queued = uuid4().hex[:12]
        self.journal.put("messages", queued, {
            "from": sender, "to": to, "envelope": envelope, "raw": raw.decode("utf-8", "surrogateescape"),
            "at": self.journal.clock(), "bounces": to.partition("@")[0].endswith(BOUNCES)})
        self.journal.write("message", id=queued)
        return queued

    def fate(self, to: str) -> str:
        fault: Fault | None = self.faults.take(f"send:{to}", "send:*")
        if fault is not None:
            return {"500": "451", "429": "450", "decline": "550"}.get(fault.mode, fault.mode)
        return _FATES.get(_key(to), "")


def _key(address: str) -> str:
    """What decides the fate of an address."""
    return address.partition("@")[0][-4:]


class _Gone(Exception):
    """The talk is over."""


class Talk:
    """One connection: RFC 5321 as far as a client of ours needs it, with AUTH, SIZE, 8BITMIME and DSN."""

    def __init__(self, post: Post, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._post, self._reader, self._writer = post, reader, writer
        self._known = not post.options.user
        self._sender: str | None = None
        self._to: list[str] = []
        self._envelope = ""

    async def run(self) -> None:
        with contextlib.suppress(_Gone, ConnectionError, asyncio.IncompleteReadError):
            await self._say("220 standin.example ESMTP")
            while True:
                await self._answer(await self._line())
        self._writer.close()

    async def _line(self) -> str:
        raw = await self._reader.readline()
        if not raw.endswith(b"\n"):
            raise _Gone
        return raw.decode("utf-8", "replace").rstrip("\r\n")

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    async def _answer(self, line: str) -> None:
        verb, _, rest = line.partition(" ")
        match verb.upper():
            case "EHLO":
                await self._say("250-standin.example", "250-AUTH PLAIN LOGIN", f"250-SIZE {MOST_BYTES}",
                                *(["250-DSN"] if self._post.options.dsn else []), "250-ENHANCEDSTATUSCODES",
                                "250 8BITMIME")
            case "HELO" | "NOOP":
                await self._say("250 2.0.0 ok")
            case "RSET":
                self._forget()
                await self._say("250 2.0.0 forgotten")
            case "AUTH":
                await self._log_in(rest)
            case "MAIL" | "RCPT" if not self._known:
                await self._say("530 5.7.0 log in first")
            case "MAIL":
                await self._mail(rest)
            case "RCPT":
                await self._rcpt(rest)
            case "DATA":
                await self._data()
            case "QUIT":
                await self._say("221 2.0.0 goodbye")
                raise _Gone
            case _:
                await self._say("502 5.5.1 not known here")

    def _forget(self) -> None:
        self._sender, self._to, self._envelope = None, [], ""

    async def _log_in(self, rest: str) -> None:
        how, _, first = rest.partition(" ")
        try:
            if how.upper() == "PLAIN":
                _, user, password = (await self._secret(first, "")).split("\0")
            else:
                user, password = await self._secret(first, "User"), await self._secret("", "Password")
        except (ValueError, binascii.Error):
            await self._say("501 5.5.2 cannot be read")
            return
        self._known = (user, password) == (self._post.options.user, self._post.options.password)
        await self._say("235 2.7.0 welcome" if self._known else "535 5.7.8 wrong user or password")

    async def _secret(self, given: str, ask: str) -> str:
        if not given:
            await self._say(f"334 {base64.b64encode(ask.encode()).decode()}")
            given = await self._line()
        return base64.b64decode(given, validate=True).decode()

    async def _mail(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if found is None:
            await self._say("501 5.5.4 MAIL FROM:<address>")
            return
        self._forget()
        if refused := _SENDER.get(_key(found[1])):
            await self._say(refused)
            return
        self._sender = found[1]
        options = dict(part.partition("=")[::2] for part in found[2].split())
        self._envelope = options.get("ENVID", "")
        await self._say("250 2.1.0 ok")

    async def _rcpt(self, rest: str) -> None:
        found = _PATH.fullmatch(rest)
        if self._sender is None or found is None:
            await self._say("503 5.5.1 MAIL FROM first" if found else "501 5.5.4 RCPT TO:<address>")
            return
        self._to.append(found[1])
        words = _RECIPIENT.get(_FATES.get(_key(found[1]), ""))
        await (self._refuse_recipient(f"{words} <{found[1]}>") if words else self._say("250 2.1.5 ok"))

    async def _refuse_recipient(self, words: str) -> None:
        refused = self._to.pop()
        self._post.journal.write("refused", to=refused, answer=words)
        await self._say(words)

    async def _data(self) -> None:
        if self._sender is None or not self._to:
            await self._say("503 5.5.1 RCPT TO first")
            return
        fate = self._post.fate(self._to[0])
        if fate == "drop_before":
            self._cut(fate)
        await self._say("354 go on")
        raw = await self._words()
        if fate == "timeout_before":
            await asyncio.sleep(3600)
        if words := _WORDS.get(fate):
            words = f"{words} <{self._to[0]}>"  # as real servers do, so that nobody may repeat their words
            self._post.journal.write("refused", to=self._to[0], answer=words)
            self._forget()
            await self._say(words)
            return
        queued = [self._post.take(self._sender, to, self._envelope, raw) for to in self._to]
        if fate == "drop_after":
            self._cut(fate)
        if fate == "timeout_after":
            await asyncio.sleep(3600)
        self._forget()
        await self._say(f"250 2.0.0 queued as {queued[0]}")

    async def _words(self) -> bytes:
        lines: list[bytes] = []
        while (line := await self._reader.readline()) not in (b".\r\n", b".\n"):
            if not line:
                raise _Gone
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        return b"".join(lines)

    def _cut(self, fate: str) -> None:
        self._post.journal.write("cut", fault=fate)
        self._writer.transport.abort()
        raise _Gone


@dataclass(frozen=True)
class SmtpRunning:
    """``url`` is of the control server; ``smtp_url`` what a client is configured with."""

    url: str
    smtp_url: str
    port: int
    post: Post
    server: asyncio.Server
    control: wire.Running

    async def stop(self) -> None:
        self.server.close()
        for talk in list(self.post.talks):
            talk.cancel()
        await self.control.stop()
        self.post.journal.close()


async def start(options: SmtpOptions | None = None, port: int = 0, control_port: int = 0) -> SmtpRunning:
    """Listen on loopback; port 0 takes a free one. An existing journal is continued."""
    options = options or SmtpOptions()
    post = Post(options, Journal(options.journal, options.clock))

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        post.talks.add(task)
        try:
            with contextlib.suppress(asyncio.CancelledError):  # the server stops
                await Talk(post, reader, writer).run()
        finally:
            writer.close()
            post.talks.discard(task)

    server = await asyncio.start_server(meet, HOST, port)
    bound = int(server.sockets[0].getsockname()[1])
    control = await wire.start(_control(post), control_port)
    login = f"{options.user}:{options.password}@" if options.user else ""
    return SmtpRunning(control.url, f"smtp://{login}{HOST}:{bound}", bound, post, server, control)


_POST: web.AppKey[Post] = web.AppKey("post", Post)


def _control(post: Post) -> web.Application:
    app = web.Application()
    app[_POST] = post
    app.router.add_get("/_standin/messages", _messages)
    app.router.add_get("/_standin/journal", _journal)
    app.router.add_post("/_standin/fault", _fault)
    app.router.add_post("/_standin/bounce", _bounce)
    return app


async def _messages(request: web.Request) -> web.Response:
    """Everything taken, oldest first; ``?to=`` narrows. Headers and both forms of the words."""
    to = request.query.get("to", "")
    return web.json_response([_shown(key, row) for key, row in request.app[_POST].journal.table("messages").items()
                              if to in ("", row["to"])])


def _shown(key: str, row: Row) -> dict[str, Any]:
    found = message_from_bytes(row["raw"].encode("utf-8", "surrogateescape"), policy=reading)
    text, html = found.get_body(("plain",)), found.get_body(("html",))
    return {"id": key, "from": row["from"], "to": row["to"], "envelope": row["envelope"], "bounces": row["bounces"],
            "headers": {name: str(value) for name, value in found.items()},
            "text": text.get_content() if text else "", "html": html.get_content() if html else ""}


async def _journal(request: web.Request) -> web.Response:
    return web.json_response(request.app[_POST].journal.lines())


async def _fault(request: web.Request) -> web.Response:
    """{"to": address or "*", "mode": 500 (451), 429 (450), decline (550), drop_before, drop_after, timeout_..., none,
    "times": n}
    """
    asked = await wire.control_body(request)
    try:
        request.app[_POST].faults.set(f"send:{asked.get('to', '*')}", asked)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    return web.json_response({})


async def _bounce(request: web.Request) -> web.Response:
    """{"id": of a message, "status": "5.1.1"}: the report (RFC 3464) that its sender would get, as text."""
    from bot.standins.smtp_bounces import report

    asked = await wire.control_body(request)
    row = request.app[_POST].journal.table("messages").get(str(asked.get("id")))
    if row is None:
        raise web.HTTPNotFound(text="no such message")
    return web.Response(text=report(row, str(asked.get("status", "5.1.1")), str(asked.get("action", "failed"))))


async def _serve(options: SmtpOptions, port: int, control_port: int) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    running = await start(options, port, control_port)
    print(json.dumps({"url": running.url, "port": running.port}), flush=True)
    await stopping.wait()
    await running.stop()


def main() -> None:
    parser = wire.argument_parser("smtp")
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--user", default=SmtpOptions.user)
    parser.add_argument("--password", default=SmtpOptions.password)
    given = parser.parse_args()
    options = SmtpOptions(given.user, given.password, Path(given.journal), clock=wire.clock_from(given.clock))
    asyncio.run(_serve(options, given.port, given.control_port))


if __name__ == "__main__":
    main()
