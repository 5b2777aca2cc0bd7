"""mirror.yaml: every error names file, line and key; and indexes of archives that are not what they should be."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors.apt_index import MAX_LINE, Listed, depends, packages, release, require_suite
from sparkctl.airgap.mirrors.openpgp import armoured, keyring
from sparkctl.app.mirror_file import examine, mirror_file
from sparkctl.errors import RefusedError, UsageError
from sparkctl.model.mirror_apt import AptMirror

KEY = bytes([0x98, 3, 4, 1, 2])  # a packet of a public key, as far as anybody looks here
WHOLE = """\
version: 1
folder: mirror
url: https://mirror.lab.example/m/
rings: [first, second]
soak: 3d
apt:
  ubuntu:
    uri: http://ports.ubuntu.com/ubuntu-ports/
    suites: [noble, noble-updates]
    components: [main]
    signed_by: owner.gpg
pins:
  driver: {packages: ["nvidia-*"], pin: "release l=CUDA", priority: -1}
not_covered: ["snaps"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "owner.gpg").write_bytes(KEY)
    path = tmp_path / "mirror.yaml"
    path.write_text(WHOLE)
    return path


def test_a_file_is_read_whole(file: Path) -> None:
    read = mirror_file(file)
    assert (read.folder, read.url) == (file.parent / "mirror", "https://mirror.lab.example/m")
    assert (read.rings, read.soak, read.not_covered) == (("first", "second"), 259_200, ("snaps",))
    assert read.pins[0].priority == -1
    spec = read.mirrors["ubuntu"].spec
    assert isinstance(spec, AptMirror)
    assert (spec.architectures, spec.flat, keyring(spec.key)) == (["arm64"], False, KEY)


