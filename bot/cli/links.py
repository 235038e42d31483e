"""What the commands that send one account a link share: a look first, and the message as it is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from bot.cli.edge import Edge
from bot.cli.exits import REFUSED, Stop, sentence

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from bot.road import Road
    from bot.sent_links import Sent
    from config.practice import PracticePolicy

Send = Annotated[bool, typer.Option("--send", help="Send it. Without this it is only looked at.")]

_WAYS = {"sms": "By text", "telegram": "By Telegram", "email": "By e-mail"}


@dataclass(frozen=True, slots=True)
class Tried:
    """``about``: what the link is for, as plain values; ``sent``: the message, as queued or as it would be. ``made``:
    the id of what is behind the link, where it is made with it.
    """

    about: dict[str, Any]
    sent: Sent
    made: str = ""


def road_of(edge: Edge) -> Road:
    from bot.road import Road

    return Road(edge.store, edge.clock, "link", edge.settings.public_url)


def carry_out(session: Session, act: Callable[[], Tried], send: bool) -> Tried:
    """Do it, or try it and take it back. Raises Stop, and then nothing is made ready."""
    from billing.payment_asks import AskRefused
    from billing.rehearsals import rehearse
    from bot.sent_links import LinkRefused, require_let_go

    try:
        if not send:
            return rehearse(session, act)
        tried = act()
        require_let_go(tried.sent)
    except (AskRefused, LinkRefused) as error:
        raise Stop(sentence(error), REFUSED) from error  # "no such address on file" is no account that is not there
    return tried


def facts_of(tried: Tried, send: bool) -> dict[str, Any]:
    """For programs. A look has no ids: what they would name was taken back."""
    message = asdict(tried.sent)
    if not send:
        message["message_id"] = None
    return tried.about | {"was_sent": send, "message": message}


def print_message(sent: Sent, policy: PracticePolicy, send: bool) -> None:
    """The words as the phone would show them, the gate's verdict on them, and what has become of it."""
    parts = f" ({sent.segments} segment{'s' if sent.segments != 1 else ''})" if sent.way == "sms" else ""
    print(f"{_WAYS.get(sent.way, sent.way)} to {sent.address}{parts}:\n")
    print("".join(f"    {line}\n" for line in sent.body.splitlines()))
    print("The dots stand for the link's own secret. The words name no amount.")
    print(_verdict(sent, policy))
    if send:
        print(f"It is {sent.status}. `plainbill why {sent.message_id}` shows what the gate said.")
    elif sent.outcome == "withhold":
        print("Nothing was sent and nothing is made ready; as things stand --send would be refused.")
    else:
        print("Nothing was sent and nothing is made ready. The same with --send sends it.")


def _verdict(sent: Sent, policy: PracticePolicy) -> str:
    if sent.outcome == "defer" and sent.until_at is not None:
        until = f"{sent.until_at.astimezone(ZoneInfo(policy.zone)):%Y-%m-%d %H:%M} ({policy.zone})"
        return f"The gate: it waits until {until}. {sent.rule}: {sent.reason}."
    if sent.outcome == "withhold":
        return f"The gate: it may not go. {sent.rule}: {sent.reason}."
    return "The gate: it may go."
