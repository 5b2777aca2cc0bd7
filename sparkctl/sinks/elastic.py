"""Elasticsearch or OpenSearch: the bulk interface, with the key of the event as the id of the document.

https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

from sparkctl.model.event import moment
from sparkctl.model.sink import Answer, Parcel, Result, SinkSettings
from sparkctl.sinks.halves import BatchRefused, send_in_parts
from sparkctl.sinks.http import DOWN, HttpClient, Response
from sparkctl.sinks.seam import SinkTrouble, accepted, failed, refused

# Only what is read of the answer.
_BULK = "/_bulk?filter_path=items.*.status,items.*.error.type,items.*.error.reason"
_IS_THERE = 409  # a document of this id: the event was told before


class ElasticSink:
    """Batches of documents for an index or a data stream."""

    def __init__(self, settings: SinkSettings) -> None:
        self._settings = settings
        self._client = HttpClient(settings)
        self._path = settings.address.path.rstrip("/") + _BULK

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Send a batch; each event has a result of its own."""
        return send_in_parts(batch, lambda part: self._send(part, until))

    def _send(self, part: Sequence[Parcel], until: float) -> list[Result]:
        lines = [line for parcel in part for line in self._lines(parcel)]
        headers = {"Content-Type": "application/x-ndjson", **self._authorization()}
        response = self._client.post(self._path, "".join(lines).encode(), headers, until)
        response.require_up()
        if response.status in (400, 413):
            raise BatchRefused(response.words)
        if not response.good:
            return [failed(response.words)] * len(part)
        items = _items(response)
        if len(items) != len(part):
            raise SinkTrouble(f"the answer tells of {len(items)} documents, and {len(part)} were sent")
        results = [_result(item, self._client.hide) for item in items]
        if all(_is_down(item) for item in items):
            raise SinkTrouble(results[0].words)  # a blocked or missing index is no fault of the events
        return results

    def _lines(self, parcel: Parcel) -> tuple[str, str]:
        told = parcel.told
        # `create`, since a data stream takes nothing else and a document that is there stays as it is.
        action = {"create": {"_index": self._settings.index, "_id": told.event_id}}
        document = {"@timestamp": moment(told.at), **json.loads(parcel.payload)}
        return json.dumps(action) + "\n", json.dumps(document, ensure_ascii=False) + "\n"

    def _authorization(self) -> dict[str, str]:
        secret = self._client.secret()
        if secret is None:
            return {}
        if self._settings.user is None:
            return {"Authorization": f"ApiKey {secret.header()}"}
        return {"Authorization": f"Basic {secret.basic(self._settings.user)}"}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _items(response: Response) -> list[dict[str, Any]]:
    try:
        items = response.document["items"]
        return [dict(next(iter(item.values()))) for item in items]
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise SinkTrouble("the answer is not one of a bulk request") from error


def _result(item: dict[str, Any], hide: Callable[[str], str]) -> Result:
    status, error = item.get("status"), item.get("error")
    why = f" {error.get('type')}: {error.get('reason')}" if isinstance(error, dict) else ""
    words = hide(f"{status}{why}")
    if status in (200, 201, _IS_THERE):
        return accepted("409 there already" if status == _IS_THERE else words)
    about_it = type(status) is int and 400 <= status < 500 and not _is_down(item)
    return refused(words) if about_it else failed(words)


def _is_down(item: dict[str, Any]) -> bool:
    status = item.get("status")
    return type(status) is int and status in DOWN
