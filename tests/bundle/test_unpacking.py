"""What a report of a tool is unpacked to: bounded, in one folder, without what nobody can look into."""

import base64
import bz2
import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparkctl.app import unpacking
from sparkctl.app.unpacking import Unpacked, unpack

TOP = "sparkctl-sosreport"
Parts = dict[str, bytes]


def packed(parts: Parts, *others: tarfile.TarInfo, top: str = TOP) -> bytes:
    """A tar as an isolated service prints it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for info in (special(top, tarfile.DIRTYPE), *others):
            tar.addfile(info)
        for name, content in parts.items():
            info = tarfile.TarInfo(f"{top}/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def special(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def made(folder: Path, archive: bytes, **bounds: int) -> Unpacked:
    place = folder / "archive"
    place.write_bytes(archive)
    return unpack(place, folder / "unpacked", **bounds)


def texts(unpacked: Unpacked) -> Parts:
    return {member.path: member.place.read_bytes() for member in unpacked.members}


def why(unpacked: Unpacked) -> str:
    return "\n".join(f"{one.path}: {one.words}" for one in unpacked.left_out)


def test_files_come_out_under_their_paths_below_the_report(tmp_path: Path) -> None:
    parts = {"sosreport-spark07-2026-03-02-abc/etc/hosts": b"127.0.0.1 localhost\n", "nvidia.log": b"one\ntwo"}
    unpacked = made(tmp_path, packed(parts))
    assert texts(unpacked) == {"etc/hosts": b"127.0.0.1 localhost\n", "nvidia.log": b"one\ntwo"}
    assert unpacked.left_out == []


def test_gzip_of_many_streams_is_unpacked_by_what_it_is(tmp_path: Path) -> None:
    streams = gzip.compress(b"first\n") + gzip.compress(b"second\n")
    assert texts(made(tmp_path, packed({"a.log.gz": streams, "b": streams}))) == {
        "a.log": b"first\nsecond\n", "b": b"first\nsecond\n",
    }  # fmt: skip


def test_half_a_gzip_leaves_whole_lines_and_says_so(tmp_path: Path) -> None:
    second = gzip.compress(b"".join(b"line %d of the second\n" % number for number in range(900)))
    unpacked = made(tmp_path, packed({"a.log.gz": gzip.compress(b"first\n") + second[: len(second) // 2]}))
    (text,) = texts(unpacked).values()
    assert text.startswith(b"first\nline 0 of the second\n")
    assert text.endswith(b" of the second\n")
    assert unpacked.members[0].words == "it ends early or is damaged: this is what came before"


@pytest.mark.parametrize(
    "name", ["../../etc/cron.d/x", "/etc/cron.d/x", f"{TOP}/../x", f"{TOP}/a/./b", f"{TOP}//x", TOP]
)
def test_a_name_that_leads_elsewhere_is_left_out(tmp_path: Path, name: str) -> None:
    info = tarfile.TarInfo(name)
    unpacked = made(tmp_path, packed({"good": b"text\n"}, info))
    assert list(texts(unpacked)) == ["good"]
    assert "files whose names lead elsewhere are left out: 1 of them" in why(unpacked)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "unpacked"]


def test_links_devices_and_pipes_are_left_out(tmp_path: Path) -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    others = [special(f"{TOP}/{number}", kind) for number, kind in enumerate(kinds)]
    unpacked = made(tmp_path, packed({"good": b"text\n"}, *others))
    assert list(texts(unpacked)) == ["good"]
    assert "left out: 5 of them" in why(unpacked)
    assert all(not path.is_symlink() and path.is_file() for path in (tmp_path / "unpacked").iterdir())


def test_a_bomb_costs_what_there_is_room_for(tmp_path: Path) -> None:
    bomb = gzip.compress(b"0123456789abcde\n" * (1 << 20), 9)
    unpacked = made(tmp_path, packed({"a": b"first\n", "bomb.gz": bomb, "c": b"last\n"}), room=200_000)
    assert list(texts(unpacked)) == ["a", "bomb"]
    size = sum(len(text) for text in texts(unpacked).values())
    assert 150_000 < size <= 200_000
    assert texts(unpacked)["bomb"].endswith(b"\n")
    assert "there is room for" in why(unpacked)


def test_members_are_bounded(tmp_path: Path) -> None:
    unpacked = made(tmp_path, packed({f"{number}": b"text\n" for number in range(20)}), members=5)
    assert len(unpacked.members) == 5
    assert "there is room for" in why(unpacked)


def test_time_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "UNPACK_SECONDS", -1.0)
    unpacked = made(tmp_path, packed({"a": b"text\n", "b": b"text\n"}))
    assert [member.place.stat().st_size for member in unpacked.members] == [0]
    assert "there is room for" in why(unpacked)


def test_a_cut_tar_keeps_whole_lines_of_its_last_file(tmp_path: Path) -> None:
    archive = packed({"a": b"first\n", "b": b"".join(b"line %d\n" % number for number in range(500))})
    unpacked = made(tmp_path, archive[:3000])
    assert list(texts(unpacked)) == ["a", "b"]
    assert texts(unpacked)["b"].endswith(b"\n")
    assert unpacked.members[1].words == "it ends early or is damaged: this is what came before"


@pytest.mark.parametrize(
    "content",
    [b"\x7fELF\0\1\2\3", bz2.compress(b"token"), gzip.compress(gzip.compress(b"token")), b"\xfd7zXZ\0abc"],
    ids=["elf", "bzip2", "gzip twice", "xz"],
)
def test_what_nobody_can_look_into_is_left_out_and_named(tmp_path: Path, content: bytes) -> None:
    unpacked = made(tmp_path, packed({"a": content, "b": b"text\n"}))
    assert list(texts(unpacked)) == ["b"]
    assert "a: it is no text" in why(unpacked)
    assert len(list((tmp_path / "unpacked").iterdir())) == 1


def test_many_of_them_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MOST_NAMED", 2)
    unpacked = made(tmp_path, packed({f"{number}": b"\0\1" for number in range(5)}))
    assert [one.path for one in unpacked.left_out] == ["0", "1", None]
    assert "more such files: 3 of them" in why(unpacked)


@pytest.mark.parametrize("size", [58, 200, 5000])
def test_blocks_of_base64_are_left_out(tmp_path: Path, size: int) -> None:
    dump = base64.encodebytes(bytes(range(256)) * 20)[: size * 2]
    dump = dump[: dump.rfind(b"\n") + 1] or dump
    unpacked = made(tmp_path, packed({"a": b"before\n" + dump + b"after\nshort+line\n"}))
    assert texts(unpacked)["a"] == b"before\nafter\nshort+line\n"
    lines = len(dump.splitlines())
    assert f"{lines} lines of base64" in (unpacked.members[0].words or "")


def test_a_block_of_a_key_stays_to_be_learned_and_replaced(tmp_path: Path) -> None:
    body = base64.b64encode(bytes(300)).decode()
    lines = [body[at : at + 64] for at in range(0, len(body), 64)]
    key = "\n".join(["-----BEGIN PRIVATE KEY-----", *lines, "-----END PRIVATE KEY-----", ""]).encode()
    assert texts(made(tmp_path, packed({"a": key}))) == {"a": key}


def test_odd_characters_are_written_so_that_a_bundle_holds_them(tmp_path: Path) -> None:
    assert list(texts(made(tmp_path, packed({"a\\x2d\x1b[2J": b"text\n"})))) == ["a%5Cx2d%1B[2J"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    damage=st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=40)), max_size=4),
    end=st.integers(0, 6000),
)
def test_damage_is_no_bug(tmp_path_factory: pytest.TempPathFactory, damage: list[tuple[int, bytes]], end: int) -> None:
    archive = bytearray(packed({"a": b"text\n" * 100, "b.gz": gzip.compress(b"line\n" * 300)}))
    for at, content in damage:
        archive[at : at + len(content)] = content
    folder = tmp_path_factory.mktemp("damaged")
    unpacked = made(folder, bytes(archive[:end]))
    assert all(member.place.parent == folder / "unpacked" for member in unpacked.members)
    assert all(".." not in member.path.split("/") for member in unpacked.members)
