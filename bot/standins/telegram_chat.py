"""The Telegram bot account of the stand-in: its options, its state, and what each method of the Bot API does."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.standins.courier import Courier, Letter
from bot.standins.journal import Clock, Journal, Row
from bot.standins.wire import Faults

MAX_TEXT = 4096
MAX_CAPTION = 1024
MAX_DATA = 64
DELETABLE_S = 48 * 3600
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TRUTHS = ("true", "false", "True", "False", True, False)
_SEND = frozenset(
    [
        *("chat_id", "business_connection_id", "message_thread_id", "direct_messages_topic_id", "parse_mode"),
        *("disable_notification", "protect_content", "allow_paid_broadcast", "message_effect_id", "reply_markup"),
        *("suggested_post_parameters", "reply_parameters", "ephemeral_message_parameters", "receiver_user_id"),
        *("callback_query_id", "allow_sending_without_reply", "reply_to_message_id"),
    ]
)
DOCUMENTED = {
    "getMe": frozenset[str](),
    "setWebhook": frozenset(
        [
            *("url", "certificate", "ip_address", "max_connections", "allowed_updates", "drop_pending_updates"),
            "secret_token",
        ]
    ),
    "deleteWebhook": frozenset(["drop_pending_updates"]),
    "getWebhookInfo": frozenset[str](),
    "getUpdates": frozenset(["offset", "limit", "timeout", "allowed_updates"]),
    "sendMessage": _SEND | {"text", "entities", "link_preview_options", "disable_web_page_preview"},
    "sendDocument": _SEND | {"document", "thumbnail", "caption", "caption_entities", "disable_content_type_detection"},
    "editMessageReplyMarkup": frozenset(
        ["business_connection_id", "chat_id", "message_id", "inline_message_id", "reply_markup"]
    ),
    "answerCallbackQuery": frozenset(["callback_query_id", "text", "show_alert", "url", "cache_time"]),
    "setMyCommands": frozenset(["commands", "scope", "language_code"]),
    "deleteMessage": frozenset(["chat_id", "message_id"]),
    "leaveChat": frozenset(["chat_id"]),
}


@dataclass(frozen=True)
class TelegramOptions:
    token: str = "1000000000:standin-telegram-token"
    username: str = "plainbill_standin_bot"
    journal: Path | None = None
    retry_delays_s: tuple[float, ...] = (0.1, 0.3, 1.0)
    timeout_s: float = 15.0
    clock: Clock = time.time


#: What sending to a chat in these modes is answered with.
_REFUSALS: dict[str, tuple[int, str, Row | None]] = {
    "blocked": (403, "Forbidden: bot was blocked by the user", None),
    "deactivated": (403, "Forbidden: user is deactivated", None),
    "unknown": (400, "Bad Request: chat not found", None),
    "migrated": (400, "Bad Request: group chat was upgraded to a supergroup chat", {"migrate_to_chat_id": -1001}),
}


class Refusal(Exception):
    """An error of the Bot API: {"ok": false, "error_code", "description", "parameters"?}."""

    def __init__(self, code: int, description: str, parameters: Row | None = None) -> None:
        super().__init__(description)
        self.code = code
        self.body: Row = {"ok": False, "error_code": code, "description": description}
        if parameters:
            self.body["parameters"] = parameters


@dataclass
class Account:
    """Tables of the journal: "messages" ("chat:id"), "updates" (id), "queries", "chats", "settings", "deliveries"."""

    options: TelegramOptions
    journal: Journal
    courier: Courier
    faults: Faults = field(default_factory=Faults)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    outgoing: list[Row] = field(default_factory=list)

    def setting(self, name: str) -> Row:
        return self.journal.table("settings").get(name, {})

    def next_number(self, name: str) -> int:
        number = int(self.setting(name).get("last", 0)) + 1
        self.journal.put("settings", name, {"last": number})
        return number

    def flush(self) -> None:
        """Send what the line just written made due."""
        rows, self.outgoing = self.outgoing, []
        if rows:
            self.courier.dispatch_in_order(rows)
        self.arrived.set()


ACCOUNT: web.AppKey[Account] = web.AppKey("telegram_account", Account)


def bot_user(account: Account) -> Row:
    number = int(account.options.token.split(":", 1)[0])
    return {"id": number, "is_bot": True, "first_name": "Plainbill", "username": account.options.username}


def get_me(account: Account, params: Row) -> Any:
    can = {"can_join_groups": False, "can_read_all_group_messages": False, "supports_inline_queries": False}
    return {**bot_user(account), **can}


def set_webhook(account: Account, params: Row) -> Any:
    url = params.get("url", "")
    if url and not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
    secret = params.get("secret_token")
    if secret is not None and not _SECRET.fullmatch(str(secret)):
        raise Refusal(400, "Bad Request: secret token contains unallowed characters")
    _number(params, "max_connections", 40)
    if params.get("drop_pending_updates") == "true":
        _forget_updates(account)
    account.journal.put("settings", "webhook", {"url": url, "secret_token": secret,
                                                "allowed_updates": _structured(params, "allowed_updates")})
    if url:
        for update in account.journal.table("updates").values():
            post(account, update)
    return True


def delete_webhook(account: Account, params: Row) -> Any:
    if params.get("drop_pending_updates") == "true":
        _forget_updates(account)
    account.journal.put("settings", "webhook", {})
    return True


def get_webhook_info(account: Account, params: Row) -> Any:
    pending = len(account.journal.table("updates"))
    url = account.setting("webhook").get("url", "")
    return {"url": url, "has_custom_certificate": False, "pending_update_count": pending}


def take_updates(account: Account, params: Row) -> Any:
    """Updates from `offset` on; asking from an offset confirms, and so forgets, everything before it."""
    if account.setting("webhook").get("url"):
        raise Refusal(409, "Conflict: can't use getUpdates method while webhook is active")
    offset, limit = _number(params, "offset", 0), _number(params, "limit", 100)
    allowed = _structured(params, "allowed_updates")
    if allowed is not None:
        account.journal.put("settings", "allowed", {"allowed_updates": allowed})
    confirm(account, offset)
    return list(account.journal.table("updates").values())[:limit]


def confirm(account: Account, offset: int) -> None:
    """Forget every update before ``offset``."""
    for number in [int(key) for key in account.journal.table("updates")]:
        if number < offset:
            account.journal.remove("updates", str(number))


def send_message(account: Account, params: Row) -> Any:
    text = params.get("text", "")
    if not text:
        raise Refusal(400, "Bad Request: message text is empty")
    if len(text) > MAX_TEXT:
        raise Refusal(400, "Bad Request: message is too long")
    return _send(account, params, {"text": text})


def send_document(account: Account, params: Row) -> Any:
    """An upload is journalled by its name, size and digest; a string is a file_id or an address."""
    document = params.get("document")
    if not document:
        raise Refusal(400, "Bad Request: there is no document in the request")
    upload = document if isinstance(document, dict) else {"file_name": str(document), "file_size": 0}
    number = account.next_number("last_file")
    named = {"file_name": upload["file_name"], "file_size": upload["file_size"]}
    content: Row = {"document": {"file_id": f"file{number}", "file_unique_id": f"unique{number}", **named}}
    if len(params.get("caption", "")) > MAX_CAPTION:
        raise Refusal(400, "Bad Request: message caption is too long")
    if params.get("caption"):
        content["caption"] = params["caption"]
    return _send(account, params, content)


def _send(account: Account, params: Row, content: Row) -> Row:
    chat = str(params.get("chat_id", ""))
    if not chat.lstrip("-").isdigit():
        raise Refusal(400, "Bad Request: chat not found" if chat else "Bad Request: chat_id is empty")
    _check_chat(account, chat)
    _check_flags(params)
    message: Row = {
        "message_id": account.next_number("last_message"),
        "from": bot_user(account),
        "chat": chat_of(chat),
        "date": int(account.journal.clock()),
        **content,
    }
    markup = _structured(params, "reply_markup")
    if markup is not None and "inline_keyboard" in markup:
        _check_keyboard(markup["inline_keyboard"])
        message["reply_markup"] = markup
    account.journal.put("messages", f"{chat}:{message['message_id']}", message)
    return message


def _check_flags(params: Row) -> None:
    for name in ("protect_content", "disable_notification", "allow_paid_broadcast"):
        if name in params and params[name] not in _TRUTHS:
            raise Refusal(400, f"Bad Request: {name} must be a Boolean")
    preview = _structured(params, "link_preview_options")
    if preview is not None and not isinstance(preview, dict):
        raise Refusal(400, "Bad Request: can't parse link preview options")


def _check_keyboard(rows: Any) -> None:
    """Every button has words, and exactly one thing that it does."""
    for button in (button for row in rows for button in row):
        does = set(button) - {"text", "style", "icon_custom_emoji_id"}
        if not button.get("text") or len(does) != 1:
            raise Refusal(400, "Bad Request: can't parse inline keyboard button")
        if "callback_data" in does and not 1 <= len(str(button["callback_data"]).encode()) <= MAX_DATA:
            raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")


def _check_chat(account: Account, chat: str) -> None:
    state = account.journal.table("chats").get(chat, {})
    if state.get("mode") in _REFUSALS:
        raise Refusal(*_REFUSALS[state["mode"]])
    if state.get("mode") == "429" and state["times"] > 0:
        account.journal.put("chats", chat, {**state, "times": state["times"] - 1})
        seconds = state["retry_after"]
        raise Refusal(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def edit_message_reply_markup(account: Account, params: Row) -> Any:
    key = f"{params.get('chat_id')}:{params.get('message_id')}"
    message = account.journal.table("messages").get(key)
    if message is None:
        raise Refusal(400, "Bad Request: message to edit not found")
    markup = _structured(params, "reply_markup")
    if markup == message.get("reply_markup"):
        raise Refusal(400, "Bad Request: message is not modified")
    changed = {name: value for name, value in message.items() if name != "reply_markup"}
    changed["edit_date"] = int(account.journal.clock())
    if markup is not None:
        changed["reply_markup"] = markup
    account.journal.put("messages", key, changed)
    return changed


def answer_callback_query(account: Account, params: Row) -> Any:
    query = str(params.get("callback_query_id", ""))
    if query not in account.journal.table("queries"):
        raise Refusal(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
    account.journal.remove("queries", query)
    return True


def set_my_commands(account: Account, params: Row) -> Any:
    commands = _structured(params, "commands")
    if not isinstance(commands, list):
        raise Refusal(400, "Bad Request: can't parse commands: expected an Array")
    account.journal.put("settings", f"commands:{params.get('language_code', '')}", {"commands": commands})
    return True


def delete_message(account: Account, params: Row) -> Any:
    """Incoming and outgoing messages of private chats alike, for 48 hours."""
    key = f"{params.get('chat_id')}:{params.get('message_id')}"
    message = account.journal.table("messages").get(key)
    if message is None:
        raise Refusal(400, "Bad Request: message to delete not found")
    if account.journal.clock() - message["date"] > DELETABLE_S:
        raise Refusal(400, "Bad Request: message can't be deleted")
    account.journal.remove("messages", key)
    return True


def leave_chat(account: Account, params: Row) -> Any:
    account.journal.put("chats", str(params.get("chat_id", "")), {"mode": "left"})
    return True


ACTS: dict[str, Callable[[Account, Row], Any]] = {
    "getMe": get_me,
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getUpdates": take_updates,
    "sendMessage": send_message,
    "sendDocument": send_document,
    "editMessageReplyMarkup": edit_message_reply_markup,
    "answerCallbackQuery": answer_callback_query,
    "setMyCommands": set_my_commands,
    "deleteMessage": delete_message,
    "leaveChat": leave_chat,
}


def sign(account: Account, row: Row) -> Letter:
    """A webhook request, with the secret that setWebhook was given."""
    headers = {"Content-Type": "application/json"}
    secret = account.setting("webhook").get("secret_token")
    if secret:
        headers["X-Telegram-Bot-Api-Secret-Token"] = secret
    return Letter(row["url"], json.dumps(row["update"]).encode(), headers)


def hand_over(account: Account, row: Row) -> None:
    """The webhook took the update: it is no longer pending."""
    account.journal.remove("updates", str(row["update"]["update_id"]))


def post(account: Account, update: Row) -> None:
    row = {"id": f"dl_{update['update_id']}", "url": account.setting("webhook")["url"], "update": update}
    account.courier.enqueue(row)
    account.outgoing.append(row)


def _forget_updates(account: Account) -> None:
    for key in list(account.journal.table("updates")):
        account.journal.remove("updates", key)


def chat_of(chat: str) -> Row:
    return {"id": int(chat), "type": "private", "first_name": "Patient"}


def _number(params: Row, name: str, default: int) -> int:
    try:
        return int(params.get(name, default))
    except ValueError as error:
        raise Refusal(400, f"Bad Request: {name} must be an Integer") from error


def _structured(params: Row, name: str) -> Any:
    value = params.get(name)
    if not isinstance(value, str) or value == "":
        return value or None
    try:
        return json.loads(value)
    except ValueError as error:
        raise Refusal(400, f"Bad Request: can't parse {name}: object expected") from error
