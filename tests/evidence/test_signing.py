"""Who may sign, with which keys, for what, and until when; all of it by the real ssh-keygen."""

import contextlib
import os
import pty
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sparkctl.errors import RefusedError, UsageError
from sparkctl.evidence.signers import Ed25519Signer, OpenSshSigner, signer_of
from sparkctl.evidence.trust import AllowedSigners, PublicKey
from sparkctl.evidence.verifying import Authenticity, verify
from tests.evidence.making import (
    ABOUT,
    CONTENTS,
    MISSING,
    allowed,
    openssh_key,
    pem_key,
    sealed,
)

pytestmark = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="there is no ssh-keygen")


@pytest.mark.parametrize(
    "kind", [("ed25519",), ("ecdsa", "-b", "256"), ("rsa", "-b", "2048")], ids=lambda kind: kind[0]
)
def test_openssh_keys(tmp_path: Path, kind: tuple[str, ...]) -> None:
    key = openssh_key(tmp_path, "key", "-t", *kind)
    bundle = sealed(tmp_path / "b", signer_of(key)).path
    found = verify(bundle, AllowedSigners(allowed(tmp_path, key)))
    assert (found.authenticity, found.entries, found.withheld) == (Authenticity.SIGNED, len(CONTENTS), 0)
    assert (found.about, list(found.missing), found.missing_count) == (ABOUT, MISSING, 1)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", str(key)], check=True, capture_output=True, text=True, timeout=60
    )
    assert found.signed_by is not None
    assert found.signed_by.principal == "ops@example.org"
    assert found.signed_by.fingerprint == listed.stdout.split()[1]
    by_key = verify(bundle, PublicKey(key.with_suffix(".pub")))
    assert by_key.signed_by is not None
    assert (by_key.signed_by.principal, by_key.signed_by.fingerprint) == (None, listed.stdout.split()[1])


def test_a_plain_ed25519_key(tmp_path: Path) -> None:
    signer = signer_of(pem_key(tmp_path))
    assert isinstance(signer, Ed25519Signer)
    bundle = sealed(tmp_path / "b", signer).path
    assert verify(bundle, PublicKey(tmp_path / "key.pub.pem")).authenticity is Authenticity.SIGNED
    pem_key(tmp_path, "other")
    with pytest.raises(RefusedError, match="not signed by the key in"):
        verify(bundle, PublicKey(tmp_path / "other.pub.pem"))
    with pytest.raises(RefusedError, match="plain Ed25519 key"):
        verify(bundle, AllowedSigners(allowed(tmp_path, openssh_key(tmp_path))))
    with pytest.raises(RefusedError, match="not signed by the key in"):
        verify(bundle, PublicKey(openssh_key(tmp_path, "rsa", "-t", "rsa").with_suffix(".pub")))


def test_one_key_in_both_formats(tmp_path: Path) -> None:
    """A PEM of the public key checks what the OpenSSH form of the private key signed, and the other way round."""
    private = load_pem_private_key(pem_key(tmp_path).read_bytes(), None)
    openssh = tmp_path / "openssh"
    openssh.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    openssh.chmod(0o600)
    line = private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    (tmp_path / "openssh.pub").write_bytes(line + b" a comment\n")
    for number, (key, public) in enumerate(((openssh, "key.pub.pem"), (tmp_path / "key.pem", "openssh.pub"))):
        bundle = sealed(tmp_path / f"b{number}", signer_of(key)).path
        assert verify(bundle, PublicKey(tmp_path / public)).authenticity is Authenticity.SIGNED


