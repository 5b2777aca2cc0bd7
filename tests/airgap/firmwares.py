"""A firmware service, a site with certificates, and what the site mirrors of it."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sparkctl.airgap.mirrors import firmware
from sparkctl.airgap.mirrors.firmware_proof import prove
from sparkctl.airgap.mirrors.kind import Fetched, Proven
from sparkctl.errors import SparkctlError
from sparkctl.model.mirror_firmware import FirmwareMirror, FirmwareServed, OwnCab
from tests.support import toy_lvfs
from tests.support.toy_lvfs import WEBCAM, Keys, Lvfs, digest, serving

OTHER = "6de5d951-d755-576b-bd09-c5cf66b27234"


@dataclass(frozen=True)
class Everybody:
    """Certificates of the service, of the site, and of somebody else; they are made once, since it takes time."""

    lvfs: Keys
    site: Keys
    stranger: Keys


def everybody(top: Path) -> Everybody:
    return Everybody(*(Keys(top / name, name) for name in ("LVFS", "Site", "Stranger")))


MISSING = toy_lvfs.missing()
REAL_TOOLS = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"NOT INSTALLED, and not tried with mirrors of firmware: {MISSING}"),
]
"""The marks of a file of tests."""


@contextlib.contextmanager
def stocked(shop: Lvfs, keys: Everybody, top: Path) -> "Iterator[Desk]":
    """A desk whose service has what the shop has, and is served."""
    (top / "served").mkdir()
    with serving(top / "www") as url:
        yield Desk(top, keys, url, shop.copied(top / "www"))


def shop_in(top: Path, keys: Everybody) -> Lvfs:
    """A service with firmware; to be copied for each test, since signing takes time."""
    made = Lvfs(top / "www", keys.lvfs)
    stock(made)
    return made


def stock(lvfs: Lvfs) -> None:
    """Two releases for the webcam, one for what nobody here has."""
    lvfs.add("webcam", WEBCAM, "1.2.3")
    lvfs.add("webcam", WEBCAM, "1.2.4")
    lvfs.add("other", OTHER, "1.0.0")
    lvfs.publish()


class Desk:
    """A folder with the service in `www`, served at `url`, and the work of one mirror."""

    def __init__(self, top: Path, keys: Everybody, url: str, lvfs: Lvfs | None = None) -> None:
        self.top, self.keys, self.url = top, keys, url
        self.lvfs = lvfs or Lvfs(top / "www", keys.lvfs)
        self.work = top / "work"
        self.work.mkdir()

    def stock(self) -> None:
        """Put firmware there."""
        stock(self.lvfs)

    def spec(self, *cabs: Path, **other: Any) -> FirmwareMirror:
        values: dict[str, Any] = {
            "name": "lvfs", "metadata": f"{self.url}/firmware.xml.zst", "base": None,
            "trust": self.keys.lvfs.ca_file.read_text(), "devices": [WEBCAM],
            "cabs": [OwnCab(file=str(cab), sha256=digest(cab)) for cab in cabs],
            "sign_cert": self.keys.site.certificate.read_text(), "sign_key": str(self.keys.site.key),
        }  # fmt: skip
        return FirmwareMirror(**values | other)

    def fetch(self, *cabs: Path, **other: Any) -> Fetched:
        return firmware.fetch(self.spec(*cabs, **other), self.work, datetime.now(UTC))

    def proven(self, *cabs: Path, **other: Any) -> Proven:
        fetched = self.fetch(*cabs, **other)
        assert isinstance(fetched.served, FirmwareServed)
        return prove(fetched.served, fetched.folder)

    @property
    def folder(self) -> Path:
        return self.work / "served"


def change(path: Path) -> None:
    """Turn one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def copied(folder: Path, target: Path) -> Path:
    """Only the files of a snapshot, elsewhere."""
    shutil.copytree(folder, target)
    return target


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def refused(kind: type[SparkctlError], words: str, act: Callable[[], object]) -> str:
    """One sentence that says what is wrong, and another what to do."""
    with pytest.raises(kind) as caught:
        act()
    assert words in caught.value.message, caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint
    return caught.value.message
