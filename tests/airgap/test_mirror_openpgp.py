"""What gpgv would let pass, and apt would not take, or read otherwise: refused before it is anything."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors import openpgp
from sparkctl.errors import RefusedError
from tests.support.archive import GpgHome

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("gpg") or not shutil.which("gpgv"), reason="apt-get install gpg gpgv"),
]
TEXT = b"Suite: noble\n- a line that is escaped\n"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpgHome]:
    made = GpgHome()
    made.make("owner")
    made.make("stranger")
    yield made
    made.close()


@pytest.fixture
def key(keys: GpgHome, tmp_path: Path) -> str:
    return openpgp.armoured(keys.public("owner", tmp_path / "owner.asc").read_bytes())


def made(keys: GpgHome, folder: Path, how: str, *more: str, text: bytes = TEXT, by: str = "owner") -> Path:
    (folder / "text").write_bytes(text)
    (folder / "signed").unlink(missing_ok=True)
    keys.gpg(*more, "--local-user", f"{by}@example.net", how, "--output", str(folder / "signed"), str(folder / "text"))
    return folder / "signed"


def test_a_text_with_its_signature_is_taken(keys: GpgHome, key: str, tmp_path: Path) -> None:
    path = made(keys, tmp_path, "--clearsign")
    assert openpgp.verified(path, key, "InRelease").text == TEXT.decode()
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\n\n")
    assert openpgp.verified(path, key, "InRelease").keys


@pytest.mark.parametrize("how", ["before", "after", "twice", "header", "binary", "armoured", "apart"])
def test_anything_around_it_or_of_another_form_is_refused(keys: GpgHome, key: str, tmp_path: Path, how: str) -> None:
    """gpgv holds all of these for signed, but for the last."""
    forms = {"binary": ("--sign",), "armoured": ("--sign", "--armor"), "apart": ("--detach-sign", "--armor")}
    path = made(keys, tmp_path, *forms.get(how, ("--clearsign",)))
    content = path.read_bytes()
    changed = {
        "before": b"Suite: other\n" + content, "after": content + b"Suite: other\n", "twice": content + content,
        "header": content.replace(b"\nHash: ", b"\nSuite: other\nHash: ", 1),
    }  # fmt: skip
    path.write_bytes(changed.get(how, content))
    with pytest.raises(RefusedError, match=r"it is not one text with its signature|nobody signed it"):
        openpgp.verified(path, key, "InRelease")


def test_a_signature_over_sha1_is_refused(keys: GpgHome, key: str, tmp_path: Path) -> None:
    path = made(keys, tmp_path, "--clearsign", "--digest-algo", "SHA1")
    with pytest.raises(RefusedError, match="its signature is over SHA-1 or older"):
        openpgp.verified(path, key, "InRelease")
    apart = made(keys, tmp_path, "--detach-sign", "--digest-algo", "SHA1").read_bytes()
    with pytest.raises(RefusedError, match="its signature is over SHA-1 or older"):
        openpgp.verified_apart(TEXT, apart, key, "SHA256SUMS")


def test_what_a_stranger_compressed_is_not_written_out(
    keys: GpgHome, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """gpgv writes what it finds before it knows who signed it: a megabyte would be a gigabyte."""
    monkeypatch.setattr(openpgp, "MAX_SIGNED", 2**20)
    path = made(keys, tmp_path, "--sign", text=bytes(8 * 2**20), by="stranger")
    text = tmp_path / "out"
    with pytest.raises(subprocess.CalledProcessError):
        subprocess.run(["gpgv", "--output", str(text), str(path)], check=True, capture_output=True)
    assert text.stat().st_size == 8 * 2**20
    text.unlink()
    openpgp._gpgv("--output", str(text), str(path), named="x")
    assert text.stat().st_size <= 2**20 + 1
