"""Each shape is read strictly, and what is none of them is refused with the reasons."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from sparkctl.contract.vendor import MAX_DOCUMENT_BYTES, NoShape, pieces, read_vendor
from sparkctl.errors import ContractError
from tests.ingest.documents import fork, orchestrator, report, script, tool

OBJECT = {"code": "E_PERMISSION", "message": "no", "detail": "", "hint": "sudo", "severity": "error"}


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("document", "shape"),
    [
        (tool("hardware_config", None, ok=False, errors=[OBJECT]), "tool"),
        (tool("spark_updatectl", None, ok=False, errors=["This needs root"]), "tool"),
        (tool("hardware_config", report(), ok=False, errors=["partial", OBJECT]), "tool"),
        (orchestrator(), "orchestrator"),
        (script(), "script"),
        (script(status="UNKNOWN"), "script"),
        (fork(), "fork"),
        (fork(status="partial", errors=[{"code": "x", "message": "y", "detail": "z"}]), "fork"),
    ],
)
def test_every_shape_is_known(document: Any, shape: str) -> None:
    assert read_vendor(encoded(document)).shape == shape


@pytest.mark.parametrize(
    ("document", "shape", "words"),
    [
        (tool("hardware_config", report(memory={"mem_total_bytes": "many"})), "tool", "data.memory.mem_total_bytes"),
        (tool("hardware_config", report(memory={"mem_total_bytes": True})), "tool", "must be a whole number"),
        (tool("hardware_config", report(gpu={"name": "x"})), "tool", "data.gpu must be a list"),
        (tool("hardware_config", report(gpu=["x"])), "tool", "data.gpu[0] must be an object"),
        (tool("hardware_config", report(cpu=[])), "tool", "data.cpu must be an object"),
        (tool("hardware_config", report(gpu=[{"name": "a\nb"}])), "tool", "data.gpu[0].name must be one line of text"),
        (tool("hardware_config", None, errors=[7]), "tool", "errors.0"),
        (tool("hardware_config", None, errors=[{"code": "x"}]), "tool", "errors.0"),
        ({**tool("x", {}), "ok": "true"}, "tool", "ok: "),
        ({**tool("x", {}), "meta": {"tool": "x"}}, "tool", "meta.version"),
        (orchestrator(rc="0"), "orchestrator", "rc"),
        (orchestrator(ts="yesterday"), "orchestrator", "ts"),
        (script(status="OK"), "script", "status"),
        (script(run_id="20261399T092000Z"), "script", "run_id"),
        (fork(status="fine"), "fork", "status"),
        (fork(device_id="x"), "fork", "device_id"),
        ({"schema": "NVAIA_ASSETMETA_V1", "groups": {}}, "tool", "it lacks ok"),
    ],
)
def test_wrong_types_are_refused_with_the_field(document: Any, shape: Any, words: str) -> None:
    with pytest.raises(NoShape) as caught:
        read_vendor(encoded(document))
    assert words in caught.value.shapes[shape]
    assert set(caught.value.shapes) == {"tool", "orchestrator", "script", "fork"}


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b"[1]", "no_shape"),
        (b'"x"', "no_shape"),
        (b"\xff{}", "not_utf8"),
        (b'{"ok":true,"ok":false}', "duplicate_key"),
        (b'{"a":NaN}', "not_a_number"),
        (b'{"a":1e999}', "not_a_number"),
        (b'{"a":"\\u001b[2J"}', "control_character"),
        (b'{"a\\u202e":1}', "control_character"),
        (b'{"a\\n":1}', "control_character"),
        (b'{"a":"\\ud800"}', "control_character"),
        (b'{"a":' + b"[" * 50 + b"]" * 50 + b"}", "too_deep"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (b'{"a":[' + b"[]," * 1_000_000 + b"[]]}", "too_large"),
        (b'{"a":"' + b"x" * MAX_DOCUMENT_BYTES + b'"}', "too_large"),
    ],
    ids=range(16),
)
def test_nonsense_is_refused(text: bytes, cause: str) -> None:
    with pytest.raises(ContractError) as caught:
        read_vendor(text)
    assert caught.value.cause == cause
    assert caught.value.message.isprintable()


def test_raw_texts_of_commands_may_have_tabs_and_breaks_and_shown_ones_may_not() -> None:
    read = read_vendor(encoded(tool("os_build_identity_reporter", {"os": {"lsb_release_cmd": "ID:\tUbuntu\nx"}})))
    assert [fate.source for fate in read.taken.fates if fate.reason == "os_release says the same"] == [
        "data.os.lsb_release_cmd"
    ]


LOOSE: list[Callable[[], dict[str, Any]]] = [
    lambda: tool("hardware_config", report(newer={"a": 1}), added=1),
    lambda: tool("hardware_config", report(gpu=[{"newer": 1, "name": "x"}])),
    lambda: tool("hardware_config", None, errors=[{**OBJECT, "newer": 1}]),
    lambda: tool("nobody_knows_it", {"newer": 1}),
    lambda: orchestrator(newer=1),
    lambda: script(newer=1),
    lambda: fork("zgx-collector", data={"newer": 1}),
    lambda: fork(device_id={"newer": 1}),
]


@pytest.mark.parametrize("document", LOOSE)
def test_a_field_that_nobody_knows_is_reported_and_not_refused(document: Callable[[], dict[str, Any]]) -> None:
    fates = read_vendor(encoded(document())).taken.fates
    unknown = [fate.source for fate in fates if fate.reason is None and not fate.fields]
    assert any("newer" in source for source in unknown)


def test_one_document_or_one_on_each_line() -> None:
    one, two = orchestrator(), script()
    pretty = json.dumps(tool("x", {"rows": [{}, {}]}), indent=1)
    assert [json.loads(piece.text) for piece in pieces(pretty.encode())] == [json.loads(pretty)]
    assert len(pieces(pretty[:-1].encode())) == 1  # cut: one complaint, not one for each line
    lines = [(piece.line, json.loads(piece.text)) for piece in pieces(encoded(one) + b"\r\n\n" + encoded(two) + b"\n")]
    assert lines == [(1, one), (3, two)]
    assert [piece.line for piece in pieces(encoded(one) + b"\n{broken\n" + encoded(two))] == [1, 2, 3]
    assert pieces(b" \n\n") == []


def test_a_payload_belongs_to_the_document_before_it() -> None:
    header = script(preset="journal", encoding="b64gz", markers={"begin": "BEGIN_DGX_PAYLOAD"})
    text = encoded(header) + b"\nBEGIN_DGX_PAYLOAD\nH4sI\x1b{\xff\nAAAA\nEND_DGX_PAYLOAD\n" + encoded(orchestrator())
    first, second = pieces(text)
    assert (json.loads(first.text), first.payload_bytes) == (header, 13)
    assert (json.loads(second.text), second.line, second.payload_bytes) == (orchestrator(), 6, None)


@pytest.mark.parametrize(
    "text",
    [b"{}\nBEGIN_DGX_PAYLOAD\nabc", b"{}\nEND_DGX_PAYLOAD\n", b"BEGIN_DGX_PAYLOAD\nx\nEND_DGX_PAYLOAD\n{}"],
)
def test_marks_without_their_pair_or_document_are_refused(text: bytes) -> None:
    with pytest.raises(ContractError) as caught:
        pieces(text)
    assert caught.value.cause == "payload_marks"
