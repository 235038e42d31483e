"""What becomes of an accepted message, and the signed callbacks that tell."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from urllib.parse import urlencode
from uuid import uuid4

from bot.standins.courier import Letter
from bot.standins.journal import Row
from bot.standins.twilio_account import API_VERSION, FINAL, Account, rfc2822

_HASHES = {"HMAC_SHA1": hashlib.sha1, "HMAC_SHA256": hashlib.sha256}
ERROR_MESSAGES = {
    30003: "Unreachable destination handset",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
}


async def live(account: Account, sid: str) -> None:
    """Take a message through the statuses it has still to pass, one callback each."""
    told: list[Row] = []
    while (row := account.journal.table("messages").get(sid)) is not None and row["todo"]:
        await asyncio.sleep(account.delay_ms / 1000)
        callback = advance(account, sid, row)
        if callback is not None:
            told.append(callback)
        if not account.reorder and told:
            account.courier.dispatch(told.pop())
    if told:
        account.courier.dispatch_in_order(reversed(told))


def advance(account: Account, sid: str, row: Row) -> Row | None:
    """One status further, journalled together with the callback that announces it. Returns the callback, if any."""
    status, *rest = row["todo"]
    instant = account.journal.clock()
    resource = {**row["resource"], "status": status, "date_updated": rfc2822(instant)}
    changed = {**row, "resource": resource, "todo": rest}
    if status == "sent":
        resource["date_sent"] = rfc2822(instant)
        changed["sent_at"] = instant
    if status in FINAL and row["error"]:
        resource["error_code"] = row["error"]
        resource["error_message"] = ERROR_MESSAGES[row["error"]]
    account.journal.put("messages", sid, changed)
    callback = status_callback(account, changed)
    if callback is not None:
        account.courier.enqueue(callback)
    account.journal.write("status", sid=sid, status=status, error_code=resource["error_code"])
    return callback


def status_callback(account: Account, row: Row) -> Row | None:
    if not row["callback"]:
        return None
    resource = row["resource"]
    params = {
        "AccountSid": account.options.account_sid,
        "ApiVersion": API_VERSION,
        "From": resource["from"],
        "MessageSid": resource["sid"],
        "MessageStatus": resource["status"],
        "SmsSid": resource["sid"],
        "SmsStatus": resource["status"],
        "To": resource["to"],
    }
    if resource["error_code"]:
        params["ErrorCode"] = str(resource["error_code"])
    if resource["messaging_service_sid"]:
        params["MessagingServiceSid"] = resource["messaging_service_sid"]
    return {"id": "dl_" + uuid4().hex, "url": row["callback"], "about": "status", "params": params}


def sign(account: Account, row: Row) -> Letter:
    """Form-encoded and signed in the next of the account's signature forms."""
    options = account.options
    algorithm = options.signature_forms[account.signed % len(options.signature_forms)]
    account.signed += 1
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "I-Twilio-Idempotency-Token": str(row["id"]),
    }
    secret = options.auth_token
    if algorithm == "HMAC_SHA256":
        secret = options.shared_key_secret
        headers["X-Twilio-Webhooks-Signature-Settings"] = f"key={options.shared_key_id},algorithm={algorithm}"
    headers["X-Twilio-Signature"] = signature(row["url"], row["params"], secret, algorithm)
    return Letter(row["url"], urlencode(row["params"]).encode(), headers)


def signature(url: str, params: dict[str, str], secret: str, algorithm: str) -> str:
    """Base64 of the HMAC over the URL followed by every parameter's name and value, sorted by name."""
    text = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), _HASHES[algorithm]).digest()).decode()
