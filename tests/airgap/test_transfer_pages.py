"""Every line of docs/airgap.md, run in a shell: what is written there is what happens."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sparkctl.resources import shipped
from tests.airgap.gaps import contents
from tests.support.command import program

pytestmark = pytest.mark.slow
FILES = {"dists/noble/Release": b"Suite: noble\n", "pool/a b.deb": b"deb", "pool/ends with blank ": bytes(10_000)}


def blocks(kind: str) -> list[str]:
    page = (shipped("docs") / "airgap.md").read_text("utf-8")
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


LINES = [block for block in blocks("sh") if "airgap have" not in block and "airgap receipt" not in block]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return make_place(tmp_path)


@pytest.fixture(scope="module")
def carried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place after all lines but those with plain tools, which come last: the bundles are on the stick."""
    made = make_place(tmp_path_factory.mktemp("carried"))
    ran = shell(made, "".join(LINES[:-1]))
    assert ran.returncode == 0, ran.stderr
    return made


def make_place(tmp_path: Path) -> Path:
    for tool in ("zstd", "sha256sum", "tar", "ssh-keygen"):
        if shutil.which(tool) is None:
            pytest.skip(f"there is no {tool}")
    for name in ("alice", "bob"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
    (rules,) = blocks("yaml")
    assert "clamscan" in rules
    (tmp_path / "airgap.yaml").write_text(rules.replace("clamscan, --recursive, --infected", "ls, -R"))
    for path, content in FILES.items():
        (tmp_path / "mirror" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mirror" / path).write_bytes(content)
    return tmp_path


def shell(place: Path, lines: str) -> "subprocess.CompletedProcess[str]":
    path = f"{program(place / 'bin').parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", lines], cwd=place, capture_output=True, text=True, timeout=300, check=False,
        env={"PATH": path, "HOME": str(place), "SPARKCTL_STATE": str(place / "state"), "LANG": "C.UTF-8"},
    )  # fmt: skip


def test_the_page_does_what_it_says(place: Path) -> None:
    for block in blocks("sh"):
        ran = shell(place, block)
        assert ran.returncode == 0, f"{block}\n{ran.stdout}\n{ran.stderr}"
        if "plain" not in block and "verify -f" in block:
            assert ran.stdout.count('Good "spark-transfer" signature for') == 2
    assert contents(place / "site/mirror/current") == FILES
    assert contents(place / "usb/files") == FILES
    assert (place / "usb/bom.cdx.json").read_text().startswith('{"bomFormat":"CycloneDX"')
    assert {path.name for path in (place / "out").iterdir()} == {f"mirror-0000000{n}" for n in (1, 2, 3)}


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("printf x >> usb/mirror-00000001/blobs.tar.zst.0001", "blobs.tar.zst.0001: FAILED"),
        ("sed -i 's/noble/nobel/' usb/mirror-00000001/files.sha256", "files.sha256: FAILED"),
        ("sed -i 's/^./0/; s/^0/f/' usb/mirror-00000001/SHA256SUMS", "incorrect signature"),
        ("rm usb/mirror-00000001/*.sig", "No such file"),
        ("rm usb/mirror-00000001/blobs.tar.zst.0001", "blobs.tar.zst.0001: FAILED open or read"),
        ("ssh-keygen -q -t ed25519 -N '' -f m && echo \"mallory $(cat m.pub)\" > signers", "No principal matched"),
    ],
    ids=["part", "list", "digests", "signature", "missing", "signer"],
)  # fmt: skip
def test_plain_tools_find_what_is_wrong(carried: Path, tmp_path: Path, damage: str, words: str) -> None:
    place = Path(shutil.copytree(carried, tmp_path / "place", symlinks=True))
    assert shell(place, damage).returncode == 0
    ran = shell(place, LINES[-1])
    assert ran.returncode != 0
    assert words in ran.stdout + ran.stderr
    assert not (place / "usb/files").exists()
