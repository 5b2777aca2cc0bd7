"""What tests of hostile bundles share: bundles that lie, and what is expected of whoever reads one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sparkctl.errors import ExitCode, SparkctlError
from sparkctl.evidence.frame import decompressed
from sparkctl.evidence.reading import opened
from sparkctl.evidence.signers import signer_of
from sparkctl.evidence.subsets import subset
from sparkctl.evidence.trust import PublicKey
from sparkctl.evidence.verifying import verify
from tests.evidence.making import MOMENT, packed, pem_key, sealed, tar_of

SECONDS = int(MOMENT.timestamp())
SMALL = {"tree/proc/uptime": b"12.5 100.0\n", "tree/proc/version": b"Linux\n"}


def refused(bundle: Path, words: str = "is", trust: PublicKey | None = None) -> SparkctlError:
    """Refused by whoever verifies it and by whoever unpacks it, in one sentence; nothing is left anywhere."""
    top = bundle.parent
    before = snapshot(top)
    with pytest.raises(SparkctlError, match=words) as caught:
        verify(bundle, trust)
    if trust is None:
        with pytest.raises(SparkctlError, match=words), opened(bundle) as one:
            one.extract(top / "out")
        if (top / "out").exists():
            (top / "out").rmdir()  # it must be empty
    assert snapshot(top) == before
    error = caught.value
    assert error.exit_code in {ExitCode.USAGE, ExitCode.REFUSED}
    assert "\n" not in error.message
    assert len(error.message) < 800
    return error


def snapshot(top: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in top.rglob("*")}


def tar_in(bundle: Path) -> bytes:
    with bundle.open("rb") as raw:
        return b"".join(decompressed(raw, "it"))


# A manifest that lies: it is rewritten, with a Merkle root that fits, and whatever follows fits it, too.

Lie = Callable[[dict[str, Any]], None]


def with_manifest(out: Path, content: bytes, members: list[tuple[str, bytes]]) -> Path:
    return packed(out, tar_of([("manifest.json", content), *members]))


def change(path: str, value: Any) -> Lie:
    def lie(manifest: dict[str, Any]) -> None:
        *above, last = path.split(".")
        place: Any = manifest
        for key in above:
            place = place[int(key)] if key.isdigit() else place[key]
        place[int(last) if last.isdigit() else last] = value

    return lie


def signed(folder: Path, contents: dict[str, bytes] | None = None) -> tuple[Path, PublicKey]:
    return sealed(folder / "b", signer_of(pem_key(folder)), contents).path, PublicKey(folder / "key.pub.pem")


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def part(tmp_path: Path) -> tuple[Path, PublicKey]:
    bundle, trust = signed(tmp_path)
    subset(bundle, ["tree/proc/uptime", "judged/health.json"], tmp_path / "part")
    return tmp_path / "part", trust