def test_no_key_asked_for_says_so_and_a_key_asked_for_is_never_passed_over(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    unsigned, signed = sealed(tmp_path / "u").path, sealed(tmp_path / "s", signer_of(key)).path
    assert verify(unsigned, None).authenticity is Authenticity.UNSIGNED
    assert verify(signed, None).authenticity is Authenticity.NOT_CHECKED
    for trust in (AllowedSigners(allowed(tmp_path, key)), PublicKey(key.with_suffix(".pub"))):
        with pytest.raises(RefusedError, match="is not signed"):
            verify(unsigned, trust)


def test_the_wrong_key_and_the_wrong_namespace(tmp_path: Path) -> None:
    key, other = openssh_key(tmp_path), openssh_key(tmp_path, "other")
    bundle = sealed(tmp_path / "b", signer_of(key)).path
    with pytest.raises(RefusedError, match="signed by nobody in"):
        verify(bundle, AllowedSigners(allowed(tmp_path, other)))
    with pytest.raises(RefusedError, match="not signed by the key in"):
        verify(bundle, PublicKey(other.with_suffix(".pub")))
    with pytest.raises(RefusedError, match="namespace"):
        verify(bundle, AllowedSigners(allowed(tmp_path, key, 'namespaces="git,file"')))
    assert verify(bundle, AllowedSigners(allowed(tmp_path, key, 'namespaces="git,spark-evidence"'))).signed_by


def test_a_signature_that_was_made_for_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = openssh_key(tmp_path)
    monkeypatch.setattr("sparkctl.evidence.signers.NAMESPACE", "file")
    bundle = sealed(tmp_path / "b", signer_of(key)).path
    monkeypatch.undo()
    for trust in (AllowedSigners(allowed(tmp_path, key)), PublicKey(key.with_suffix(".pub"))):
        with pytest.raises(RefusedError, match=r"namespace|not signed by the key"):
            verify(bundle, trust)


def test_an_expired_key_counts_only_for_what_is_known_to_be_older(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    bundle = sealed(tmp_path / "b", signer_of(key)).path
    signers = allowed(tmp_path, key, 'valid-after="20250101Z",valid-before="20250601Z"')
    with pytest.raises(RefusedError, match="expired"):
        verify(bundle, AllowedSigners(signers))
    known = AllowedSigners(signers, datetime(2025, 5, 31, 12, tzinfo=UTC))
    assert verify(bundle, known).authenticity is Authenticity.SIGNED
    for moment in (datetime(2025, 6, 1, 0, 1, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC)):
        with pytest.raises(RefusedError, match=r"expired|not yet valid"):
            verify(bundle, AllowedSigners(signers, moment))


def test_a_certificate_of_an_authority(tmp_path: Path) -> None:
    authority, key = openssh_key(tmp_path, "authority"), openssh_key(tmp_path)
    command = ["ssh-keygen", "-q", "-s", str(authority), "-I", "ops", "-n", "ops@example.org"]
    subprocess.run([*command, "-V", "20250101Z:20270101Z", f"{key}.pub"], check=True, timeout=60)
    certificate = key.with_name("key-cert.pub")
    with agent(tmp_path, key):
        bundle = sealed(tmp_path / "b", signer_of(certificate)).path
    signers = allowed(tmp_path, authority, 'cert-authority,namespaces="spark-evidence"')
    known = datetime(2026, 5, 1, tzinfo=UTC)
    found = verify(bundle, AllowedSigners(signers, known))
    assert found.signed_by is not None
    assert found.signed_by.principal == "ops@example.org"
    with pytest.raises(RefusedError, match="no valid principals"):
        verify(bundle, AllowedSigners(signers, datetime(2028, 1, 1, tzinfo=UTC)))
    with pytest.raises(RefusedError, match="signed by nobody"):
        verify(bundle, AllowedSigners(allowed(tmp_path, authority, "", "ops@example.org"), known))


@contextlib.contextmanager
def agent(folder: Path, key: Path) -> Iterator[None]:
    """An agent that holds a key, and is the one that this process asks."""
    if not shutil.which("ssh-agent"):
        pytest.skip("there is no ssh-agent")
    with contextlib.ExitStack() as kept, pytest.MonkeyPatch.context() as patch:
        running = subprocess.Popen(["ssh-agent", "-D", "-a", str(folder / "a")], stdout=subprocess.DEVNULL)
        kept.callback(running.wait)
        kept.callback(running.terminate)
        until = time.monotonic() + 10
        while not (folder / "a").exists() and time.monotonic() < until:
            time.sleep(0.02)
        patch.setenv("SSH_AUTH_SOCK", str(folder / "a"))
        subprocess.run(["ssh-add", "-q", str(key)], check=True, timeout=60)
        yield


def test_a_key_that_only_the_agent_has(tmp_path: Path) -> None:
    key = openssh_key(tmp_path)
    with agent(tmp_path, key):
        key.unlink()
        bundle = sealed(tmp_path / "b", signer_of(key.with_suffix(".pub"))).path
    assert verify(bundle, PublicKey(key.with_suffix(".pub"))).authenticity is Authenticity.SIGNED
    with pytest.raises(UsageError, match="was not signed"):
        sealed(tmp_path / "without", signer_of(key.with_suffix(".pub")))
    assert not (tmp_path / "without").exists()


def test_a_passphrase_without_a_terminal_is_a_clear_error(tmp_path: Path) -> None:
    key = openssh_key(tmp_path, passphrase="correct horse")
    script = (
        "import sys; from pathlib import Path; from sparkctl.evidence.signers import signer_of\n"
        "from sparkctl.errors import UsageError\n"
        "try: signer_of(Path(sys.argv[1])).sign(b'x')\n"
        "except UsageError as error: print(error, '|', error.hint)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name not in {"DISPLAY", "SSH_AUTH_SOCK"}}
    ran = subprocess.run(
        [sys.executable, "-c", script, str(key)], capture_output=True, text=True, check=False, timeout=60,
        stdin=subprocess.DEVNULL, start_new_session=True, cwd=Path(__file__).parents[2], env=environment,
    )  # fmt: skip
    assert "was not signed" in ran.stdout, ran.stderr
    assert "has it a passphrase" in ran.stdout


def test_a_passphrase_is_asked_for_on_a_terminal(tmp_path: Path) -> None:
    key = openssh_key(tmp_path, passphrase="correct horse")
    script = (
        "import sys; from pathlib import Path; from sparkctl.evidence.signers import signer_of\n"
        "print('SIGNED', signer_of(Path(sys.argv[1])).sign(b'x').fingerprint, flush=True)\n"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.pop("SSH_AUTH_SOCK", None)
        os.chdir(Path(__file__).parents[2])
        os.execv(sys.executable, [sys.executable, "-c", script, str(key)])
    shown, asked, until = b"", False, time.monotonic() + 60
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            shown += os.read(terminal, 1024)
        except OSError:
            break
        if b"passphrase" in shown and not asked:
            os.write(terminal, b"correct horse\n")
            asked = True
    os.waitpid(pid, 0)
    os.close(terminal)
    assert b"SIGNED SHA256:" in shown, shown


def test_keys_that_are_none(tmp_path: Path) -> None:
    bundle = sealed(tmp_path / "b", signer_of(pem_key(tmp_path))).path
    bad = tmp_path / "bad"
    pem = b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
    private = (tmp_path / "key.pem").read_bytes()
    for content in (b"", b"nonsense", b"ops@a-b.org ssh-ed25519 AAAA", pem, b"a" * 70_000, private):
        bad.write_bytes(content)
        with pytest.raises(UsageError, match=r"is no |holds no public key"):
            verify(bundle, PublicKey(bad))
    with pytest.raises(UsageError, match="there is no key"):
        verify(bundle, PublicKey(tmp_path / "absent"))
    with pytest.raises(UsageError, match="there is no file"):
        verify(sealed(tmp_path / "o", OpenSshSigner(openssh_key(tmp_path))).path, AllowedSigners(tmp_path / "absent"))


def test_private_keys_that_are_none(tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    bad.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
    with pytest.raises(UsageError, match="cannot be read"):
        signer_of(bad)
    bad.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(UsageError, match="a PEM with a passphrase"):
        signer_of(bad)
    bad.write_text("nonsense\n")
    with pytest.raises(UsageError, match="was not signed"):
        sealed(tmp_path / "b", signer_of(bad))
    assert not (tmp_path / "b").exists()


def test_whoever_says_that_another_key_signed(tmp_path: Path) -> None:
    key, other = openssh_key(tmp_path), openssh_key(tmp_path, "other")
    claimed = OpenSshSigner(other).sign(b"x").fingerprint

    class Liar:
        def sign(self, content: bytes) -> object:
            made = OpenSshSigner(key).sign(content)
            return type(made)(claimed, made.signature)

    bundle = sealed(tmp_path / "b", Liar()).path  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match=f"says that {claimed[:10]}"):
        verify(bundle, AllowedSigners(allowed(tmp_path, key)))
