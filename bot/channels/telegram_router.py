"""Telegram's updates as aiogram hands them out, each made into a message of ours; what is no text of a patient's is
left alone. The same dispatcher is fed by the webhook, by polling and by the tests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aiogram import Bot, Dispatcher, F, Router
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update, User

from billing.cards import find_cards
from bot.channels.base import Inbound
from handlers.understanding.fixed import find_fixed

if TYPE_CHECKING:
    from bot.channels.telegram_line import TelegramLine

_START = re.compile(r"/start(?:@\w+)?(?:\s+([A-Za-z0-9_-]{1,64}))?\s*", re.IGNORECASE)
_COMMAND = re.compile(r"^/([A-Za-z][A-Za-z0-9_]*)(?:@\w+)?")
_LANGUAGES = ("en", "es")
_FILES = ("photo", "document", "video", "animation", "audio", "voice", "video_note")
_HEEDED_EDITS = ("opt_out", "emergency")

BLOCKED = "unsubscribe (blocked the bot)"
"""What a block is taken down as: an opt-out in so many words, which Telegram itself has carried out already."""


def make_dispatcher(line: TelegramLine) -> Dispatcher:
    """No state machine and no isolation of aiogram's: state is the conversation's, order is the inbox's lanes."""
    router = Router(name="patients")
    router.message.register(_on_message, F.chat.type == "private")
    router.message.register(_on_group)
    router.edited_message.register(_on_edit, F.chat.type == "private")
    router.callback_query.register(_on_press)
    router.my_chat_member.register(_on_member)
    dispatcher = Dispatcher(disable_fsm=True, line=line)
    dispatcher.include_router(router)
    return dispatcher


async def _on_message(message: Message, line: TelegramLine, bot: Bot, event_update: Update) -> None:
    if message.from_user is None or message.from_user.is_bot:
        return
    await line.accept(to_inbound(message, f"{bot.id}:{event_update.update_id}"))


async def _on_group(message: Message, line: TelegramLine) -> None:
    """Bills are nobody's business in a group: nothing of it is kept, and the bot goes."""
    line.leave(message.chat.id)


async def _on_edit(message: Message, line: TelegramLine, bot: Bot, event_update: Update) -> None:
    """What was answered stays answered; only a STOP, an emergency or a card number is heeded however it is written."""
    text = message.text or message.caption or ""
    if message.from_user is not None and (find_fixed(text) in _HEEDED_EDITS or find_cards(text)):
        await line.accept(to_inbound(message, f"{bot.id}:{event_update.update_id}"))


async def _on_press(query: CallbackQuery, line: TelegramLine, bot: Bot) -> None:
    """A button stands for a text. One press a message: the second finds its row there already."""
    chat = query.message.chat.id if query.message is not None else query.from_user.id
    press = line.unseal(str(chat), query.data or "")
    if press is None or chat != query.from_user.id:
        await line.refuse_press(query.id, str(chat), language_of(query.from_user))
        return
    await line.accept(Inbound(f"{bot.id}:press:{press.outbox_id}", str(chat), "", press.text, button=press.outbox_id,
                              language=language_of(query.from_user)))
    line.end_press(query.id, chat, query.message.message_id if query.message is not None else None)


async def _on_member(event: ChatMemberUpdated, line: TelegramLine, bot: Bot, event_update: Update) -> None:
    """A block is an opt-out (T-04). Lifting it is no consent: only START is (T-12)."""
    if event.chat.type != "private":
        if event.new_chat_member.status not in ("left", "kicked"):
            line.leave(event.chat.id)
    elif event.new_chat_member.status == "kicked":
        await line.accept(Inbound(f"{bot.id}:{event_update.update_id}", str(event.chat.id), "", BLOCKED,
                                  carrier_keyword="STOP"))


def to_inbound(message: Message, external_id: str) -> Inbound:
    """A private message as the core understands it: commands without their slash, files as a count, nothing else."""
    text = message.text or message.caption or ""
    start = _START.fullmatch(text)
    return Inbound(
        external_id=external_id, sender=str(message.chat.id), to="",
        body="/start" if start else _COMMAND.sub(lambda found: found[1].replace("_", " "), text),
        media=int(any(getattr(message, name, None) for name in _FILES)), message_id=str(message.message_id),
        language=language_of(message.from_user), start=(start[1] or "") if start else "")


def language_of(user: User | None) -> str:
    """The language of the person's app, where it is one of ours."""
    code = ((user.language_code if user else None) or "")[:2].lower()
    return code if code in _LANGUAGES else ""
