"""The mail server that stands in: it keeps what it took over a restart, and faults come and go as they are ordered."""

from __future__ import annotations

import smtplib
from asyncio import to_thread
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.standins import smtp

RAW = "Subject: hello\r\n\r\nFirst line\r\n..two points\r\n"


def give(port: int, to: str = "ana@patient.example", user: str = "standin") -> None:
    """As any program would: the standard library's own client."""
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.login(user, "standin-password")
        client.sendmail("billing@maple.example", [to], RAW)


async def taken(running: smtp.SmtpRunning) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as client, client.get(f"{running.url}/_standin/messages") as answer:
        found: list[dict[str, Any]] = await answer.json()
    return found


async def order(running: smtp.SmtpRunning, path: str, **wanted: Any) -> int:
    async with aiohttp.ClientSession() as client, client.post(f"{running.url}/_standin/{path}", json=wanted) as answer:
        return answer.status


async def test_what_was_taken_is_there_word_for_word_and_after_a_restart(tmp_path: Path) -> None:
    options = smtp.SmtpOptions(journal=tmp_path / "smtp.jsonl")
    first = await smtp.start(options)
    await to_thread(give, first.port)
    await first.stop()
    second = await smtp.start(options)
    (row,) = await taken(second)
    await second.stop()
    assert (row["from"], row["to"], row["headers"]["Subject"]) == (
        "billing@maple.example", "ana@patient.example", "hello")
    assert row["text"].splitlines() == ["First line", "..two points"]


async def test_nobody_sends_without_the_password() -> None:
    running = await smtp.start()
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await to_thread(give, running.port, user="somebody")
    assert await taken(running) == []
    await running.stop()


async def test_a_fault_is_used_up_and_a_wrong_one_is_refused() -> None:
    running = await smtp.start()
    assert await order(running, "fault", mode="nonsense") == 400
    assert await order(running, "fault", to="ana@patient.example", mode="429") == 200
    with pytest.raises(smtplib.SMTPDataError, match="450"):
        await to_thread(give, running.port)
    await to_thread(give, running.port)
    assert len(await taken(running)) == 1 and await order(running, "bounce", id="nobody") == 404
    await running.stop()
