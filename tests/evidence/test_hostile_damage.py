"""Bundles that are cut off, flipped, of another statement, lying parts, or bombs: each is refused with one sentence."""

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl import ustar
from sparkctl.errors import RefusedError, SparkctlError, UsageError
from sparkctl.evidence.dsse import pae
from sparkctl.evidence.frame import HEADER, Packer
from sparkctl.evidence.reading import opened
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.trust import PublicKey
from sparkctl.evidence.verifying import verify
from sparkctl.model.canonical import canonical_json
from tests.evidence.hostile import SECONDS, SMALL, change, flipped, part, refused, signed, tar_in, with_manifest
from tests.evidence.making import CONTENTS, packed, pem_key, sealed, tar_of


def test_cut_off_at_every_512_bytes_and_at_every_last_byte(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path)
    content = bundle.read_bytes()
    hostile = tmp_path / "hostile"
    for length in {*range(0, len(content), 512), *range(len(content) - 20, len(content)), *range(20)}:
        hostile.write_bytes(content[:length])
        error = refused(hostile, "cut off|damaged", trust)
        assert isinstance(error, UsageError)
    tar = tar_in(bundle)
    for length in range(512, len(tar), 512):
        refused(packed(hostile, tar[:length]), "ends before its last entry", trust)


def test_cut_off_at_every_64_kib(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path, {"noise": os.urandom(2**20), **CONTENTS})
    content = bundle.read_bytes()
    lengths = range(0, len(content), 2**16)
    assert len(lengths) > 15
    for length in lengths:
        (tmp_path / "hostile").write_bytes(content[:length])
        refused(tmp_path / "hostile", "cut off", trust)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PublicKey]:
    return signed(tmp_path_factory.mktemp("one"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bit_of_the_tar_is_flipped(one: tuple[Path, PublicKey], tmp_path: Path, data: st.DataObject) -> None:
    """Every bit of the tar counts: of headers, padding and end as well as of what is in it."""
    bundle, trust = one
    tar = tar_in(bundle)
    hostile = packed(tmp_path / "hostile", flipped(tar, data.draw(st.integers(0, len(tar) * 8 - 1))))
    with pytest.raises(SparkctlError) as caught:
        verify(hostile, trust)
    assert isinstance(caught.value, UsageError | RefusedError)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_bit_of_the_file_is_flipped(one: tuple[Path, PublicKey], tmp_path: Path, data: st.DataObject) -> None:
    """Every bit of the file counts, also those that mean nothing to a decompressor."""
    bundle, trust = one
    content = bundle.read_bytes()
    hostile = tmp_path / "hostile"
    hostile.write_bytes(flipped(content, data.draw(st.integers(0, len(content) * 8 - 1))))
    with pytest.raises(SparkctlError) as caught:
        verify(hostile, trust)
    assert isinstance(caught.value, UsageError | RefusedError)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=600))
def test_random_bytes_in_a_frame_and_without_one(tmp_path: Path, content: bytes) -> None:
    for tar in (content, b"manifest.json".ljust(100, b"\0") + content):
        with pytest.raises(UsageError):
            verify(packed(tmp_path / "hostile", tar), None)
    for whole in (content, HEADER + content):
        (tmp_path / "hostile").write_bytes(whole)
        with pytest.raises(UsageError):
            verify(tmp_path / "hostile", None)


# The statement.


def test_statements_of_another_bundle(tmp_path: Path) -> None:
    """Two bundles by one key: the statement of one does not vouch for the other."""
    signer = signer_of(pem_key(tmp_path))
    first = tar_in(sealed(tmp_path / "1", signer, SMALL).path)
    second = tar_in(sealed(tmp_path / "2", signer, SMALL, salt_key=b"another key of the tests").path)
    at = 1024 + (ustar.size_in(first[:512]) + 511 & ~511) - 512
    error = refused(packed(tmp_path / "hostile", first[:at] + second[at:]), "not about its manifest.json")
    assert isinstance(error, RefusedError)


