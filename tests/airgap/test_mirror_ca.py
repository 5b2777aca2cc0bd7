"""The certificates of a site: made once, never overwritten, and keys that nobody else can read."""

import json
import stat
from pathlib import Path

from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sparkctl.airgap.mirrors.chain import chain, loaded
from sparkctl.cli.airgap_mirror_ca import mirror_ca
from sparkctl.errors import RefusedError, UsageError


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(mirror_ca, ["firmware", *map(str, arguments)])


def test_a_ca_is_made_and_issues_one_more_certificate_later(tmp_path: Path) -> None:
    safe, later = tmp_path / "safe/ca", tmp_path / "later"
    made = run("--out", safe, "--name", "Lab", "--days", "10", "--format", "json")
    assert made.exit_code == 0, made.output
    names = {"firmware-ca.key", "firmware-ca.pem", "firmware-sign.key", "firmware-sign.pem"}
    assert {Path(name).name for name in json.loads(made.output)["files"]} == names
    assert {path.name for path in safe.iterdir()} == names
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in safe.iterdir()}
    assert modes == {name: 0o600 if name.endswith(".key") else 0o644 for name in names}
    assert stat.S_IMODE(safe.stat().st_mode) == 0o700
    assert run("--out", later, "--from", safe, "--format", "human").exit_code == 0
    assert {path.name for path in later.iterdir()} == {"firmware-sign.key", "firmware-sign.pem"}
    [authority] = loaded((safe / "firmware-ca.pem").read_text())
    for folder in (safe, later):
        signer, above = loaded((folder / "firmware-sign.pem").read_text())
        assert above == authority
        assert chain(signer, (), [authority], signer.not_valid_before_utc) == (signer, authority)
        assert signer.not_valid_after_utc <= authority.not_valid_after_utc
        key = load_pem_private_key((folder / "firmware-sign.key").read_bytes(), None)
        assert key.public_key() == signer.public_key()
    usage = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (usage.critical, usage.value.ca, usage.value.path_length) == (True, True, 0)


def test_nothing_is_overwritten_and_nothing_half_made_stays(tmp_path: Path) -> None:
    (tmp_path / "firmware-sign.pem").write_text("mine")
    refused = run("--out", tmp_path)
    assert isinstance(refused.exception, RefusedError)
    assert "is there already" in str(refused.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["firmware-sign.pem"]
    assert (tmp_path / "firmware-sign.pem").read_text() == "mine"


def test_a_ca_that_is_not_whole_or_not_private_issues_nothing(tmp_path: Path) -> None:
    safe, other = tmp_path / "safe", tmp_path / "other"
    for folder in (safe, other):
        assert run("--out", folder).exit_code == 0

    def refused(kind: type[Exception], words: str) -> None:
        ran = run("--out", tmp_path / "new", "--from", safe)
        assert isinstance(ran.exception, kind), ran.output
        assert words in str(ran.exception)
        assert not (tmp_path / "new").exists()

    key = safe / "firmware-ca.key"
    key.chmod(0o640)
    refused(RefusedError, "may be read by others")
    key.chmod(0o600)
    content = key.read_bytes()
    key.write_bytes((other / "firmware-ca.key").read_bytes())
    refused(UsageError, "is not the key of")
    key.write_bytes(b"hello")
    refused(UsageError, "holds no CA that can be read")
    key.write_bytes(content)
    (safe / "firmware-ca.pem").unlink()
    refused(UsageError, "there is no")
    assert "is not a" in run("--out", tmp_path / "new", "--days", "many").output
    assert "printable name" in run("--out", tmp_path / "new", "--name", "x" * 41).output
