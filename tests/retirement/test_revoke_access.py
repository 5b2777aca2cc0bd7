"""Access is revoked to the letter: the named keys of the named users, the named files, and nothing else."""

import hashlib
import json
import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from diag.controllers import revoke_access
from diag.nodekit import revoking
from diag.nodekit.acting import ActingMachine
from diag.nodekit.controller import Asked, Refused
from diag.nodekit.parameters import BadParameters, read_all
from tests.ledger.book import key_pair

NOBODY = pwd.getpwnam("nobody")


def test_a_line_of_authorized_keys_has_the_fingerprint_that_openssh_prints(tmp_path: Path) -> None:
    key = key_pair(tmp_path).with_suffix(".pub")
    line = " ".join(key.read_text().split()[:2])
    shown = subprocess.run(["ssh-keygen", "-lf", key], capture_output=True, text=True, check=True).stdout.split()[1]
    for text in (line, f"{line} a comment", f'from="10.0.0.1",command="say ssh-rsa AAAA" {line} x'):
        assert revoking.fingerprint_in(text) == shown
    for text in (f"# {line}", "", "ssh-ed25519", "ssh-ed25519 ???", "words and words"):
        assert revoking.fingerprint_in(text) is None


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A small tree with a user and a token."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").write_text("spark:x:1000:1000::/home/spark:/bin/bash\nbroken\n")
    (tmp_path / "home/spark/.ssh").mkdir(parents=True)
    (tmp_path / "etc/token").write_text("t0ken")
    return tmp_path


TOKEN = hashlib.sha256(b"t0ken").hexdigest()


def asked(**given: object) -> Asked:
    return Asked(read_all(revoke_access.CONTROLLER.parameters, given), "0" * 36)


def test_the_precheck_says_what_is_there(tree: Path) -> None:
    machine = ActingMachine(str(tree))
    key = key_pair(tree, "mine").with_suffix(".pub").read_text()
    other = key_pair(tree, "other").with_suffix(".pub").read_text()
    (tree / "home/spark/.ssh/authorized_keys").write_text(f"# ours\n{key}{other}{key}")
    mine = str(revoking.fingerprint_in(key))
    verdict = revoke_access.precheck(machine, asked(users=["spark"], keys=[mine], tokens={"/etc/token": TOKEN}))
    assert verdict.result == "ready"
    assert verdict.observed == {"keys of spark": 3, "to revoke of spark": 2, "/etc/token": TOKEN}
    assert revoke_access.precheck(machine, asked(users=["spark"], keys=["SHA256:" + "A" * 43])).result == "holds"
    nothing = revoke_access.precheck(machine, asked())
    assert (nothing.result, nothing.summary) == ("holds", "nothing is named that is to be revoked")
    for given, reason in (
        (asked(keys=[mine]), "no_users"),
        (asked(users=["nobody-here"]), "no_such_user"),
        (asked(tokens={"/etc/token": "0" * 64}), "other_file"),
    ):
        with pytest.raises(Refused) as refused:
            revoke_access.precheck(machine, given)
        assert refused.value.reason == reason
    (tree / "etc/link").symlink_to("token")
    with pytest.raises(Refused, match="is a link"):
        revoke_access.precheck(machine, asked(tokens={"/etc/link": TOKEN}))


@pytest.mark.parametrize(
    "path", ["/usr/bin/ssh", "/proc/1/mem", "etc/token", "/etc/../usr/bin/ssh", "/etc/a b", "/etc"]
)
def test_no_other_path_can_be_named(path: str) -> None:
    with pytest.raises(BadParameters):
        asked(tokens={path: TOKEN})


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root takes the rights of another user")


@needs_root
def test_keys_go_and_all_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path("/dev/shm") / f"sparkctl-home-{os.getpid()}"
    (home / ".ssh").mkdir(parents=True, mode=0o755)
    try:
        key = key_pair(tmp_path, "mine").with_suffix(".pub").read_text()
        other = key_pair(tmp_path, "other").with_suffix(".pub").read_text()
        file = home / ".ssh/authorized_keys"
        file.write_bytes(f"# ours\n{key}".encode() + b"# \xff odd\n" + other.encode())
        file.chmod(0o640)
        for place in (home, home / ".ssh", file):
            os.chown(place, NOBODY.pw_uid, NOBODY.pw_gid)
        account = pwd.struct_passwd((*NOBODY[:5], str(home), NOBODY.pw_shell))
        monkeypatch.setattr("pwd.getpwnam", lambda _: account)
        groups = os.getgroups()
        before = file.read_bytes()
        asked = {"users": ["nobody"], "keys": [revoking.fingerprint_in(key)], "tokens": {}}
        assert revoking.main(json.dumps(asked)) == 0
        os.setgroups(groups)
        assert file.read_bytes() == b"# ours\n# \xff odd\n" + other.encode()
        found = file.stat()
        assert (found.st_uid, found.st_mode & 0o777) == (NOBODY.pw_uid, 0o640)
        assert hashlib.sha256(before).hexdigest() != hashlib.sha256(file.read_bytes()).hexdigest()
        assert [one.name for one in (home / ".ssh").iterdir()] == ["authorized_keys"]
        secret = tmp_path / "root-only"
        secret.write_text(key)
        secret.chmod(0o600)
        file.unlink()
        file.symlink_to(secret)
        assert revoking.main(json.dumps(asked)) == 1
        os.setgroups(groups)
        assert secret.read_text() == key
    finally:
        shutil.rmtree(home)


def test_a_token_goes_only_if_it_is_the_one_that_is_meant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (token := tmp_path / "token").write_text("t0ken")
    (other := tmp_path / "other").write_text("another")
    (link := tmp_path / "link").symlink_to(other)
    tokens = {str(token): TOKEN, str(other): TOKEN, str(link): TOKEN, str(tmp_path / "gone"): TOKEN}
    assert revoking.main(json.dumps({"users": [], "keys": [], "tokens": tokens})) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one.get("removed") for one in told] == [1, None, None, 0]
    assert told[0]["before"] == TOKEN
    assert not token.exists()
    assert other.read_text() == "another"
    assert link.is_symlink()
