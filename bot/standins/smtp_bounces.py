"""The report that comes back about an e-mail that was not delivered: RFC 3464, as a mail server would write it."""

from __future__ import annotations

from email import message_from_string
from email.message import EmailMessage, Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

from bot.standins.journal import Row


def report(row: Row, status: str, action: str = "failed") -> str:
    """``row`` of the table "messages"; ``action``: failed, delayed or delivered."""
    original = message_from_string(row["raw"])
    made = MIMEMultipart("report")
    made.set_param("report-type", "delivery-status")
    made["From"] = "MAILER-DAEMON@standin.example"
    made["To"] = row["from"]
    made["Subject"] = "Undelivered Mail Returned to Sender"
    made["Auto-Submitted"] = "auto-replied"
    made.attach(MIMEText("Your message could not be delivered."))
    made.attach(_status(row, status, action))
    headers = Message()
    headers["Content-Type"] = "text/rfc822-headers"
    headers.set_payload("".join(f"{name}: {value}\n" for name, value in original.items()))
    made.attach(headers)
    return made.as_string()


def _status(row: Row, status: str, action: str) -> Message:
    whole, one = EmailMessage(), EmailMessage()
    whole["Reporting-MTA"] = "dns; standin.example"
    if row["envelope"]:
        whole["Original-Envelope-Id"] = row["envelope"]
    one["Final-Recipient"] = f"rfc822; {row['to']}"
    one["Action"] = action
    one["Status"] = status
    part = Message()
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([whole, one])
    return part
