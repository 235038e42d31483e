"""How often some random tests draw: CI a share of it, `make deep` all of it (before a release, or after a change to
what they try). What an issue gives a number for is drawn whole in CI. The same draws in every run, CI's the first.
"""

from __future__ import annotations

import os


def draws(all_of_them: int, in_ci: int) -> int:
    """How many to take in this run."""
    return all_of_them if os.environ.get("DEPTH") == "deep" else in_ci
