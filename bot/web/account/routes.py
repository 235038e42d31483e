"""The addresses of the account's pages. All of them stand behind the same door; none is shown before it opened."""

from __future__ import annotations

from bot.web import doors
from bot.web.account import assistance, dispute, home, offers, onward, preferences, receipts, sending, why
from bot.web.routes import Route

ROUTES: tuple[Route, ...] = (
    Route("GET", "/l/{token}/account", "link", home.show),
    Route("GET", "/l/{token}/why", "link", why.show),
    Route("GET", "/l/{token}/plans", "link", offers.show),
    Route("POST", "/l/{token}/plans", "link", offers.press),
    Route("GET", "/l/{token}/receipts", "link", receipts.show),
    Route("GET", "/l/{token}/receipts/{number}", "link", receipts.one),
    Route("GET", "/l/{token}/receipts/{number}/pdf", "link", receipts.pdf),
    Route("GET", "/l/{token}/dispute", "link", dispute.show),
    Route("POST", "/l/{token}/dispute", "link", dispute.press),
    Route("POST", "/l/{token}/dispute/files", "link", sending.dispute_files),
    Route("GET", "/l/{token}/dispute/files", "link", dispute.show),
    Route("GET", "/l/{token}/assistance", "link", assistance.show),
    Route("POST", "/l/{token}/assistance", "link", assistance.press),
    Route("POST", "/l/{token}/assistance/files", "link", assistance.files),
    Route("GET", "/l/{token}/assistance/files", "link", assistance.show),
    Route("GET", "/l/{token}/insurance", "link", sending.show),
    Route("POST", "/l/{token}/insurance", "link", sending.press),
    Route("GET", "/l/{token}/preferences", "link", preferences.show),
    Route("POST", "/l/{token}/preferences", "link", preferences.press),
    Route("POST", "/l/{token}/go", "link", onward.press),
    Route("GET", "/l/{token}/go", "link", doors.home),
)
