"""Debian's Chromium for the browser tests: found, or installed where that may be done.

``python -m tests.browser.chromium`` is what ``make test-browser`` calls first. It ends with an error that says
"chromium" where the browser is neither there nor to be had.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
#: No sandbox, because root may not have one; nothing that calls home.
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-pings", "--font-render-hinting=none",
           "--disable-lcd-text")
_INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "chromium", "fonts-dejavu-core")


class NoChromium(Exception):
    """There is no Chromium here and it cannot be installed."""


def find() -> Path | None:
    """The browser that ``PLAINBILL_TEST_CHROMIUM`` names, or the first on the path."""
    named = os.environ.get("PLAINBILL_TEST_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found else None


def ensure() -> Path:
    """Return the browser, installing Debian's package if need be. Raises NoChromium."""
    if (found := find()) is not None:
        return found
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise NoChromium("chromium is not installed, and only root on Debian can install it: apt-get install chromium")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (("apt-get", "update"), _INSTALL):
        subprocess.run(command, env=environment, check=False)
    if (found := find()) is None:
        raise NoChromium("chromium could not be installed: see what apt-get said above")
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser with a profile of its own. Raises NoChromium."""
    found = find()
    if found is None:
        raise NoChromium("chromium is not installed: make test-browser installs it where it can")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, headless=True, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"chromium: {ensure()}\n")
    except NoChromium as missing:
        sys.exit(f"test-browser needs chromium: {missing}")
