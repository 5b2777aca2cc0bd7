"""Lock files, wheels and indexes from somebody who means ill: refused in one sentence, at a bounded cost."""

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkctl.airgap.mirrors import wheel_file
from sparkctl.airgap.mirrors.wheel_closure import lacking
from sparkctl.airgap.mirrors.wheel_file import wheel_at
from sparkctl.airgap.mirrors.wheel_index import index_of
from sparkctl.airgap.mirrors.wheel_lock import lock_text, pins_in
from sparkctl.airgap.mirrors.wheel_plan import _files
from sparkctl.airgap.mirrors.wheel_proof import prove_wheels
from sparkctl.airgap.mirrors.wheel_target import Target, tags_of
from sparkctl.app.mirror_kinds.wheels import Wheels
from sparkctl.errors import RefusedError, SparkctlError
from sparkctl.model.mirror_wheels import WheelsServed
from tests.support.command import sparkctl
from tests.support.wheelhouse import build_wheel, lock_line

ARM = "cp312-cp312-manylinux_2_28_aarch64"
DIGEST = "a" * 64


def mirrored(folder: Path, *wheels: Path) -> WheelsServed:
    """What is served where these wheels are, with its index written."""
    pins = pins_in("".join(map(lock_line, wheels)))
    for path, content in index_of([wheel_at(each) for each in wheels], pins).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return WheelsServed(machine="aarch64", glibc="2.39", pythons=["3.12"], pins=pins)


def test_a_lock_file_is_read_as_pip_reads_it() -> None:
    text = (
        f"# all of it\nOne_Thing[b,a]==1.0.0 ; python_version < '3.13' \\\n    --hash=sha256:{DIGEST} \\\n"
        f"    --hash=sha256:{'b' * 64}\n    # via other\n\nother==2  --hash=sha256:{DIGEST}   # why\n"
    )
    one, other = pins_in(text)
    assert (one.name, one.version, one.extras, len(one.sha256)) == ("one-thing", "1.0.0", ["a", "b"], 2)
    assert one.marker == 'python_version < "3.13"'
    assert (other.name, other.marker) == ("other", None)
    assert pins_in(lock_text([one, other])) == [one, other]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("thing==1.0", "line 2: thing has no --hash, so that anything could come in its place"),
        (f"thing>=1.0 --hash=sha256:{DIGEST}", "line 2: thing is not pinned with one =="),
        (f"thing==1.* --hash=sha256:{DIGEST}", "line 2: thing is not pinned with one =="),
        (f"thing @ https://example.net/x.whl --hash=sha256:{DIGEST}", "line 2: thing is not pinned"),
        ("thing==1.0 --hash=md5:abcd", "line 2: thing has a --hash that is not sha256"),
        ("--extra-index-url https://example.net", "line 2: an option"),
        ("-r other.txt", "line 2: an option"),
        ("what is this", "line 2: 'what is this' is no requirement"),
    ],
)
def test_what_is_no_lock_file_is_refused_with_its_line(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "requirements.txt").write_text(f"# a lock file\n{line}\n")
    (tmp_path / "mirror.yaml").write_text(
        "version: 1\nfolder: mirror\nwheels:\n  serving:\n    requirements: requirements.txt\n"
    )
    ran = sparkctl("airgap", "mirror", "plan", tmp_path / "mirror.yaml", home=tmp_path)
    assert ran.returncode == 2
    assert "mirror.yaml:5: wheels.serving.requirements: " in ran.stderr
    assert f"requirements.txt, {words}" in ran.stderr


def test_a_glibc_takes_wheels_of_older_ones_and_of_its_own_machine() -> None:
    tags = {str(tag) for tag in tags_of(Target("aarch64", "2.39", "3.12"))}
    assert {ARM, "cp312-cp312-manylinux_2_39_aarch64", "cp310-abi3-manylinux2014_aarch64", "py3-none-any"} <= tags
    assert {
        "cp312-cp312-manylinux_2_40_aarch64",
        ARM.replace("aarch64", "x86_64"),
        "cp313-cp313-linux_aarch64",
    }.isdisjoint(tags)