def test_envelopes_that_are_changed(tmp_path: Path) -> None:
    bundle, trust = signed(tmp_path, SMALL)
    with opened(bundle) as one_of:
        manifest, content = one_of.head.content, one_of.head.statement_content
    envelope = json.loads(content)
    (signature,) = envelope["signatures"]
    payload = json.loads(base64.b64decode(envelope["payload"]))
    payload["predicate"]["about"]["node"] = "node-80"
    other = base64.b64encode(canonical_json(payload)).decode()
    changes: list[tuple[dict[str, Any], str]] = [
        ({"signatures": []}, "at least 1"),
        ({"signatures": [signature] * 2}, "at most 1"),
        ({"payloadType": "text/plain"}, "payloadType"),
        ({"payload": envelope["payload"] + "="}, "damaged|not what the format"),
        ({"payload": other}, "not about its manifest.json"),
        ({"signatures": [{**signature, "keyid": "SHA256:" + "A" * 43}]}, "says that"),
        ({"signatures": [{**signature, "sig": base64.b64encode(bytes(64)).decode()}]}, "not signed by the key"),
        (
            {"signatures": [{**signature, "sig": base64.b64encode(b"SSHSIG nonsense").decode()}]},
            "not signed by the key",
        ),
        ({"signatures": [{**signature, "sig": "AAAA"}]}, "of no kind that is known"),
        ({"signatures": [{**signature, "sig": "AAB="}]}, "bits to spare"),
        ({"more": 1}, "not canonical"),
    ]
    for change_of, words in changes:
        changed = canonical_json({**envelope, **change_of})
        members = [("manifest.json", manifest), ("statement.dsse.json", changed), *SMALL.items()]
        refused(packed(tmp_path / "hostile", tar_of(members)), words, trust)


def test_a_statement_of_another_type_is_not_ours(tmp_path: Path) -> None:
    """A key that signs other things, too: its other statements are none about a bundle."""
    signer = signer_of(pem_key(tmp_path))
    bundle = sealed(tmp_path / "b", signer, SMALL).path
    with opened(bundle) as one_of:
        manifest = one_of.head.content
        assert one_of.head.statement is not None
        statement = one_of.head.statement.statement.model_dump(mode="json")
    payload = canonical_json({**statement, "predicateType": "https://slsa.dev/provenance/v1"})
    made = signer.sign(pae(payload))
    envelope: dict[str, Any] = {
        "payload": base64.b64encode(payload).decode(), "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"keyid": made.fingerprint, "sig": base64.b64encode(made.signature).decode()}],
    }  # fmt: skip
    members = [("manifest.json", manifest), ("statement.dsse.json", canonical_json(envelope)), *SMALL.items()]
    refused(packed(tmp_path / "hostile", tar_of(members)), "predicateType", PublicKey(tmp_path / "key.pub.pem"))


def test_a_part_that_lies(tmp_path: Path) -> None:
    path, trust = part(tmp_path)
    with opened(path) as one_of:
        disclosure, statement = json.loads(one_of.head.content), one_of.head.statement_content
        members = [(entry.path, CONTENTS[entry.path]) for entry in one_of.entries()]

    def hostile(changed: dict[str, Any], contents: list[tuple[str, bytes]] = members) -> Path:
        head = [("disclosure.json", canonical_json(changed)), ("statement.dsse.json", statement)]
        return packed(tmp_path / "hostile", tar_of([*head, *contents]))

    assert hostile(disclosure).read_bytes() == path.read_bytes()
    evil = [(members[0][0], b'{"ok":nope}'), *members[1:]]
    refused(hostile(disclosure, evil), "is not what was sealed", trust)
    hashed = hashlib.sha256(evil[0][1]).hexdigest()
    for path_of, value, words in (
        ("entries.0.entry.sha256", hashed, "is not of the bundle whose statement was signed"),
        ("entries.0.index", 0, "is not of the bundle"),
        ("entries.0.proof", [], "is not of the bundle"),
        ("entries.0.proof.0", "00" * 32, "is not of the bundle"),
        ("leaves", 8, "speaks of 8 entries"),
        ("leaves", 1, "beyond the last leaf"),
        ("entries.1.index", 0, "not in the order of their leaves"),
        ("entries", [], "at least 1 item"),
    ):
        changed = json.loads(json.dumps(disclosure))
        change(path_of, value)(changed)
        refused(hostile(changed, evil), words, trust)


