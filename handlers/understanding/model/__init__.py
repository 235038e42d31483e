"""The small local model that chooses an intent; never a slot, never an amount, never anything that code decides."""

from __future__ import annotations
