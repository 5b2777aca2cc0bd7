"""False answers, each made from the true one: framed as it should be, and wrong in one way."""

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from sparkctl.contract.frame import FRAME_MAGIC

DEPTH = 10_000
_FRAME = re.compile(re.escape(FRAME_MAGIC.encode()) + rb" ([0-9a-f]+) ([0-9]+) [0-9a-f]{64}\n")


def lie(behaviour: str, stdout: bytes) -> bytes:
    """The output with its document replaced by a false one; output without a document comes back as it is."""
    found = _FRAME.search(stdout)
    if found is None:
        return stdout
    nonce, document = found[1].decode(), stdout[found.end() : found.end() + int(found[2])]
    return _LIES[behaviour](document, nonce)


def frame(document: bytes, nonce: str, *, digest: str | None = None, length: int | None = None) -> bytes:
    """A document in its frame; digest and length are the true ones unless given."""
    announced = f"{FRAME_MAGIC} {nonce} {length or len(document)} {digest or hashlib.sha256(document).hexdigest()}\n"
    return announced.encode() + document + b"\n"


def _altered(change: Callable[[dict[str, Any]], object]) -> Callable[[bytes, str], bytes]:
    def tell(document: bytes, nonce: str) -> bytes:
        content = json.loads(document)
        change(content)
        return frame(json.dumps(content, ensure_ascii=False).encode(), nonce)

    return tell


def _halve_findings(content: dict[str, Any]) -> None:
    content["data"]["findings"] = content["data"]["findings"][::2]


def _deny_findings(content: dict[str, Any]) -> None:
    finding = content["data"]["findings"][0]
    finding |= {"status": "fail", "action": "do something about it (simulated)", "reason": None}
    content["data"]["rollup"]["worst"] = "pass"


_LIES: dict[str, Callable[[bytes, str], bytes]] = {
    "lies-wrong-digest": lambda document, nonce: frame(document, nonce, digest="0" * 64),
    "lies-truncated": lambda document, nonce: frame(document, nonce, length=len(document) + 100),
    "lies-other-nonce": lambda document, nonce: frame(document, nonce[::-1] + "0"),
    "lies-not-utf8": lambda document, nonce: frame(document[:-1] + b',"caf\xe9":1}', nonce),
    "lies-not-json": lambda document, nonce: frame(document.replace(b'"', b"'"), nonce),
    "lies-duplicate-keys": lambda document, nonce: frame(b'{"ok": true, ' + document[1:], nonce),
    "lies-not-a-number": _altered(lambda content: content["data"]["findings"][0].update(value=float("nan"))),
    "lies-too-deep": lambda document, nonce: frame(
        document[:-1] + b', "deep": ' + b"[" * DEPTH + b"]" * DEPTH + b"}", nonce
    ),
    "lies-schema": _altered(lambda content: content.update(simulated_extra=1)),
    "lies-findings-missing": _altered(_halve_findings),
    "lies-false-rollup": _altered(_deny_findings),
    "lies-other-program": _altered(lambda content: content["meta"].update(program_sha256="0" * 64)),
}