def test_a_part_without_its_statement(tmp_path: Path) -> None:
    path, trust = part(tmp_path)
    with opened(path) as one_of:
        members = [("disclosure.json", one_of.head.content), *((e.path, CONTENTS[e.path]) for e in one_of.entries())]
    refused(packed(tmp_path / "hostile", tar_of(members)), "without the statement", trust)


# Bombs: little that becomes much. Each in a process of its own, which has not the memory for much.

ENOUGH = 512 * 2**20
VERIFY = """
import resource, sys
from pathlib import Path
from sparkctl.errors import SparkctlError
from sparkctl.evidence.verifying import verify
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
try:
    print("whole", verify(Path(sys.argv[1]), None).bytes)
except SparkctlError as error:
    print(error.exit_code.value, error)
"""


def verified_in_little_memory(bundle: Path, memory: int = ENOUGH) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", VERIFY, str(bundle), str(memory)], capture_output=True, text=True, check=False,
        timeout=120,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


JSON_BOMBS = {
    "brackets": b"[" * (15 * 2**20),
    "fewer brackets": b"[" * 129_000,
    "empty lists": b'{"entries":[' + b",".join([b"[]"] * (5 * 2**20)) + b"]}",
    "fewer empty lists": b'{"entries":[' + b",".join([b"[]"] * 129_000) + b"]}",
    "numbers": b'{"entries":[' + b",".join([b"0"] * (7 * 2**20)) + b"]}",
    "fewer numbers": b'{"entries":[{"source":{"argv":[' + b",".join([b"0"] * 990_000) + b"]}}]}",
    "keys": b"{" + b",".join(b'"%x":0' % number for number in range(1_200_000)) + b"}",
    "fewer keys": b"{" + b",".join(b'"%x":0' % number for number in range(390_000)) + b"}",
    "one number": b'{"entries":' + b"9" * (15 * 2**20) + b"}",
    "one string": b'{"format":"' + b"x" * (15 * 2**20) + b'"}',
    "escapes": b'{"format":"' + b"\\u0000" * (2 * 2**20) + b'"}',
}


@pytest.mark.parametrize("kind", JSON_BOMBS)
def test_a_json_bomb(tmp_path: Path, kind: str) -> None:
    bundle = with_manifest(tmp_path / "bomb", JSON_BOMBS[kind], list(SMALL.items()))
    assert verified_in_little_memory(bundle).startswith("2 manifest.json of")


def zeros(out: Path, before: bytes, count: int) -> Path:
    """A tar that goes on with very many zeros."""
    with out.open("wb") as file:
        packer = Packer(file)
        packer.write(before)
        for _ in range(count // 2**20):
            packer.write(bytes(2**20))
        packer.end()
    return out


def test_a_zip_bomb(tmp_path: Path) -> None:
    tar = tar_in(sealed(tmp_path / "b", contents=SMALL).path)
    said = verified_in_little_memory(zeros(tmp_path / "bomb", tar, 2**31))
    assert (tmp_path / "bomb").stat().st_size < 2**18
    assert "something follows after its end" in said
    assert "ends where" in verified_in_little_memory(zeros(tmp_path / "bomb2", tar[:-3072], 2**28))
    header = ustar.header("manifest.json", 2**30, SECONDS)
    assert "more than 16 MiB" in verified_in_little_memory(zeros(tmp_path / "bomb3", header, 2**30))


def test_much_that_is_as_it_says_is_read_in_little_memory(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "b", contents={"zeros": bytes(200 * 2**20)}).path
    assert verified_in_little_memory(bundle, 150 * 2**20 + 2**28) == f"whole {200 * 2**20}\n"
