"""What a monitoring system may count: numbers under fixed labels. No label ever holds anything about a patient.

Counters and times are of this process; what is waiting is read from the store when somebody asks (bot/web/metering.py).
Prometheus adds the processes up.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

REGISTRY = CollectorRegistry()

ACCEPTED = Counter("plainbill_accepted", "What arrived and was kept, by where it came from.", ["source"],
                   registry=REGISTRY)
REFUSED = Counter("plainbill_hooks_refused", "Webhooks that were not let in, by the status they were answered with.",
                  ["status"], registry=REGISTRY)
WORKED = Counter("plainbill_worked", "Inbox rows that were worked, by kind and outcome.", ["kind", "outcome"],
                 registry=REGISTRY)
WAITED = Histogram("plainbill_worked_after_seconds", "From arrival to the end of the work on it.",
                   buckets=(.05, .1, .25, .5, 1, 2.5, 5, 15, 60, 300), registry=REGISTRY)
SENT = Counter("plainbill_sends", "Messages taken to a provider, by channel and outcome.", ["channel", "outcome"],
               registry=REGISTRY)
SEND_SECONDS = Histogram("plainbill_send_seconds", "How long a provider took to answer.", ["channel"],
                         buckets=(.05, .1, .25, .5, 1, 2.5, 5, 15), registry=REGISTRY)
CALLED = Counter("plainbill_processor_calls", "Calls to the payment processor, by what and outcome.",
                 ["what", "outcome"], registry=REGISTRY)
FAILED = Counter("plainbill_job_failures", "Loops and jobs that met a fault, by name.", ["job"], registry=REGISTRY)

WAITING = Gauge("plainbill_waiting", "Rows that wait, by queue and state.", ["queue", "state"], registry=REGISTRY)
OLDEST = Gauge("plainbill_oldest_seconds", "Age of the oldest row that is due, by queue.", ["queue"],
               registry=REGISTRY)
SCHEDULED = Gauge("plainbill_scheduler", "1 while some process holds the scheduler's lease.", registry=REGISTRY)


def exposition() -> bytes:
    """Everything, in Prometheus' text format."""
    return generate_latest(REGISTRY)
