"""SMS by Twilio: messages out by its REST interface, texts and delivery reports in by webhook."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.rest import Client

from bot.channels.base import Inbound, Lookup, Outbound, Receipt, SendError, Sent

#: What Twilio's error codes mean for us; a code that is not here falls to its HTTP status.
#: Codes of delivery (30003 ...) come in receipts, and some carriers give them at once.
ERROR_KINDS: Mapping[int, str] = {
    21610: "opted_out",  # the number sent STOP; Twilio refuses until it sends START
    21211: "unreachable",  # not a phone number
    21217: "unreachable",  # not a phone number, older code
    21265: "unreachable",  # a short code
    21614: "unreachable",  # not a mobile number
    30003: "unreachable",  # handset off or out of service
    30004: "unreachable",  # the handset or its carrier blocks us
    30005: "unreachable",  # unknown handset, number may be gone
    30006: "unreachable",  # landline or a carrier that takes no texts
    20429: "retry",  # too many requests
    14107: "retry",  # send rate limit of the sender
    20009: "retry",  # the message is still in progress (redaction)
    30001: "retry",  # Twilio's queue for the sender is full
    30022: "retry",  # carrier's rate for the campaign is used up
    20003: "configuration",  # wrong account or token
    20404: "configuration",  # no such account or resource
    21408: "configuration",  # region not enabled
    21602: "configuration",  # empty body: a fault of ours
    21603: "configuration",  # no sender
    21606: "configuration",  # sender is not a number that can text
    21609: "configuration",  # callback URL refused
    21617: "configuration",  # body too long: a fault of ours
    21659: "configuration",  # sender is not a Twilio number
    21660: "configuration",  # sender belongs to another account
    30002: "configuration",  # account suspended
    30007: "configuration",  # carrier filtered the words: no use repeating them, staff look
    30034: "configuration",  # number is in no registered campaign
}

#: Twilio's message statuses in our words; what is not here is still on its way.
STATUS = {"sent": "sent", "delivered": "delivered", "read": "delivered", "undelivered": "undelivered",
          "failed": "failed", "canceled": "failed"}

_TIMEOUT = aiohttp.ClientTimeout(total=20, connect=6)
_NEVER_SENT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
#: All that a call may raise: Twilio's own errors, the network's, and what reading a strange answer comes to.
_FAULTS = (TwilioException, aiohttp.ClientError, TimeoutError, OSError, ValueError, KeyError, TypeError,
           AttributeError)
_LOOK_UP_LIMIT = 200
_CLOCK_SKEW = timedelta(minutes=2)


class _TimedSession:
    """A client session made when first used, inside the running loop, with our time limits.

    The SDK's transport wants a running loop when it is made, and ignores the limit given to it.
    """

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def request(self, **kwargs: Any) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return await self._session.request(**{**kwargs, "timeout": _TIMEOUT})

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


class _Redirecting(AsyncTwilioHttpClient):  # type: ignore[misc]  # the SDK is untyped
    """Twilio's transport towards another base address, without its log lines: a look-up's query holds numbers."""

    def __init__(self, base_url: str) -> None:
        super().__init__(pool_connections=False)
        self.session = _TimedSession()
        self._base = urlsplit(base_url.rstrip("/"))

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        auth = kwargs.pop("auth", None)
        if auth is not None:  # as a header: the SDK's way of passing it is deprecated by aiohttp
            kwargs["headers"] = {**kwargs["headers"], "Authorization": aiohttp.encode_basic_auth(*auth)}
        return await super().request(method, self.redirect(url), *args, **kwargs)

    def redirect(self, url: str) -> str:
        asked = urlsplit(url)
        return urlunsplit((self._base.scheme, self._base.netloc, self._base.path + asked.path, asked.query, ""))

    def log_request(self, kwargs: Any) -> None:
        """Nothing: what would be written is PHI (T-39)."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Nothing: see log_request."""


@dataclass(frozen=True, slots=True, repr=False)
class TwilioAccount:
    account_sid: str
    auth_token: str
    base_url: str  # https://api.twilio.com, or any server that speaks the same
    public_url: str  # where Twilio reaches us


@dataclass(frozen=True, slots=True)
class PastText:
    """A text as Twilio remembers it; ``other`` is the patient's number."""

    provider_id: str
    inbound: bool
    ours: str
    other: str
    body: str
    at: datetime