@pytest.mark.parametrize(
    ("old", "new", "where", "words"),
    [
        ("version: 1\n", "", "1:", "`version` is missing"),
        ("folder: mirror\n", "", "1:", "`folder` is missing"),
        ("soak: 3d", "soak: soon", "5: soak", "must be a duration"),
        ("rings: [first, second]", "rings: [first, first]", "4: rings", "a ring is named twice"),
        ("rings: [first, second]", "rings: [../etc]", "4: rings", "must be of small letters"),
        ("  ubuntu:", "  ../ubuntu:", "7: apt.../ubuntu", "its name must be of small letters"),
        ("http://ports.ubuntu.com/ubuntu-ports/", "file:///srv", "8: apt.ubuntu.uri", "must be http(s)://HOST/PATH"),
        ("http://ports", "http://me:secret@ports", "8: apt.ubuntu.uri", "without a login"),
        ("[noble, noble-updates]", '["../up"]', "9: apt.ubuntu.suites", "must be the name of a suite"),
        ("[noble, noble-updates]", "/", "9: apt.ubuntu.suites", "and no components"),
        ("    components: [main]\n", "", "8: apt.ubuntu", "`components` is missing"),
        ("    components: [main]\n", "    packages: [jq]\n    components: [main]\n", "8: apt.ubuntu", "signed again"),
        ("signed_by: owner.gpg", "signed_by: none.gpg", "11: apt.ubuntu.signed_by", "cannot be read"),
        ("signed_by: owner.gpg", "signed_by: mirror.yaml", "11: apt.ubuntu.signed_by", "must be a public key"),
        ("    signed_by: owner.gpg\n", "", "8: apt.ubuntu", "`signed_by` is missing"),
        ("signed_by: owner.gpg\n", "signed_by: owner.gpg\n    trusted: yes\n", "12: apt.ubuntu.trusted", "unknown"),
        ('pin: "release l=CUDA"', "pin: everything", "13: pins.driver.pin", "must be as `origin HOST`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(file: Path, old: str, new: str, where: str, words: str) -> None:
    assert old in WHOLE
    file.write_text(WHOLE.replace(old, new, 1))
    settings, problems = examine(file)
    assert settings is None
    assert any(f"{file}:{where}" in problem.sentence and words in problem.sentence for problem in problems), problems


def test_a_private_key_is_no_keyring() -> None:
    with pytest.raises(ValueError, match="this is a private one"):
        armoured(b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQVYBF\n-----END PGP PRIVATE KEY BLOCK-----\n")


def test_a_keyring_is_the_same_after_armour() -> None:
    long = KEY * 60
    assert keyring(armoured(long)) == long
    assert armoured(armoured(long).encode()) == armoured(long)


INDEX = b"Package: tool\nPre-Depends: one (>= 2)\nDepends: two:any | three, four\nSize: 3\nSHA256: %s\nFilename: %s\n\n"


def index(folder: Path, name: str, content: bytes) -> Path:
    forms: dict[str, Callable[[bytes], bytes]] = {".xz": lzma.compress, ".gz": gzip.compress, ".bz2": bz2.compress}
    packed = forms.get(Path(name).suffix, bytes)
    (folder / name).write_bytes(packed(content))
    return folder / name


@pytest.mark.parametrize("name", ["Packages", "Packages.xz", "Packages.gz", "Packages.bz2"])
def test_an_index_is_read_in_each_form(tmp_path: Path, name: str) -> None:
    path = index(tmp_path, name, INDEX % (b"a" * 64, b"pool/tool.deb") * 2)
    assert list(packages(path, None)) == [Listed("pool/tool.deb", 3, "a" * 64)] * 2
    with pytest.raises(UsageError, match="does not unpack to what"):
        list(packages(path, Listed("Packages", 1, "b" * 64)))


@pytest.mark.parametrize("name", ["Packages.xz", "Packages.gz", "Packages.bz2"])
def test_an_index_that_is_cut_off_or_no_such_file_is_refused(tmp_path: Path, name: str) -> None:
    path = index(tmp_path, name, INDEX % (b"a" * 64, b"pool/tool.deb"))
    for content in (path.read_bytes()[:-9], b"hello" * 20):
        path.write_bytes(content)
        with pytest.raises(UsageError, match="does not unpack"):
            list(packages(path, None))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (INDEX % (b"a" * 64, b"../../etc/passwd"), "a path is relative"),
        (INDEX % (b"a" * 64, b"/etc/passwd"), "a path is relative"),
        (INDEX % (b"short", b"pool/tool.deb"), "without size and SHA-256"),
        (b"Package: tool\nFilename: pool/tool.deb\n", "without size and SHA-256"),
        (b"x" * (MAX_LINE + 300_000), "a line of more than"),
    ],
)
def test_a_hostile_index_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        list(packages(index(tmp_path, "Packages.xz", content), None))


def test_what_a_package_depends_on() -> None:
    fields = {"pre-depends": "one (>= 2)", "depends": "two:any | three, four"}
    assert depends(fields) == [{"one"}, {"two", "three"}, {"four"}]


def test_a_release_that_lists_nothing_by_sha256_proves_nothing() -> None:
    with pytest.raises(UsageError, match="lists nothing by SHA-256"):
        release("Suite: noble\nMD5Sum:\n 0123 3 main/Packages\n", "InRelease")
    with pytest.raises(UsageError, match="a path is relative"):
        release(f"SHA256:\n {'a' * 64} 3 ../Packages\n", "InRelease")


@pytest.mark.parametrize(
    "date",
    [
        "soon", "", "Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "Fri, 31 Dec 9999 23:00:00 -2300",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_no_time(date: str) -> None:
    told = release(f"Date: {date}\nSHA256:\n {'a' * 64} 3 main/Packages\n", "InRelease")
    assert told.moment("date") is None
    assert told.moment("valid-until") is None


@pytest.mark.parametrize(
    ("suite", "fields", "right"),
    [
        ("noble-security", "Suite: noble-security\nCodename: noble\n", True),
        ("bookworm", "Suite: stable\nCodename: bookworm\n", True),
        ("bookworm/updates", "Suite: stable\nCodename: bookworm\n", True),
        ("anything", "Origin: Test\n", True),
        ("/", "Suite: stable\n", True),
        ("noble-security", "Suite: jammy-security\nCodename: jammy\n", False),
        ("noble-security", "Suite: noble\nCodename: noble\n", False),
        ("noble-security", "Codename: noble\n", False),
    ],
)
def test_a_suite_is_known_by_what_it_calls_itself(suite: str, fields: str, right: bool) -> None:
    told = release(f"{fields}SHA256:\n {'a' * 64} 3 main/Packages\n", "InRelease")
    if right:
        require_suite(told, suite, "InRelease")
    else:
        with pytest.raises(RefusedError, match=f"and not of {suite}"):
            require_suite(told, suite, "InRelease")
