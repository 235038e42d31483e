"""How often the random tests draw: CI a share of it, `make deep` all of it (hours; before a release, or after a change
to what they try). The draws are the same ones in every run, and CI's are the first of the others.
"""

from __future__ import annotations

import os

DEEP = os.environ.get("DEPTH") == "deep"


def draws(all_of_them: int, in_ci: int) -> int:
    """How many to take in this run."""
    return all_of_them if DEEP else in_ci
