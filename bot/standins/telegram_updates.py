"""What a user does in the stand-in's chats, made into updates as Telegram delivers them."""

from __future__ import annotations

from typing import Any

from bot.standins.journal import Row
from bot.standins.telegram_chat import Account, bot_user, chat_of, post

#: What a message may hold beside or instead of words.
_CONTENT: dict[str, Any] = {
    "photo": [{"file_id": "p1", "file_unique_id": "u1", "width": 90, "height": 60, "file_size": 1200}],
    "document": {"file_id": "d1", "file_unique_id": "u2", "file_name": "card.pdf", "file_size": 900},
    "contact": {"phone_number": "+12125550123", "first_name": "Patient"},
    "sticker": {"file_id": "s1", "file_unique_id": "u3", "type": "regular", "width": 512, "height": 512,
                "is_animated": False, "is_video": False, "emoji": "\U0001f44d"},
}


def inject(account: Account, wanted: Row) -> Row:
    """A user writes ({"chat_id", "text"}), sends something ({"holds": "photo"}), edits ({"edit": message_id, "text"}),
    presses a button ({"data", "message_id"?}), or blocks and unblocks the bot ({"member": "kicked" or "member"}).
    A negative chat_id is a group.
    """
    update: Row = {"update_id": account.next_number("last_update"), **_event(account, wanted)}
    account.journal.put("updates", str(update["update_id"]), update)
    if account.setting("webhook").get("url"):
        post(account, update)
    return update


def _event(account: Account, wanted: Row) -> Row:
    if "data" in wanted:
        return {"callback_query": _press(account, wanted)}
    if "member" in wanted:
        return {"my_chat_member": _membership(account, wanted)}
    if "edit" in wanted:
        return {"edited_message": _edit(account, wanted)}
    return {"message": _message(account, wanted)}


def _user(wanted: Row) -> Row:
    return {"id": abs(int(wanted["chat_id"])), "is_bot": False, "first_name": "Patient",
            "language_code": wanted.get("language", "en")}


def _chat(wanted: Row) -> Row:
    number = int(wanted["chat_id"])
    return chat_of(str(number)) if number > 0 else {"id": number, "type": "group", "title": "Family"}


def _message(account: Account, wanted: Row) -> Row:
    made: Row = {"message_id": account.next_number("last_message"), "from": _user(wanted), "chat": _chat(wanted),
                 "date": int(account.journal.clock())}
    kind = wanted.get("holds")
    if kind:
        made[kind] = _CONTENT[kind]
    if wanted.get("text") or not kind:
        made["caption" if kind else "text"] = str(wanted.get("text", ""))
    account.journal.put("messages", f"{wanted['chat_id']}:{made['message_id']}", made)
    return made


def _edit(account: Account, wanted: Row) -> Row:
    key = f"{wanted['chat_id']}:{wanted['edit']}"
    changed = {**account.journal.table("messages")[key], "text": str(wanted.get("text", "")),
               "edit_date": int(account.journal.clock())}
    account.journal.put("messages", key, changed)
    return changed


def _press(account: Account, wanted: Row) -> Row:
    chat, query = str(wanted["chat_id"]), f"query{account.setting('last_update')['last']}"
    made: Row = {"id": query, "from": _user(wanted), "chat_instance": chat, "data": str(wanted["data"])}
    message = account.journal.table("messages").get(f"{chat}:{wanted.get('message_id')}")
    if message is not None:
        made["message"] = message
    account.journal.put("queries", query, {"chat": chat})
    return made


def _membership(account: Account, wanted: Row) -> Row:
    bot, now = bot_user(account), str(wanted["member"])
    before = "member" if now == "kicked" else "kicked"

    def member(status: str) -> Row:
        return {"status": status, "user": bot, **({"until_date": 0} if status == "kicked" else {})}

    if int(wanted["chat_id"]) > 0:
        account.journal.put("chats", str(wanted["chat_id"]), {"mode": "blocked" if now == "kicked" else "ok"})
    return {"chat": _chat(wanted), "from": _user(wanted), "date": int(account.journal.clock()),
            "old_chat_member": member(before), "new_chat_member": member(now)}
