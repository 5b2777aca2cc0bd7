"""Documents made to hurt: escapes and invisible characters in every text field, and JSON that is too much."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.printable import printable
from tests.hostile.farm import Farm, Handler, farm_in, framed, quiet_peak_bytes
from tests.support.command import environment, sparkctl

pytestmark = pytest.mark.slow
MIB = 2**20
ATTACK = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp\u200b\u2066\ufeff\r\n{'ok'}"
# our own colours, line erasing and cursor moves, none of which the attack uses
OURS = re.compile(r"\x1b\[(\?25[lh]|[0-9;]*[mAK])")
RAW = [character for character in ATTACK if printable(character) != character and character not in "\r\n"]


def text_fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where a document holds text; of a list, its first element stands for all."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from text_fields(part, (*path, key))
    elif isinstance(value, list) and value:
        yield from text_fields(value[0], (*path, 0))
    elif isinstance(value, str):
        yield path


def tampered(document: bytes, path: tuple[Any, ...]) -> bytes:
    whole = json.loads(document)
    *way, last = path
    inner = whole
    for step in way:
        inner = inner[step]
    inner[last] = ATTACK
    return json.dumps(whole, ensure_ascii=len(path) % 2 == 0).encode("utf-8", "surrogatepass")


def sends(change: Any) -> Handler:
    """A node whose document is what `change` makes of an honest one."""

    async def handle(farm: Farm, process: Any) -> None:
        nonce, document = await farm.document(process)
        process.stderr.write(ATTACK.encode())
        process.stdout.write(ATTACK.encode() + b"\n" + framed(nonce, change(document)))
        process.exit(0)

    return handle


def nth_field(number: int) -> Any:
    def change(document: bytes) -> bytes:
        paths = list(text_fields(json.loads(document)))
        return tampered(document, paths[number % len(paths)])

    return change


def failed_with_words(document: bytes) -> bytes:
    whole = json.loads(document)
    error = {"code": "x.y", "message": ATTACK, "detail": ATTACK, "hint": ATTACK, "severity": "error"}
    return json.dumps({**whole, "ok": False, "data": None, "errors": [error]}).encode()


def hostile_key(document: bytes) -> bytes:
    return json.dumps({**json.loads(document), ATTACK: ATTACK}).encode()


def twice(document: bytes) -> bytes:
    key = json.dumps(ATTACK, ensure_ascii=False).encode()
    return b"{" + key + b":1," + key + b":2}"


def on_a_terminal(folder: Path, *arguments: str) -> str:
    """What a command writes to a terminal."""
    main, side = pty.openpty()
    env = {**environment(folder), "PYTHONPATH": str(Path(__file__).parents[2]), "TERM": "dumb"}
    process = subprocess.Popen(
        [sys.executable, "-m", "sparkctl", *arguments], stdin=side, stdout=side, stderr=side, env=env, cwd=folder
    )
    os.close(side)
    said = b""
    try:
        while part := os.read(main, 65536):
            said += part
    except OSError:  # EIO: the last writer has gone
        pass
    finally:
        os.close(main)
        process.wait(30)
    return said.decode()


@pytest.mark.parametrize("stack", ["asyncssh", pytest.param("paramiko", marks=pytest.mark.thorough)])
def test_escapes_in_every_text_field_reach_no_screen_and_no_pipe(tmp_path: Path, stack: str) -> None:
    fields = 24
    with farm_in(tmp_path, stack) as farm:
        for number in range(fields):
            farm.add(f"field-{number}", sends(nth_field(number)))
        farm.add("words", sends(failed_with_words))
        farm.add("key", sends(hostile_key))
        farm.add("twice", sends(twice))
        farm.add("path", sends(lambda document: document.replace(b'"meta"', json.dumps(ATTACK).encode(), 1)))
        found, _ = farm.judge(timeout=20)
        place = ["--fleet", str(tmp_path / "fleet.yaml"), "--state", str(tmp_path / "state")]
        some = "field-[0-9],words,key,twice,path"
        said = [on_a_terminal(tmp_path, "health", some, "-v", *place)]
        said += [(ran := farm.sweep(some, form=form)).stdout + ran.stderr for form in ("human", "json", "jsonl")]
    for form in ("human", "json", "jsonl"):
        for name in ("field-0", "words", "key", "twice"):
            ran = sparkctl("history", name, "--format", form, "--state", tmp_path / "state", home=tmp_path)
            assert ran.returncode == 0, ran.stderr
            said.append(ran.stdout + ran.stderr)
    said.append(json.dumps(found, ensure_ascii=False))
    hostile = {name: record for name, record in found.items() if not name.startswith("well")}
    assert {record["status"] for record in hostile.values()} <= {"decode.schema_violation", "decode.duplicate_key"}
    assert hostile["twice"]["status"] == "decode.duplicate_key"
    for text in said:
        assert "decode" in text or "schema" in text
        assert [character for character in RAW if character in OURS.sub("", text)] == []


def deep(document: bytes) -> bytes:
    return b'{"a":' * 20000 + b"1" + b"}" * 20000


def deep_list(document: bytes) -> bytes:
    return b"[" * 120000 + b"]" * 120000


def wide(document: bytes) -> bytes:
    whole = json.loads(document)
    reading = {"name": "n", "value": 1}
    one = {**whole["data"]["findings"][0], "readings": [reading] * 200}
    whole["data"]["findings"] = [{**one, "check": f"a.b{number}"} for number in range(500)]
    return json.dumps(whole, separators=(",", ":")).encode()


def wide_within_limit(document: bytes) -> bytes:
    whole = json.loads(document)
    whole["data"]["findings"][0]["readings"] = [{"name": "n", "value": None}] * 8000
    return json.dumps(whole, separators=(",", ":")).encode()


def number(digits: str) -> Any:
    def change(document: bytes) -> bytes:
        return document.replace(b'"wall_ms":', b'"wall_ms":' + digits.encode() + b',"was":', 1)

    return change


def huge_key(document: bytes) -> bytes:
    return json.dumps({**json.loads(document), "k" * 200_000: 1}).encode()


def many_keys(document: bytes) -> bytes:
    return b"{" + b",".join(b'"%x":0' % key for key in range(20000)) + b"}"


def test_json_bombs_cost_little_and_have_their_cause(tmp_path: Path, stack: str) -> None:
    bombs = {
        "deep": (deep, {"decode.too_deep"}),
        "deep-list": (deep_list, {"decode.too_deep"}),
        "wide": (wide, {"run.stdout_limit"}),
        "wide-within": (wide_within_limit, {"decode.schema_violation"}),
        "digits": (number("9" * 100_000), {"decode.not_json"}),
        "exponent": (number("1e999999"), {"decode.schema_violation", "decode.not_a_number"}),
        "integer": (number("9" * 400), {"decode.schema_violation"}),
        "huge-key": (huge_key, {"decode.schema_violation"}),
        "many-keys": (many_keys, {"decode.schema_violation"}),
    }
    with farm_in(tmp_path, stack) as farm:
        farm.add("quiet")
        for name, (change, _) in bombs.items():
            farm.add(name, sends(change))
        found, report = farm.judge(timeout=30)
    wrong = {name: found[name]["status"] for name, (_, right) in bombs.items() if found[name]["status"] not in right}
    assert wrong == {}
    assert found["quiet"]["status"] == "ok"
    for name in bombs:
        assert found[name]["failure"]["message"].isprintable()
        assert len(found[name]["failure"]["message"]) <= 1000
    # they come all at once; each may add its 8 MiB
    assert report["cost"]["peak_rss_bytes"] - quiet_peak_bytes(stack) < 8 * MIB * len(bombs)
