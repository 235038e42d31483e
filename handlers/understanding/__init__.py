"""Text -> intent and slots. ``read`` is the one way in; what is behind it may change."""

from __future__ import annotations

from handlers.understanding.reader import prepare, read, to_json

__all__ = ["prepare", "read", "to_json"]
