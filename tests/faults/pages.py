"""Which of our pages a browser shows."""

from __future__ import annotations

import re

from templates import plan_words, web


def page_name(body: str, location: str, stripe_url: str) -> str:
    """The name of a page of ours by its title; "stripe" for Stripe's own."""
    if location.startswith(stripe_url):
        return "stripe"
    shown = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.DOTALL)
    heading = shown[1].strip() if shown else ""
    for name, title in {**web.words("en"), **plan_words.words("en")}.items():
        if name.endswith("_title") and isinstance(title, str) and re.fullmatch(_pattern(title), heading):
            return name.removesuffix("_title")
    return f"other: {heading or location}"


def _pattern(title: str) -> str:
    return ".*".join(re.escape(part) for part in re.split(r"\{\w+\}", title))
