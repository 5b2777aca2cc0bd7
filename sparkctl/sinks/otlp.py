"""OpenTelemetry: log records over OTLP/HTTP, as JSON.

https://opentelemetry.io/docs/specs/otlp/#otlphttp and the JSON form of its protobuf messages: 64-bit numbers are
texts, enumerations are numbers.
"""

import json
import time
from collections.abc import Sequence
from typing import Any

from sparkctl import __version__
from sparkctl.model.event import EventSeverity, Told
from sparkctl.model.sink import Answer, Parcel, Result, SinkSettings
from sparkctl.sinks.halves import BatchRefused, send_in_parts
from sparkctl.sinks.http import HttpClient, Response
from sparkctl.sinks.seam import accepted, failed

PATH = "/v1/logs"
SEVERITY_NUMBERS = {
    EventSeverity.INFO: 9,
    EventSeverity.WARNING: 13,
    EventSeverity.ERROR: 17,
    EventSeverity.CRITICAL: 21,
}


class OtlpSink:
    """Batches of log records for a collector."""

    def __init__(self, settings: SinkSettings) -> None:
        self._client = HttpClient(settings)
        path = settings.address.path.rstrip("/")
        self._path = path if path.endswith(PATH) else path + PATH

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send a batch. Of one that is rejected in part nobody is told which part: it is sent again in pieces."""
        return send_in_parts(batch, lambda part: self._send(part, until))

    def _send(self, part: Sequence[Parcel], until: float) -> list[Result]:
        secret = self._client.secret()
        token = {"Authorization": f"Bearer {secret.header()}"} if secret else {}
        body = json.dumps(export_request(part), ensure_ascii=False).encode()
        response = self._client.post(self._path, body, {"Content-Type": "application/json", **token}, until)
        response.require_up()
        if response.status in (400, 413, 422):
            raise BatchRefused(response.words)
        if not response.good:
            return [failed(response.words)] * len(part)
        if (why := _rejected(response)) is not None:
            raise BatchRefused(self._client.hide(why))
        return [accepted(response.words)] * len(part)

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def export_request(part: Sequence[Parcel]) -> dict[str, Any]:
    """An ExportLogsServiceRequest."""
    records = [_log_record(parcel) for parcel in part]
    scope = {"name": "sparkctl", "version": __version__}
    resource = {"attributes": [_attribute("service.name", "sparkctl")]}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": scope, "logRecords": records}]}]}


def _log_record(parcel: Parcel) -> dict[str, Any]:
    told = parcel.told
    return {
        "timeUnixNano": _nanoseconds(told),
        "observedTimeUnixNano": str(time.time_ns()),
        "severityNumber": SEVERITY_NUMBERS[told.severity],
        "severityText": told.severity.upper(),
        "eventName": f"sparkctl.{told.kind}",
        "body": {"stringValue": told.summary},
        "attributes": [
            _attribute("sparkctl.event_id", told.event_id),
            _attribute("sparkctl.body_schema", told.body_schema),
            _attribute("sparkctl.payload", parcel.payload),
            {"key": "sparkctl.simulated", "value": {"boolValue": told.simulated}},
            *([_attribute("host.name", told.node_id)] if told.node_id else []),
        ],
    }


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}


def _nanoseconds(told: Told) -> str:
    # Whole microseconds; a double could not hold them as nanoseconds.
    return str((int(told.at.timestamp()) * 1_000_000 + told.at.microsecond) * 1000)


def _rejected(response: Response) -> str | None:
    """Why records were rejected, None when none were; a warning without rejected records is none."""
    try:
        said = response.document if response.body else {}
        partial = said.get("partialSuccess") or {}
        count = int(partial.get("rejectedLogRecords") or 0)
    except (ValueError, TypeError, AttributeError, OverflowError):
        return None
    return f"{count} rejected: {partial.get('errorMessage') or 'it is not said why'}" if count > 0 else None
