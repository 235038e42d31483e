"""The Message resource: create, fetch, list, redact, delete. Acts are synchronous: one act, one journal line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid4

from bot.standins.journal import Row
from bot.standins.twilio_account import (
    API_VERSION,
    FINAL,
    Account,
    Answer,
    Asked,
    Refusal,
    check_known,
    is_e164,
    rfc2822,
)
from bot.standins.twilio_life import live
from bot.standins.twilio_segments import count_segments

CREATE = frozenset(
    [
        "To",
        "From",
        "MessagingServiceSid",
        "FallbackFrom",
        "Body",
        "MediaUrl",
        "ContentSid",
        "ContentVariables",
        "StatusCallback",
        "ApplicationSid",
        "MaxPrice",
        "ProvideFeedback",
        "Attempt",
        "ValidityPeriod",
        "ForceDelivery",
        "ContentRetention",
        "AddressRetention",
        "SmartEncoded",
        "PersistentAction",
        "TrafficType",
        "ShortenUrls",
        "ScheduleType",
        "SendAt",
        "SendAsMms",
        "MessageIntent",
        "RiskCheck",
    ]
)
LIST = frozenset(["To", "From", "DateSent", "DateSent<", "DateSent>", "Page", "PageSize", "PageToken"])
UPDATE = frozenset({"Body", "Status"})
MAX_BODY = 1600
INVALID_ENDING = "0001"
FATES = {"0004": 30003, "0005": 30005, "0006": 30006, "0007": 30007}


def create_message(account: Account, asked: Asked) -> Answer:
    """POST Messages.json. There is no idempotency key, as at Twilio: asked twice, sent twice."""
    params = asked.params
    check_known(params, CREATE)
    to = _destination(params)
    sender, service = _sender(account, params, to)
    if f"{to}|{sender}" in account.journal.table("opt_outs"):
        raise Refusal(400, 21610, "Attempt to send to unsubscribed recipient")
    body = _body(params)
    _check_options(params)
    sid = add_message(account, to, sender, body, "outbound-api", "accepted" if service else "queued")
    row = account.journal.table("messages")[sid]
    row["resource"]["messaging_service_sid"] = service
    row["callback"] = params.get("StatusCallback") or None
    row["error"] = FATES.get(to[-4:])
    row["todo"] = ["sent", "undelivered" if row["error"] else "delivered"]
    account.journal.put("messages", sid, row)
    # A messaging service picks its sender after the answer.
    shown = {**row["resource"], "from": None, "num_segments": "0"} if service else dict(row["resource"])
    return Answer(201, shown, then=lambda: account.run(live(account, sid)))


def add_message(account: Account, to: str, sender: str, body: str, direction: str, status: str) -> str:
    """Put a new message in the journal's pending changes and return its SID."""
    sid = "SM" + uuid4().hex
    instant = account.journal.clock()
    uri = f"/{API_VERSION}/Accounts/{account.options.account_sid}/Messages/{sid}"
    resource: Row = {
        "account_sid": account.options.account_sid,
        "api_version": API_VERSION,
        "body": body,
        "date_created": rfc2822(instant),
        "date_sent": rfc2822(instant) if status in FINAL else None,
        "date_updated": rfc2822(instant),
        "direction": direction,
        "error_code": None,
        "error_message": None,
        "from": sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(count_segments(body)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": to,
        "uri": f"{uri}.json",
    }
    row: Row = {"resource": resource, "at": instant, "sent_at": None, "callback": None, "todo": [], "error": None}
    account.journal.put("messages", sid, row)
    return sid


def _destination(params: Row) -> str:
    to = str(params.get("To", ""))
    if not to:
        raise Refusal(400, 21604, "A 'To' phone number is required.")
    if not is_e164(to) or to.endswith(INVALID_ENDING):
        raise Refusal(400, 21211, f"Invalid 'To' Phone Number: {to[:2]}XXXX")
    return to


def _sender(account: Account, params: Row, to: str) -> tuple[str, str | None]:
    """(number, messaging service SID or None)."""
    sender, service = str(params.get("From", "")), str(params.get("MessagingServiceSid", ""))
    services = account.options.messaging_services
    if service and not sender:
        if service not in services:
            raise Refusal(404, 21701, "The Messaging Service does not exist")
        return services[service], service
    if not sender:
        raise Refusal(400, 21603, "A 'From' phone number is required.")
    if sender == to:
        raise Refusal(400, 21266, "'To' and 'From' number cannot be the same")
    if not is_e164(sender):
        raise Refusal(400, 21606, f"The 'From' phone number {sender} is not a valid, message-capable Twilio number")
    if account.options.numbers and sender not in account.options.numbers:
        raise Refusal(400, 21660, "Mismatch between the 'From' number and the account")
    return sender, service or None


def _body(params: Row) -> str:
    body = str(params.get("Body", ""))
    if not body and not params.get("MediaUrl") and not params.get("ContentSid"):
        raise Refusal(400, 21602, "Message body is required.")
    if len(body) > MAX_BODY:
        raise Refusal(400, 21617, "The concatenated message body exceeds the 1600 character limit")
    return body


def _check_options(params: Row) -> None:
    callback = str(params.get("StatusCallback", ""))
    if callback and not callback.startswith(("http://", "https://")):
        raise Refusal(400, 21609, "The 'StatusCallback' URL is not a valid URL.")
    period = str(params.get("ValidityPeriod", "1"))
    if not period.isdigit() or not 1 <= int(period) <= 36_000:
        raise Refusal(400, 21621, "The 'ValidityPeriod' must be between 1 and 36000 seconds")
    if params.get("SendAt") or params.get("ScheduleType"):
        raise Refusal(400, 35118, "This stand-in does not schedule messages; Plainbill keeps its own times")


def fetch_message(account: Account, asked: Asked) -> Answer:
    check_known(asked.params, frozenset())
    return Answer(200, _row(account, asked)["resource"])


def update_message(account: Account, asked: Asked) -> Answer:
    """Body="" redacts; Status=canceled is for scheduled messages, of which there are none here."""
    check_known(asked.params, UPDATE)
    row = _row(account, asked)
    if "Status" in asked.params:
        raise Refusal(400, 30409, "Message cannot be canceled: it is not scheduled")
    if asked.params.get("Body") != "":
        raise Refusal(400, 20001, "Body must be an empty string: a message can be redacted, not rewritten")
    _check_settled(row, "redact")
    row["resource"] = {**row["resource"], "body": "", "date_updated": rfc2822(account.journal.clock())}
    account.journal.put("messages", asked.sid, row)
    return Answer(200, row["resource"])


def delete_message(account: Account, asked: Asked) -> Answer:
    check_known(asked.params, frozenset())
    _check_settled(_row(account, asked), "delete")
    account.journal.remove("messages", asked.sid)
    return Answer(204, None)


def _row(account: Account, asked: Asked) -> Row:
    row = account.journal.table("messages").get(asked.sid)
    if row is None:
        raise Refusal(404, 20404, f"The requested resource {asked.path} was not found")
    return row


def _check_settled(row: Row, verb: str) -> None:
    if row["resource"]["status"] not in FINAL:
        raise Refusal(409, 20009, f"Cannot {verb} this Message: it is still in progress")


def list_messages(account: Account, asked: Asked) -> Answer:
    """GET Messages.json, newest first. A message not sent yet is listed under the day it was created."""
    check_known(asked.params, LIST)
    found = [row for row in account.journal.table("messages").values() if _matches(row, asked.params)]
    found.reverse()
    size, page = _number(asked.params, "PageSize", 50), _number(asked.params, "Page", 0)
    if not 1 <= size <= 1000:
        raise Refusal(400, 20006, "PageSize must be between 1 and 1000")
    first = size * page
    here = found[first : first + size]
    more = len(found) > first + size
    return Answer(
        200,
        {
            "messages": [row["resource"] for row in here],
            "page": page,
            "page_size": size,
            "start": first,
            "end": first + max(len(here) - 1, 0),
            "uri": _page_uri(asked, page),
            "first_page_uri": _page_uri(asked, 0),
            "next_page_uri": _page_uri(asked, page + 1) if more else None,
            "previous_page_uri": _page_uri(asked, page - 1) if page else None,
        },
    )


def _page_uri(asked: Asked, page: int) -> str:
    kept = {key: value for key, value in asked.params.items() if key not in ("Page", "PageToken")}
    return f"{asked.path}?{urlencode({**kept, 'Page': page})}"


def _number(params: Row, name: str, default: int) -> int:
    text = str(params.get(name, default))
    if not text.isdigit():
        raise Refusal(400, 20001, f"{name} must be a whole number")
    return int(text)


def _matches(row: Row, params: Row) -> bool:
    resource = row["resource"]
    if "To" in params and resource["to"] != params["To"]:
        return False
    if "From" in params and resource["from"] != params["From"]:
        return False
    return _in_time(datetime.fromtimestamp(row["sent_at"] or row["at"], UTC), params)


def _in_time(sent: datetime, params: Row) -> bool:
    """DateSent is a day in GMT; DateSent> and DateSent< take a day or an instant, both inclusive.

    Instants compare in whole seconds, as the resource's own timestamps are written.
    """
    sent = sent.replace(microsecond=0)
    if "DateSent" in params and _day(params, "DateSent").date() != sent.date():
        return False
    if "DateSent>" in params and sent < _day(params, "DateSent>"):
        return False
    if "DateSent<" in params:
        until = _day(params, "DateSent<")
        whole_day = len(str(params["DateSent<"])) == len("2026-11-03")
        return sent <= (until + timedelta(days=1, seconds=-1) if whole_day else until)
    return True


def _day(params: Row, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(params[name]))
    except ValueError as error:
        raise Refusal(400, 20001, f"{name} must be YYYY-MM-DD or YYYY-MM-DDThh:mm:ssZ") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
