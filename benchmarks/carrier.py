"""A carrier for the measurements: answers a POST of Twilio's kind after 100 ms, and keeps nothing."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast
from urllib.parse import parse_qs

import httptools
import uvloop

AFTER_SECONDS = 0.1
_numbers = itertools.count(1)


class _Carrier(asyncio.Protocol):
    """One connection. As lean as can be: its processor time is taken from whoever is measured."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._body = cast(asyncio.Transport, transport), b""
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        body, self._body = self._body, b""
        asyncio.get_running_loop().call_later(AFTER_SECONDS, self._answer, body)

    def _answer(self, body: bytes) -> None:
        asked = parse_qs(body.decode())
        made = json.dumps({
            "sid": f"SM{next(_numbers):032x}", "account_sid": "AC" + "0" * 32, "api_version": "2010-04-01",
            "body": asked["Body"][0], "to": asked["To"][0], "from": asked["From"][0], "status": "queued",
            "direction": "outbound-api", "num_segments": "2", "num_media": "0", "price": None, "price_unit": "USD",
            "date_created": "Tue, 03 Nov 2026 19:00:00 +0000", "date_updated": "Tue, 03 Nov 2026 19:00:00 +0000",
            "date_sent": None, "error_code": None, "error_message": None, "messaging_service_sid": None,
            "uri": "/", "subresource_uris": {}}).encode()
        if not self._transport.is_closing():
            self._transport.write(b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: "
                                  + str(len(made)).encode() + b"\r\n\r\n" + made)


@contextmanager
def serving() -> Iterator[str]:
    """The address of one, which is a process of its own."""
    with subprocess.Popen([sys.executable, "-m", "benchmarks.carrier"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(_Carrier, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
