"""django-hordak on PostgreSQL, in an environment of its own: ``python peer_hordak.py URL ENTRIES RUNS``, JSON out.

Its own way to post two legs is ``Account.transfer_to``; its database checks each transaction at the commit. An import
with it is many of those in one transaction: it has nothing that posts several at once.
"""

from __future__ import annotations

import json
import logging
import statistics
import sys
import time
from collections.abc import Callable
from urllib.parse import parse_qs, unquote, urlsplit

import django
from django.conf import settings

BATCH = 100


def main(url: str, entries: int, runs: int) -> None:
    configure(url)
    from django.core.management import call_command
    from django.db import transaction
    from hordak.models import Account
    from moneyed import Money

    call_command("migrate", verbosity=0)
    one, other = (Account.objects.create(name=name, type="AS", code=code, currencies=["USD"])
                  for name, code in (("Receivable", "1"), ("Clearing", "2")))
    amount = Money("12.34", "USD")

    def single() -> None:
        for _ in range(entries):
            with transaction.atomic():
                one.transfer_to(other, amount)

    def batches() -> None:
        for _ in range(0, entries, BATCH):
            with transaction.atomic():
                for _ in range(BATCH):
                    one.transfer_to(other, amount)

    single()  # warm
    print(json.dumps({"single": rate(single, entries, runs), "batch": rate(batches, entries, runs)}))


def configure(url: str) -> None:
    logging.disable(logging.WARNING)
    parts = urlsplit(url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    settings.configure(
        DEBUG=False, USE_TZ=True, DEFAULT_AUTO_FIELD="django.db.models.AutoField", SECRET_KEY="bench",
        DEFAULT_CURRENCY="USD", CURRENCIES=["USD"], HORDAK_CURRENCIES=["USD"], HORDAK_INTERNAL_CURRENCY="USD",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={"default": {
            "ENGINE": "django.db.backends.postgresql", "NAME": parts.path.lstrip("/"), "HOST": host,
            "USER": unquote(parts.username or ""), "PASSWORD": unquote(parts.password or ""),
            "PORT": str(parts.port or ""), "CONN_MAX_AGE": None}})
    django.setup()


def rate(act: Callable[[], None], entries: int, runs: int) -> float:
    rates = []
    for _ in range(runs):
        began = time.perf_counter()
        act()
        rates.append(entries / (time.perf_counter() - began))
    return statistics.median(rates)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
