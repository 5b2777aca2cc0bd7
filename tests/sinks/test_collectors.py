"""Splunk, Elastic and OTLP against strict stand-ins of what their makers document."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.event import EventKind, EventSeverity
from sparkctl.model.sink import Answer, SinkSettings, Verdict
from sparkctl.sinks.elastic import ElasticSink
from sparkctl.sinks.otlp import SEVERITY_NUMBERS, OtlpSink
from sparkctl.sinks.splunk import SplunkSink
from tests.sinks.collectors import Elastic, Otlp, Splunk, attribute, basic
from tests.sinks.events import NOON, SECRET, event, parcels, settings, token
from tests.sinks.receivers import Reply, receiver

A, R, F = Verdict.ACCEPTED, Verdict.REFUSED, Verdict.FAILED
IDS = [event(number).event_id for number in range(6)]


def send(kind: Any, to: SinkSettings, count: int = 6) -> Answer:
    sink = kind(to)
    try:
        answer: Answer = sink.send(parcels(*(event(number) for number in range(count))), time.monotonic() + 10)
        return answer
    finally:
        sink.close()


def verdicts(answer: Answer) -> list[Verdict]:
    return [result.verdict for result in answer.results]


def test_splunk_takes_a_batch_and_only_the_invalid_event_is_refused(tmp_path: Path) -> None:
    splunk = Splunk(SECRET)
    splunk.invalid = {IDS[2], IDS[5]}
    with receiver(splunk) as seen:
        answer = send(SplunkSink, settings(f"splunk+http://127.0.0.1:{seen.port}", secret=token(tmp_path)))
    assert verdicts(answer) == [A, A, R, A, A, R]
    assert "Invalid data format" in answer.results[2].words
    assert [one["fields"]["event_id"] for one in splunk.events] == [IDS[0], IDS[1], IDS[3], IDS[4]]
    assert splunk.events[0]["host"] == "spark01"
    assert splunk.events[0]["time"] == pytest.approx(NOON.timestamp(), abs=0.001)
    assert splunk.events[0]["event"]["body_schema"] == "sparkctl.sink-test/1"


def test_splunk_that_acknowledges_is_waited_for(tmp_path: Path) -> None:
    splunk = Splunk(SECRET, acks=1)
    with receiver(splunk) as seen:
        url = f"splunk+http://127.0.0.1:{seen.port}"
        assert verdicts(send(SplunkSink, settings(url, secret=token(tmp_path), ack=True), 2)) == [A, A]
        splunk.acks = 1000
        late = send(SplunkSink, settings(url, secret=token(tmp_path), ack=True, timeout_s=0.4), 2)
    assert (late.results, late.tried) == ([], 2)
    assert late.down is not None
    assert "not acknowledged" in late.down.words


def test_what_is_wrong_with_token_index_or_splunk_itself_refuses_no_event(tmp_path: Path) -> None:
    splunk = Splunk(SECRET, index="main")
    with receiver(splunk) as seen:
        url = f"splunk+http://127.0.0.1:{seen.port}"
        wrong_index = send(SplunkSink, settings(url, secret=token(tmp_path), index="other"))
        splunk.busy = True
        busy = send(SplunkSink, settings(url, secret=token(tmp_path)))
        wrong_token = send(SplunkSink, settings(url, secret=token(tmp_path, "another-token")))
    for answer, words in ((wrong_index, "Incorrect index"), (busy, "busy"), (wrong_token, "Invalid token")):
        assert answer.results == []
        assert answer.down is not None
        assert words in answer.down.words


def test_elastic_has_each_event_once_and_a_result_for_each(tmp_path: Path) -> None:
    elastic = Elastic(basic("me", SECRET))
    elastic.bad = {IDS[1]: 400, IDS[3]: 429}
    with receiver(elastic) as seen:
        to = settings(f"elastic+http://127.0.0.1:{seen.port}/", secret=token(tmp_path), user="me", index="sparkctl")
        assert verdicts(send(ElasticSink, to)) == [A, R, A, F, A, A]
        elastic.bad = {}
        again = send(ElasticSink, to)
        elastic.most = 1200
        in_parts = send(ElasticSink, to)
    assert verdicts(again) == verdicts(in_parts) == [A] * 6
    assert "409" in again.results[0].words
    assert sorted(elastic.documents) == sorted(IDS)
    assert elastic.documents[IDS[0]]["event_id"] == IDS[0]


def test_elastic_with_an_api_key_and_with_none(tmp_path: Path) -> None:
    elastic = Elastic(f"ApiKey {SECRET}")
    with receiver(elastic) as seen:
        url = f"elastic+http://127.0.0.1:{seen.port}"
        assert verdicts(send(ElasticSink, settings(url, index="sparkctl", secret=token(tmp_path)), 1)) == [A]
        refused = send(ElasticSink, settings(url, index="sparkctl"), 1)
    assert refused.down is not None
    assert "401" in refused.down.words


@pytest.mark.parametrize("body", [b"", b"[]", b'{"items": [1]}', b'{"items": []}', b'{"items": [{}]}', b"\xff"])
def test_an_answer_of_no_bulk_request(body: bytes) -> None:
    with receiver(lambda _: Reply(body=body)) as seen:
        answer = send(ElasticSink, settings(f"elastic+http://127.0.0.1:{seen.port}", index="sparkctl"))
    assert answer.results == []
    assert answer.down is not None


def test_otlp_is_what_the_published_messages_say(tmp_path: Path) -> None:
    otlp = Otlp()
    with receiver(otlp) as seen:
        to = settings(f"otlp+http://127.0.0.1:{seen.port}", secret=token(tmp_path))
        sink = OtlpSink(to)
        told = event(9, EventKind.ALERT, 'a "quoted" ✓ line', EventSeverity.CRITICAL, node_id=None)
        assert verdicts(sink.send(parcels(told), time.monotonic() + 5)) == [A]
        sink.close()
    assert seen.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    (record,) = otlp.records
    assert record.severity_number == SEVERITY_NUMBERS[EventSeverity.CRITICAL] == 21
    assert record.time_unix_nano == int(NOON.timestamp()) * 10**9 + 123_456_000
    assert record.body.string_value == told.summary
    assert attribute(record, "sparkctl.payload") == told.json
    assert attribute(record, "host.name") is None


def test_otlp_that_rejects_some_is_asked_until_it_is_known_which() -> None:
    otlp = Otlp()
    otlp.bad = {IDS[4]}
    with receiver(otlp) as seen:
        answer = send(OtlpSink, settings(f"otlp+http://127.0.0.1:{seen.port}"))
    assert verdicts(answer) == [A, A, A, A, R, A]
    assert "some are bad" in answer.results[4].words
    assert {attribute(record, "sparkctl.event_id") for record in otlp.records} == set(IDS) - {IDS[4]}


DEEP = b"[" * 100_000
KINDS = [(SplunkSink, "splunk"), (ElasticSink, "elastic"), (OtlpSink, "otlp")]


@pytest.mark.parametrize(("kind", "scheme"), KINDS)
@pytest.mark.parametrize(
    "reply", [Reply(200, DEEP), Reply(400, DEEP), Reply(200, b'{"partialSuccess":{"rejectedLogRecords":1e999}}')]
)
def test_no_answer_breaks_a_sink(kind: Any, scheme: str, reply: Reply) -> None:
    with receiver(lambda _: reply) as seen:
        answer = send(kind, settings(f"{scheme}+http://127.0.0.1:{seen.port}", index="sparkctl"), 2)
    assert len(answer.results) == 2 or answer.down is not None


def test_splunk_that_calls_one_event_after_another_invalid_is_no_recursion_and_loses_no_result() -> None:
    with receiver(lambda _: Reply(400, b'{"code": 6, "invalid-event-number": 0}')) as seen:
        to = settings(f"splunk+http://127.0.0.1:{seen.port}")
        assert verdicts(send(SplunkSink, to, 40)) == [R] * 40
        sink = SplunkSink(to)
        late = sink.send(parcels(*(event(number) for number in range(2000))), time.monotonic() + 0.3)
        sink.close()
    assert late.down is not None
    assert 0 < len(late.results) < 2000


@pytest.mark.parametrize("status", [401, 403, 404, 429])
def test_elastic_whose_index_is_blocked_or_not_there_refuses_no_event(status: int) -> None:
    elastic = Elastic()
    elastic.bad = dict.fromkeys(IDS, status)
    with receiver(elastic) as seen:
        to = settings(f"elastic+http://127.0.0.1:{seen.port}", index="sparkctl")
        blocked = send(ElasticSink, to)
        elastic.bad = {IDS[1]: status}
        one = send(ElasticSink, to)
    assert blocked.results == []
    assert blocked.down is not None
    assert verdicts(one) == [A, F, A, A, A, A]


def always(reply: Reply) -> Any:
    return lambda _: reply


def test_what_a_far_side_repeats_of_a_secret_is_hidden_wherever_it_stands(tmp_path: Path) -> None:
    item = {"create": {"status": 400, "error": {"type": "x", "reason": f"you sent {SECRET}"}}}
    partial = {"partialSuccess": {"rejectedLogRecords": 1, "errorMessage": SECRET}}
    pair = basic("me", SECRET).encode()
    for kind, scheme, reply in (
        (ElasticSink, "elastic", Reply(200, json.dumps({"items": [item]}).encode())),
        (ElasticSink, "elastic", Reply(500, b"you sent " + pair)),
        (ElasticSink, "elastic", Reply(500, b"x" * 385 + SECRET.encode())),
        (OtlpSink, "otlp", Reply(200, json.dumps(partial).encode())),
    ):
        with receiver(always(reply)) as seen:
            url = f"{scheme}+http://127.0.0.1:{seen.port}"
            (result,) = send(kind, settings(url, secret=token(tmp_path), user="me", index="sparkctl"), 1).results
        assert result.verdict is not A
        assert not any(part in result.words for part in (SECRET[:6], pair.decode().split()[1][:12]))
