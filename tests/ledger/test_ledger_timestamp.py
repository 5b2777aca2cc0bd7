"""Time stamps of a real authority (openssl ts) over checkpoints, carried by files."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sparkctl.app.ledger_checkpoint import make_checkpoint
from sparkctl.app.ledger_file import write_document
from tests.ledger.book import START, filled
from tests.support.command import json_lines, sparkctl

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is not installed")

CONFIGURATION = """[tsa]
default_tsa = authority
[authority]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """A time-stamping authority with a root of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.root = folder, folder / "root.pem"
        (folder / "serial").write_text("01\n")
        (folder / "conf").write_text(CONFIGURATION.format(folder=folder))
        (folder / "ext").write_text("extendedKeyUsage=critical,timeStamping\n")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem",
                     "-subj", "/CN=Root of the test", "-days", "2")  # fmt: skip
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr",
                     "-subj", "/CN=Authority of the test")  # fmt: skip
        self.openssl("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial",
                     "-extfile", "ext", "-out", "tsa.pem", "-days", "2")  # fmt: skip

    def openssl(self, *words: str | Path) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)

    def answer(self, request: Path, out: Path) -> Path:
        self.openssl("ts", "-reply", "-config", "conf", "-queryfile", request, "-signer", "tsa.pem",
                     "-inkey", "tsa.key", "-out", out)  # fmt: skip
        return out


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


@pytest.fixture
def note(tmp_path: Path) -> Path:
    """An exported checkpoint."""
    write_document(make_checkpoint(filled(tmp_path / "state", 3), None, "here", START), tmp_path / "note.json")
    return tmp_path / "note.json"


def test_an_authority_tells_when_a_checkpoint_was_there(authority: Authority, note: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.tsq"
    ran = sparkctl("ledger", "timestamp-request", note, "--out", request, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    before = datetime.now(UTC)
    response = authority.answer(request, tmp_path / "response.tsr")
    words: list[str | Path] = ["ledger", "timestamp-verify", note, "--response", response, "--ca", authority.root]
    ran = sparkctl(*words, home=tmp_path)
    assert ran.returncode == 0, ran.stderr
    (told,) = json_lines(ran)
    assert abs(datetime.fromisoformat(told["at"]) - before) < timedelta(minutes=1)
    assert (told["origin"], told["size"]) == ("here", 3)


def test_what_is_not_over_it_or_not_of_them_is_refused(authority: Authority, note: Path, tmp_path: Path) -> None:
    request = tmp_path / "request.tsq"
    sparkctl("ledger", "timestamp-request", note, "--out", request, home=tmp_path)
    response = authority.answer(request, tmp_path / "response.tsr")
    other = tmp_path / "other.json"
    write_document(make_checkpoint(filled(tmp_path / "state", 1), None, None, START), other)
    stranger = Authority(tmp_path / "stranger")
    damaged = tmp_path / "damaged.tsr"
    content = bytearray(response.read_bytes())
    content[len(content) // 2] ^= 1
    damaged.write_bytes(content)
    (empty := tmp_path / "empty").write_bytes(b"")
    cases: list[tuple[list[str | Path], int]] = [
        ([other, "--response", response, "--ca", authority.root], 4),
        ([note, "--response", response, "--ca", stranger.root], 4),
        ([note, "--response", damaged, "--ca", authority.root], 4),
        ([note, "--response", empty, "--ca", authority.root], 4),
        ([note, "--response", tmp_path / "none", "--ca", authority.root], 2),
        ([empty, "--response", response, "--ca", authority.root], 2),
    ]
    for words, code in cases:
        ran = sparkctl("ledger", "timestamp-verify", *words, home=tmp_path)
        assert ran.returncode == code, (words, ran.stderr)
        assert "Traceback" not in ran.stderr