def test_what_is_there_is_proven_and_nothing_else_is_taken(tmp_path: Path) -> None:
    store = tmp_path / "wheels"
    arm, pure = build_wheel(store, "gpu-kernels", "2.1", ARM), build_wheel(store, "pure-thing")
    served = mirrored(tmp_path, arm, pure)
    build_wheel(store, "nobody-asked")
    (store / "evil.exe").write_bytes(b"MZ")
    (tmp_path / "simple/pure-thing/evil.js").write_text("alert(1)")
    proven = prove_wheels(served, tmp_path)
    assert [file.path for file in proven.files if file.path.startswith("wheels/")] == [
        f"wheels/{arm.name}", f"wheels/{pure.name}"
    ]  # fmt: skip
    assert not any("evil" in file.path for file in proven.files)
    assert list(proven.left_out) == [
        "wheels/evil.exe: no requirement names it",
        "wheels/nobody_asked-1.0-py3-none-any.whl: no requirement names it",
    ]
    assert proven.counts == {"distributions": 2, "wheels": 2}


def test_a_changed_byte_a_changed_page_and_a_missing_wheel_are_refused(tmp_path: Path) -> None:
    pure = build_wheel(tmp_path / "wheels", "pure-thing")
    served = mirrored(tmp_path, pure)
    page = tmp_path / "simple/pure-thing/index.html"
    good, sound = page.read_bytes(), pure.read_bytes()

    page.write_bytes(good.replace(b"../../wheels/", b"http://evil/"))
    with pytest.raises(RefusedError, match=r"simple/pure-thing/index.html is not what these wheels have"):
        prove_wheels(served, tmp_path)
    page.write_bytes(good + b"<script>")
    with pytest.raises(RefusedError, match="is not what these wheels have"):
        prove_wheels(served, tmp_path)
    page.unlink()
    page.symlink_to("/etc/passwd")
    with pytest.raises(SparkctlError, match="cannot be read"):
        prove_wheels(served, tmp_path)
    page.unlink()
    page.write_bytes(good)

    build_wheel(tmp_path / "wheels", "pure-thing", more={"evil.py": b"import os\n"})
    with pytest.raises(RefusedError, match="has none of the digests that the requirements name for pure-thing"):
        prove_wheels(served, tmp_path)
    pure.unlink()
    with pytest.raises(SparkctlError, match=r"there is no wheel of pure-thing 1\.0 for aarch64"):
        prove_wheels(served, tmp_path)
    (tmp_path / "elsewhere.whl").write_bytes(sound)
    pure.symlink_to(tmp_path / "elsewhere.whl")
    with pytest.raises(SparkctlError, match="cannot be read"):
        prove_wheels(served, tmp_path)


def test_a_wheel_that_lies_about_itself_is_refused(tmp_path: Path) -> None:
    def fault(path: Path) -> str:
        with pytest.raises(ValueError, match=r"^[^\n]+$") as caught:
            wheel_at(path)
        return str(caught.value)

    assert fault(build_wheel(tmp_path, "one", called="two")) == "is two by its METADATA"
    other = "is for another interpreter or machine by its WHEEL than by its name"
    assert fault(build_wheel(tmp_path, "one", tag=ARM, said_tag=ARM.replace("aarch64", "x86_64"))) == other
    assert fault(build_wheel(tmp_path, "one", said_tag="py3-none-linux_x86_64")) == other
    renamed = build_wheel(tmp_path, "one").rename(tmp_path / "one-2.0-py3-none-any.whl")
    assert fault(renamed) == "is of version 1.0 by its METADATA"
    assert "unpacked elsewhere" in fault(build_wheel(tmp_path, "one", more={"../evil.py": b""}))
    assert "unpacked elsewhere" in fault(build_wheel(tmp_path, "one", more={"/etc/evil": b""}))
    assert "one dist-info folder" in fault(build_wheel(tmp_path, "one", more={"b-1.dist-info/METADATA": b""}))
    broken = build_wheel(tmp_path, "one")
    broken.write_bytes(broken.read_bytes()[:200])
    assert "is no sound zip" in fault(broken)


def test_wheels_built_as_plain_linux_or_that_carry_a_program_are_taken_by_their_name(tmp_path: Path) -> None:
    assert wheel_at(build_wheel(tmp_path, "one", tag=ARM, said_tag="cp312-cp312-linux_aarch64"))
    assert wheel_at(build_wheel(tmp_path, "two", tag="py3-none-manylinux2014_aarch64", said_tag="py3-none-any"))