class SmsChannel:
    """Texts by Twilio. One per event loop; close it."""

    name = "sms"

    def __init__(self, account: TwilioAccount) -> None:
        self._account = account
        self._http = _Redirecting(account.base_url)
        # A non-empty environment keeps TWILIO_EDGE and TWILIO_REGION of the shell from changing the host.
        self._client = Client(account.account_sid, account.auth_token, http_client=self._http, environment={"_": ""})

    async def send(self, message: Outbound) -> Sent:
        """Hand one text over. Twilio has no idempotency key: after "unknown" only a look-up may tell."""
        try:
            made = await self._client.messages.create_async(
                to=message.to, from_=message.sender, body=message.body,
                status_callback=status_callback(self._account.public_url, message.outbox_id),
            )
        except _FAULTS as error:
            raise to_send_error(error, writes=True) from None
        return Sent(str(made.sid))

    async def look_up(self, message: Outbound, sent_after: datetime) -> Lookup:
        """Ask for texts of the same sender, recipient and words since ``sent_after`` (two minutes of skew allowed)."""
        since = _on_their_clock(sent_after)
        try:
            found = await self._client.messages.list_async(
                to=message.to, from_=message.sender, date_sent_after=since.date(), limit=_LOOK_UP_LIMIT)
        except _FAULTS as error:
            raise to_send_error(error, writes=False) from None
        return Lookup(tuple(str(one.sid) for one in found if _is_same(one, message, since)))

    async def since(self, number: str, at: datetime) -> AsyncIterator[PastText]:
        """Every text to and from ``number`` since an instant, as Twilio lists them. Raises SendError."""
        begin = _on_their_clock(at)
        for ours, inbound in (("to", True), ("from_", False)):
            try:
                listed = await self._client.messages.stream_async(
                    **{ours: number}, date_sent_after=begin, page_size=200)
                async for one in listed:
                    yield PastText(str(one.sid), inbound, number, str(one.from_ if inbound else one.to),
                                   str(one.body or ""), one.date_sent or one.date_created or at)
            except _FAULTS as error:
                raise to_send_error(error, writes=False) from None

    async def redact(self, provider_id: str, address: str = "") -> None:
        """Empty a message's text at Twilio (T-52); "retry" while the message is still on its way."""
        try:
            await self._client.messages(provider_id).update_async(body="")
        except _FAULTS as error:
            raise to_send_error(error, writes=False) from None

    async def close(self) -> None:
        await self._http.close()


def status_callback(public_url: str, outbox_id: str) -> str:
    """Our id rides in the URL, so that a report settles a send whose answer was lost."""
    return f"{public_url.rstrip('/')}/hooks/twilio/status/{outbox_id}"


def _on_their_clock(sent_after: datetime) -> datetime:
    """A rehearsal's clock may be ahead of the real one, by which Twilio dates its messages."""
    now = datetime.now(UTC)
    return (sent_after if sent_after <= now else now - timedelta(days=1)).astimezone(UTC) - _CLOCK_SKEW


def _is_same(found: Any, message: Outbound, since: datetime) -> bool:
    made = found.date_created or found.date_sent
    outbound = str(found.direction or "outbound").startswith("outbound")
    return outbound and (made is None or made >= since) and _words(found.body) == _words(message.body)


def _words(body: str | None) -> str:
    return " ".join((body or "").split())


def to_send_error(error: Exception, *, writes: bool) -> SendError:
    """The verdict on a failed call. ``writes``: a lost answer may hide a message that was made."""
    if isinstance(error, TwilioRestException | TwilioServiceException):
        return _from_answer(int(error.status), error.code, writes)
    if isinstance(error, _NEVER_SENT):
        return SendError("retry", type(error).__name__)
    # The connection was lost, or the answer could not be read: the message may well exist.
    return SendError("unknown" if writes else "retry", type(error).__name__)


def _from_answer(status: int, code: object, writes: bool) -> SendError:
    number = int(code) if isinstance(code, int) or (isinstance(code, str) and code.isdigit()) else status
    kind = ERROR_KINDS.get(number)
    if kind is None and status == 429:
        kind = "retry"
    if kind is None and status >= 500:
        # A code of Twilio's own says that it failed to make the message; without one, something between us and
        # Twilio answered and nobody knows what became of the request.
        kind = "retry" if number != status or not writes else "unknown"
    return SendError(kind or "configuration", str(number), retry_after_seconds=5 if status == 429 else 0)


def receipt_kind(error_code: str) -> str:
    """The verdict on an error code that came in a delivery report; empty for none or an unknown one."""
    return ERROR_KINDS.get(int(error_code), "") if error_code.isdigit() else ""


def parse_inbound(params: Mapping[str, str]) -> Inbound:
    """A text from its webhook's form. Raises ValueError naming the parameter that is missing."""
    return Inbound(
        external_id=_need(params, "MessageSid", "SmsSid", "SmsMessageSid"), sender=_need(params, "From"),
        to=_need(params, "To"), body=params.get("Body", ""), media=_count(params.get("NumMedia", "0")),
        carrier_keyword=params.get("OptOutType", "").upper(),
    )


def parse_status(params: Mapping[str, str], outbox_id: str) -> Receipt:
    """A delivery report from its webhook's form. Raises ValueError naming the parameter that is missing."""
    sid = _need(params, "MessageSid", "SmsSid")
    given = _need(params, "MessageStatus", "SmsStatus").lower()
    return Receipt(external_id=f"{sid}:{given}", provider_id=sid, status=STATUS.get(given, "queued"),
                   error_code=params.get("ErrorCode", ""), outbox_id=outbox_id)


def _need(params: Mapping[str, str], *names: str) -> str:
    value = next((params[name] for name in names if params.get(name)), "")
    if not value:
        raise ValueError(f"the webhook's form has no {names[0]}")
    return value


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0
