"""Kept for who still imports the threshold from here."""

from __future__ import annotations

from handlers.understanding.model.classify import KNOWN

__all__ = ["KNOWN"]