def test_a_wheel_costs_no_more_than_its_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = tmp_path / "one-1.0-py3-none-any.whl"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one-1.0.dist-info/WHEEL", "Tag: py3-none-any\n")
        archive.writestr("one-1.0.dist-info/METADATA", b"Name: one\nVersion: 1.0\n\n" + bytes(64 * 2**20))
    assert bomb.stat().st_size < 2**20
    with pytest.raises(ValueError, match="METADATA or WHEEL of more than 4 MiB"):
        wheel_at(bomb)
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("one-1.0.dist-info/WHEEL", "Tag: py3-none-any\n")
        archive.writestr("one-1.0.dist-info/METADATA", "Name: one\nVersion: 1.0\n")
    with pytest.raises(ValueError, match="neither stored nor deflated"):
        wheel_at(bomb)
    many = build_wheel(tmp_path, "two", more={f"{number}.py": b"" for number in range(5000)})
    assert wheel_at(many)
    monkeypatch.setattr(wheel_file, "_MAX_READ", 100_000)
    with pytest.raises(ValueError, match="would have to be read for more than"):
        wheel_at(many)


@pytest.mark.parametrize(
    ("requires", "words"),
    [
        (f"a; {'(' * 1900}os_name=='x'{')' * 1900}", "has a METADATA with a Requires-Dist that is none"),
        (f"a >=1{',>=1' * 1400}", "has a METADATA with a Requires-Dist of more than 4,000 characters"),
    ],
)
def test_a_requirement_costs_no_stack_and_no_hours(tmp_path: Path, requires: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        wheel_at(build_wheel(tmp_path, "one", requires=(requires,)))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_zip_with_one_name_twice_is_refused(tmp_path: Path) -> None:
    """One reader takes the first, another the last: what is looked at would not be what is installed."""
    wheel = build_wheel(tmp_path, "one")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("one-1.0.dist-info/METADATA", "Name: one\nVersion: 1.0\n")
    with pytest.raises(ValueError, match="is no sound zip: it has too many entries, or one twice"):
        wheel_at(wheel)


def test_tags_of_tags_and_messages_in_messages_are_refused(tmp_path: Path) -> None:
    many = ".".join(f"a{number}" for number in range(60))
    with pytest.raises(ValueError, match="has a WHEEL with more than 5,000 tags"):
        wheel_at(build_wheel(tmp_path, "one", said_tag=f"{many}-{many}-{many}"))
    nested = "3.12\n" + "Content-Type: message/rfc822\n\n" * 2000
    with pytest.raises(ValueError, match="has a METADATA of messages within messages"):
        wheel_at(build_wheel(tmp_path, "one", python=nested))


def test_a_release_of_too_many_digits_is_one_that_is_not_there(tmp_path: Path) -> None:
    digits = "1" * 3990
    one = wheel_at(build_wheel(tmp_path, "one", requires=(f"two=={digits}", f"two; python_version<'{digits[:3900]}'")))
    two = wheel_at(build_wheel(tmp_path, "two"))
    pins = pins_in("".join(map(lock_line, sorted(tmp_path.glob("*.whl")))))
    with int_digits(640):
        [told] = lacking([one, two], pins, Target("aarch64", "2.39", "3.12"))
    assert told.endswith("and one 1.0 needs it on aarch64 with Python 3.12")


@contextmanager
def int_digits(limit: int) -> Iterator[None]:
    """Have Python read numbers of so many digits at most, as where an operator's environment says so."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(limit)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


@pytest.mark.parametrize("page", [b"<![<![<![", b"<!DOCTYPE [<!", b"[" * 100_000, b"{", b"\xff<a href=x#sha256=y>"])
def test_a_page_that_is_none_offers_nothing(page: bytes) -> None:
    assert [one.file for one in _files(page)] in ([], ["x"])


def test_clients_are_told_where_the_index_is(tmp_path: Path) -> None:
    served = mirrored(tmp_path, build_wheel(tmp_path / "wheels", "pure-thing"))
    files = Wheels().client(served, "https://mirror.example.net/fleet/serving", "serving")
    assert files["etc/pip.conf"].splitlines()[:2] == [
        "[global]", "index-url = https://mirror.example.net/fleet/serving/simple/"
    ]  # fmt: skip
    assert "cert = /etc/ssl/certs/ca-certificates.crt\n" in files["etc/pip.conf"]
    assert "trusted-host" not in files["etc/pip.conf"]
    assert 'url = "https://mirror.example.net/fleet/serving/simple/"' in files["etc/uv/uv.toml"]
    plain = Wheels().client(served, "http://mirror.example.net:8080/fleet/serving", "serving")
    assert "trusted-host = mirror.example.net:8080\n" in plain["etc/pip.conf"]
