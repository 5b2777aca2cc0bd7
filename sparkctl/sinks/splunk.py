"""Splunk's HTTP Event Collector: events in batches, with acknowledgement that they were indexed where that is on.

Answers: https://docs.splunk.com/Documentation/Splunk/latest/Data/TroubleshootHTTPEventCollector
"""

import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from sparkctl.model.sink import Answer, Parcel, Result, SinkSettings
from sparkctl.sinks.halves import BatchRefused, send_in_parts
from sparkctl.sinks.http import HttpClient, Response
from sparkctl.sinks.seam import SinkTrouble, accepted, failed

EVENT_PATH = "/services/collector/event"
ACK_PATH = "/services/collector/ack"
_INVALID = "invalid-event-number"
_POLL_S = 0.25
_ABOUT_US = frozenset({1, 2, 3, 4, 7, 10, 11, 14})
"""Codes that are about token, index or channel, which a later try may find put right."""


class SplunkSink:
    """Batches of events for an index."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._client = HttpClient(settings)
        self._base = settings.address.path.rstrip("/")
        self._channel = str(uuid.uuid4())

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send a batch; an event that is not valid is taken out of it."""
        return send_in_parts(batch, lambda part: self._send(part, until))

    def _send(self, part: Sequence[Parcel], until: float) -> list[Result]:
        body = "\n".join(json.dumps(self._event(parcel), ensure_ascii=False) for parcel in part).encode()
        response = self._client.post(self._base + EVENT_PATH, body, self._headers(), until)
        said = _said(response)
        code, number = said.get("code"), said.get(_INVALID)
        if response.good:
            if self._settings.ack:
                self._await(said.get("ackId"), until)
            return [accepted(response.words)] * len(part)
        response.require_up()
        if code in _ABOUT_US:
            raise SinkTrouble(response.words)
        if response.status not in (400, 413):
            return [failed(response.words)] * len(part)
        meant = number if type(number) is int and 0 <= number < len(part) else None
        raise BatchRefused(response.words, meant)

    def _event(self, parcel: Parcel) -> dict[str, Any]:
        told = parcel.told
        event = {
            "time": round(told.at.timestamp(), 3),
            "host": told.node_id or "sparkctl",
            "source": "sparkctl",
            "sourcetype": f"sparkctl:{self._settings.format}",
            "event": json.loads(parcel.payload),
            "fields": {"event_id": told.event_id, "kind": told.kind, "severity": told.severity},
        }
        return event | ({"index": self._settings.index} if self._settings.index else {})

    def _headers(self) -> dict[str, str]:
        secret = self._client.secret()
        token = {"Authorization": f"Splunk {secret.header()}"} if secret else {}
        channel = {"X-Splunk-Request-Channel": self._channel} if self._settings.ack else {}
        return {"Content-Type": "application/json", **token, **channel}

    def _await(self, ack: object, until: float) -> None:
        """Wait until a batch is indexed; raises SinkTrouble when that is not said in time."""
        if type(ack) is not int:
            raise SinkTrouble("the token does not acknowledge: turn acknowledgement on for it, or `ack` off here")
        give_up = min(until, time.monotonic() + self._settings.timeout_s)
        while time.monotonic() < give_up:
            body = json.dumps({"acks": [ack]}).encode()
            response = self._client.post(
                f"{self._base}{ACK_PATH}?channel={self._channel}", body, self._headers(), until
            )
            response.require_up()
            acks = _said(response).get("acks")
            if isinstance(acks, dict) and acks.get(str(ack)) is True:
                return
            time.sleep(_POLL_S)
        raise SinkTrouble("the events were taken, but not acknowledged as indexed in time")

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _said(response: Response) -> dict[str, Any]:
    try:
        said = response.document
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
