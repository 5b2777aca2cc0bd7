"""known_hosts files: what they mean, what is malformed, and how a pin is added."""

import base64
import hashlib
import hmac
import multiprocessing
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.errors import UsageError
from sparkctl.model.vocabulary import Cause
from sparkctl.transport.choose import open_transport
from sparkctl.transport.hostkeys import HostKeys, PresentedKey, judge, pin
from sparkctl.transport.seam import TransportError
from tests.support.sshd import fingerprint, make_key, public_key, require_sshd
from tests.transport.wire import settings


@pytest.fixture
def key(folder: Path) -> Path:
    require_sshd()
    return make_key(folder / "key")


def trusted(path: Path, host: str, port: int = 22) -> list[str]:
    return [pinned.fingerprint for pinned in HostKeys().lookup(host, port, [path]).trusted]


def hashed(name: str) -> str:
    salt = b"0123456789abcdefghij"
    digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def test_names_patterns_ports_and_hashes(folder: Path, key: Path) -> None:
    path, public = folder / "known_hosts", public_key(key)
    lines = ["# comment", "", f"a,b {public} me@here", f"*.lab,!bad.lab {public}", f"[c]:2222 {public}"]
    path.write_text("\n".join([*lines, f"{hashed('h')} {public}", f"{hashed('[h2]:7')} {public}"]))
    known = [("a", 22), ("b", 22), ("x.lab", 22), ("c", 2222), ("h", 22), ("h2", 7), ("a", 2222)]
    assert [trusted(path, host, port) for host, port in known] == [[fingerprint(key)]] * len(known)
    for host, port in [("c", 22), ("bad.lab", 22), ("d", 22), ("h2", 22)]:
        assert trusted(path, host, port) == []


def test_markers(folder: Path, key: Path) -> None:
    path = folder / "known_hosts"
    path.write_text(f"@cert-authority *.lab {public_key(key)}\n@revoked * {public_key(key)}\n")
    pins = HostKeys().lookup("x.lab", 22, [path])
    assert (len(pins.trusted), len(pins.authorities), len(pins.revoked)) == (0, 1, 1)


@pytest.mark.parametrize(
    ("revoked", "pinned"),
    [("@revoked [a]:2222", None), ("@revoked a", None), ("@revoked a", "[a]:2222"), ("@revoked [a]:2222", "a")],
)
def test_a_revocation_holds_with_and_without_the_port(
    revoked: str, pinned: str | None, folder: Path, key: Path
) -> None:
    path, public = folder / "known_hosts", public_key(key)
    path.write_text(f"{revoked} {public}\n" + (f"{pinned} {public}\n" if pinned else ""))
    pins = HostKeys().lookup("a", 2222, [path])
    assert [pin.fingerprint for pin in pins.revoked] == [fingerprint(key)]
    refusal = judge(pins, PresentedKey.of(base64.b64decode(public.split()[1])))
    assert refusal is not None
    assert refusal.cause is Cause.HOST_KEY_REVOKED


def test_an_absent_file_is_empty_and_a_new_key_type_is_passed_over(folder: Path) -> None:
    assert trusted(folder / "absent", "a") == []
    blob = base64.b64encode(b"\0\0\0\x06future" + b"\0" * 40).decode()
    (folder / "new").write_text(f"a future {blob}\n")
    assert trusted(folder / "new", "a") == []


@pytest.mark.parametrize(
    "line",
    [
        "a",
        "a ssh-ed25519",
        "a ssh-ed25519 not*base64",
        "a ssh-ed25519 AAAAC3NzaC1lZDI1NTE5",
        "a ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIDWHqLRFYDoSfDisjuvmmOqr10+uKNWRAsR7LUeh1OM2",
        "@revokd a ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDWHqLRFYDoSfDisjuvmmOqr10+uKNWRAsR7LUeh1OM2",
        "|1|x a ssh-ed25519",
        "|2|MDEy|MDEy ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDWHqLRFYDoSfDisjuvmmOqr10+uKNWRAsR7LUeh1OM2",
        "\x1b[31m \udcff\udcff",
    ],
)
@pytest.mark.parametrize("name", ["asyncssh", "paramiko"])
def test_a_malformed_line_is_named(folder: Path, line: str, name: str) -> None:
    options = settings(folder)
    options.pins_file.write_text(f"# first\n{line}\n", errors="surrogateescape")
    with pytest.raises(UsageError) as caught:
        open_transport(name, options)  # type: ignore[arg-type]
    assert caught.value.message.startswith(f"{options.pins_file}:2: ")
    assert caught.value.message.isprintable()


def test_a_pin_is_added_once_and_readable_by_nobody_else(folder: Path, key: Path) -> None:
    path = folder / "state" / "pins"
    pin(path, "a", 22, public_key(key) + " comment")
    pin(path, "a", 22, public_key(key))
    pin(path, "a", 2222, public_key(key))
    assert path.read_text() == f"a {public_key(key)}\n[a]:2222 {public_key(key)}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_keys_for_one_name_are_not_both_accepted(folder: Path, key: Path) -> None:
    """Both were unknown when their visits began."""
    host_keys, files = HostKeys(), (folder / "pins",)
    first, second = (
        PresentedKey.of(base64.b64decode(public_key(path).split()[1])) for path in (key, make_key(folder / "second"))
    )
    assert first.fingerprint == fingerprint(key)
    assert first.public_key == public_key(key)
    assert first.fingerprint in (host_keys.accept("a", 22, files, first) or "")
    assert host_keys.accept("a", 22, files, first) is None
    with pytest.raises(TransportError) as caught:
        host_keys.accept("a", 22, files, second)
    assert caught.value.cause is Cause.HOST_KEY_CHANGED
    assert trusted(files[0], "a") == [first.fingerprint]


def test_a_torn_last_line_does_not_swallow_a_pin(folder: Path, key: Path) -> None:
    path = folder / "pins"
    path.write_text("# cut off")
    pin(path, "a", 22, public_key(key))
    assert trusted(path, "a") == [fingerprint(key)]


def _pin_many(path: Path, name: str, public: str) -> None:
    for number in range(25):
        pin(path, f"{name}{number}", 22, public)


def test_pins_of_several_processes_are_all_kept_whole(folder: Path, key: Path) -> None:
    path, public = folder / "pins", public_key(key)
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_pin_many, args=(path, name, public)) for name in ("a", "b")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert sorted(path.read_text().splitlines()) == sorted(f"{n}{i} {public}" for n in "ab" for i in range(25))


def test_choosing_costs_no_library_that_is_not_used() -> None:
    script = (
        "import sys, sparkctl.transport.choose as c, sparkctl.transport.settings as s, pathlib\n"
        "c.open_transport('local', s.TransportSettings(pathlib.Path('/nowhere')))\n"
        "sys.exit(bool({'asyncssh', 'paramiko', 'cryptography'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
