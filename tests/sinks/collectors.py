"""Stand-ins of collectors that hold every request against what their makers document, and refuse the rest."""

import base64
import json
import uuid
from typing import Any

import pytest

from tests.sinks.receivers import Reply, Request

pytest.importorskip("google.protobuf", reason="no protobuf here: install the development dependencies")

from google.protobuf import json_format  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

_HEC_KEYS = {"time", "host", "source", "sourcetype", "index", "event", "fields"}


class Splunk:
    """An HTTP Event Collector with one token and one index; `acks` makes it acknowledge, after so many questions."""

    def __init__(self, token: str, *, index: str = "main", acks: int | None = None) -> None:
        self.token, self.index, self.acks = token, index, acks
        self.events: list[dict[str, Any]] = []
        self.invalid: set[str] = set()
        self.busy = False
        self._asked = 0

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Splunk {self.token}":
            return _hec(403, 4, "Invalid token")
        channel = request.headers.get("x-splunk-request-channel")
        if self.acks is not None:
            if channel is None:
                return _hec(400, 10, "Data channel is missing")
            uuid.UUID(channel)
        if self.busy:
            return _hec(503, 9, "Server is busy")
        if request.path.startswith("/services/collector/ack"):
            assert request.path == f"/services/collector/ack?channel={channel}"
            self._asked += 1
            return Reply(
                body=json.dumps(
                    {"acks": {str(one): self._asked > (self.acks or 0) for one in request.json["acks"]}}
                ).encode()
            )
        assert request.path == "/services/collector/event"
        found: list[dict[str, Any]] = []
        for number, one in enumerate(_concatenated(request.body.decode())):
            if not set(one) <= _HEC_KEYS or "event" not in one or one["fields"]["event_id"] in self.invalid:
                return _hec(400, 6, "Invalid data format", **{"invalid-event-number": number})
            if one.get("index", "main") != self.index:
                return _hec(400, 7, "Incorrect index", **{"invalid-event-number": number})
            assert isinstance(one["time"], int | float)
            assert all(isinstance(value, str) for value in one["fields"].values())
            found.append(one)
        self.events += found
        return _hec(200, 0, "Success", **({} if self.acks is None else {"ackId": 7}))


def _hec(status: int, code: int, text: str, **more: Any) -> Reply:
    return Reply(status, json.dumps({"text": text, "code": code, **more}).encode())


def _concatenated(text: str) -> list[dict[str, Any]]:
    found, place, decoder = [], 0, json.JSONDecoder()
    while place < len(text):
        one, place = decoder.raw_decode(text, place)
        found.append(one)
        while place < len(text) and text[place].isspace():
            place += 1
    return found


class Elastic:
    """A data stream: `create` only, documents by their ids, and an answer for each."""

    def __init__(self, authorization: str | None = None) -> None:
        self.authorization = authorization
        self.documents: dict[str, dict[str, Any]] = {}
        self.conflicts = 0
        self.bad: dict[str, int] = {}
        self.most = 1_000_000

    def __call__(self, request: Request) -> Reply:
        if self.authorization and request.headers.get("authorization") != self.authorization:
            return Reply(401, b'{"error":{"type":"security_exception"},"status":401}')
        assert request.path.split("?")[0] == "/_bulk"
        assert request.headers["content-type"] == "application/x-ndjson"
        assert request.body.endswith(b"\n")
        if len(request.body) > self.most:
            return Reply(413, b"")
        lines = [json.loads(line) for line in request.body.decode().splitlines()]
        items = [self._create(*pair) for pair in zip(lines[::2], lines[1::2], strict=True)]
        return Reply(body=json.dumps({"items": items}).encode())

    def _create(self, action: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
        (create,) = action.values()
        assert list(action) == ["create"]
        assert create["_index"] == "sparkctl"
        assert document["@timestamp"].endswith("Z")
        status, error = 201, None
        if create["_id"] in self.bad:
            status, error = self.bad[create["_id"]], {"type": "mapper_parsing_exception", "reason": "it does not fit"}
        elif create["_id"] in self.documents:
            status, error = 409, {"type": "version_conflict_engine_exception", "reason": "document already exists"}
            self.conflicts += 1
        else:
            self.documents[create["_id"]] = document
        return {"create": {"status": status, **({"error": error} if error else {})}}


class Otlp:
    """A collector of logs that parses with the published protobuf messages; `bad` records are rejected, unnamed."""

    def __init__(self) -> None:
        self.records: list[Any] = []
        self.bad: set[str] = set()
        self.requests: list[Any] = []

    def __call__(self, request: Request) -> Reply:
        assert request.path == "/v1/logs"
        assert request.headers["content-type"] == "application/json"
        assert "content-encoding" not in request.headers
        parsed = json_format.Parse(request.body, ExportLogsServiceRequest(), ignore_unknown_fields=False)
        self.requests.append(parsed)
        records = [
            record for resource in parsed.resource_logs for scope in resource.scope_logs for record in scope.log_records
        ]
        good = [record for record in records if attribute(record, "sparkctl.event_id") not in self.bad]
        self.records += good
        if len(good) == len(records):
            return Reply(body=b"{}")
        rejected = {"rejectedLogRecords": str(len(records) - len(good)), "errorMessage": "some are bad"}
        return Reply(body=json.dumps({"partialSuccess": rejected}).encode())


def attribute(record: Any, key: str) -> str | None:
    """A text among the attributes of a log record."""
    return next((one.value.string_value for one in record.attributes if one.key == key), None)


def basic(user: str, password: str) -> str:
    """The header for a user with a password."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
