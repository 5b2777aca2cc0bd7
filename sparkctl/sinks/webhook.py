"""An HTTPS address that takes one signed event after another.

The signature is HMAC-SHA256 over `TIMESTAMP.BODY`; the key of the event is in `Idempotency-Key`.
"""

import hashlib
import hmac
import time
from collections.abc import Sequence

from sparkctl.model.sink import Answer, Down, Parcel, Result, SinkSettings
from sparkctl.sinks.http import HttpClient, Response
from sparkctl.sinks.seam import SinkTrouble, accepted, failed, refused

REFUSALS = frozenset({400, 406, 409, 410, 411, 413, 414, 415, 422, 431})
"""Answers about the event itself, which would be the same another time."""

_ENOUGH = 3  # failures of one event after another, after which it is not the events


class WebhookSink:
    """One POST for each event."""

    def __init__(self, settings: SinkSettings) -> None:
        self._path = settings.address.path
        self._client = HttpClient(settings)

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send each event by itself, in order."""
        results: list[Result] = []
        bad = 0
        for parcel in batch:
            try:
                response = self._post(parcel, until)
                response.require_up()
            except SinkTrouble as trouble:
                return Answer(results, trouble.down, 1)
            results.append(_result(response))
            bad = bad + 1 if response.status >= 500 else 0
            if bad == _ENOUGH and len(batch) > bad:
                return Answer(results, Down(response.words, response.retry_after_s), 0)
        return Answer(results)

    def _post(self, parcel: Parcel, until: float) -> Response:
        secret = self._client.secret()
        body, stamp = parcel.payload.encode(), str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": parcel.told.event_id,
            "X-Sparkctl-Timestamp": stamp,
        }
        if secret is not None:
            headers["X-Sparkctl-Signature"] = f"sha256={signature(secret.reveal(), stamp, body)}"
        return self._client.post(self._path, body, headers, until)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def signature(key: bytes, stamp: str, body: bytes) -> str:
    """What a receiver computes for itself: HMAC-SHA256, in hexadecimal."""
    return hmac.new(key, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _result(response: Response) -> Result:
    if response.good:
        return accepted(response.words)
    return refused(response.words) if response.status in REFUSALS else failed(response.words)
