"""Cabs and metadata as anybody may have written them: what is read, and what everything else is refused for."""

import gzip
import itertools
import lzma
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.etree.ElementTree import fromstring, tostring

import pytest
import zstandard

from sparkctl.airgap.mirrors import cabinet, component_xml
from sparkctl.airgap.mirrors.component_xml import component, components, written
from sparkctl.airgap.mirrors.firmware_metadata import (
    Release,
    address,
    cab_name,
    guids,
    of_cab,
    of_devices,
    payloads,
    releases,
    served,
)

GUID = "b585990a-003e-5270-89d5-3705a17f9a43"
OTHER = "c3cccaf0-9a3e-4ee2-992e-9f0cf9b55fa0"
A, B, C = "a" * 64, "b" * 64, "c" * 64


def stored(files: Sequence[tuple[str, bytes]], *, kind: int = 0, flags: int = 0) -> bytes:
    """A cab of stored files, in one folder of one block."""
    content = b"".join(data for _, data in files)
    entries, at = b"", 0
    for name, data in files:
        entries += struct.pack("<IIHHHH", len(data), at, 0, 0, 0, 0) + name.encode() + b"\0"
        at += len(data)
    block = b"CK" + zlib.compress(content, 9, -15) if kind == 1 else content
    first = 36 + 8
    data_at = first + len(entries)
    header = struct.pack(
        "<4s4xI4xI4xBBHHHHH", b"MSCF", data_at + 8 + len(block), first, 3, 1, 1, len(files), flags, 0, 0
    )
    folder = struct.pack("<IHH", data_at, 1, kind)
    return header + folder + entries + struct.pack("<IHH", 0, len(block), len(content)) + block


FILES = [("firmware.bin", b"payload" * 100), ("firmware.metainfo.xml", b"<component/>")]


def test_cabs_are_read_stored_and_compressed() -> None:
    assert cabinet.unpacked(stored(FILES)) == dict(FILES)
    assert cabinet.unpacked(stored(FILES, kind=1)) == dict(FILES)


@pytest.mark.skipif(shutil.which("gcab") is None, reason="gcab is not installed")
@pytest.mark.parametrize("how", [[], ["--zip"]])
def test_cabs_of_gcab_are_read_over_many_blocks(tmp_path: Path, how: list[str]) -> None:
    files = {"large": bytes(range(256)) * 1500 + b"end", "small": b"x"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    subprocess.run(["gcab", "-c", "-n", *how, "made.cab", *files], cwd=tmp_path, check=True)
    assert cabinet.unpacked((tmp_path / "made.cab").read_bytes()) == files


@pytest.mark.parametrize(
    ("cab", "words"),
    ids=itertools.count(),
    argvalues=[
        (b"MZ" + b"\0" * 100, "is no cab$"),
        (b"", "is no cab$"),
        (b"MSCF", "ends too early"),
        (stored(FILES)[:-1], "ends too early"),
        (stored(FILES)[:60], "ends too early|no plain name"),
        (stored(FILES, kind=1)[:-30], "ends too early"),
        (stored(FILES, kind=3), "in a way that fwupd does not read"),
        (stored(FILES, flags=1), "one of several"),
        (stored([("../../etc/passwd", b"x")]), "no plain name"),
        (stored([("..\\x", b"x")]), "no plain name"),
        (stored([("a\nb", b"x")]), "no plain name"),
        (stored([("..", b"x")]), "no plain name"),
        (stored([("", b"x")]), "no plain name"),
        (stored([("n" * 300, b"x")]), "no plain name"),
        (stored([("same", b"x"), ("same", b"y")]), "two files in it have one name"),
        (stored([], kind=0), "holds too much or nothing"),
        (stored([("a", b"x" * 40_000)]), "ends too early"),
        (stored([("a", b"x" * 40_000)], kind=1), "ends too early"),
        (stored(FILES, kind=1).replace(b"CK", b"XX"), "a block of it is none"),
        (stored(FILES).replace(struct.pack("<I", 700), struct.pack("<I", 2**31)), "holds more than|is not whole"),
    ],
)
def test_what_is_no_cab_of_firmware_is_told(cab: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        cabinet.unpacked(cab)


def metadata(*bodies: str, head: str = "") -> str:
    return f'<?xml version="1.0" encoding="utf-8"?>{head}<components origin="lvfs">{"".join(bodies)}</components>'


def one(guid: str = GUID, *, listed: str = "", name: str = "com.example.x", more: str = "") -> str:
    provides = f'<provides><firmware type="flashed">{guid}</firmware></provides>'
    return f'<component type="firmware"><id>{name}</id>{provides}<releases>{listed}</releases>{more}</component>'


def release(sha256: str, version: str = "1.0", more: str = "") -> str:
    checksum = f'<checksum type="sha256" target="container">{sha256}</checksum>'
    return f'<release version="{version}"><location>https://h/x.cab</location>{checksum}{more}</release>'


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress, "xz": lzma.compress, "zst": zstandard.compress,
}  # fmt: skip


@pytest.mark.parametrize("form", PACKED)
def test_metadata_is_read_in_each_form_and_filtered(tmp_path: Path, form: str) -> None:
    text = metadata(one(), "\n  ", one(OTHER), one(GUID.upper(), name="upper")).encode()
    packed = PACKED[form](text)
    path = tmp_path / f"firmware.xml.{form}"
    path.write_bytes(packed)
    assert [found.findtext("id") for found in of_devices(path, [GUID])] == ["com.example.x", "upper"]
    assert of_devices(path, []) == []
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(ValueError, match=r"is no whole XML|cannot be decompressed"):
        of_devices(path, [GUID])
    path.write_bytes(b"not compressed at all")
    with pytest.raises(ValueError, match="cannot be decompressed"):
        of_devices(path, [GUID])


LAUGHS = '<!DOCTYPE components [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
SECRET = '<!DOCTYPE components [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (metadata(one(more="<x>&b;</x>"), head=LAUGHS), "has a document type"),
        (metadata(one(more="<x>&a;</x>"), head=SECRET), "has a document type"),
        (metadata(one(), head="<!DOCTYPE components>"), "has a document type"),
        (metadata(one(more="<x>&nbsp;</x>")), "is no whole XML: line 1"),
        (metadata(one())[:-5], "is no whole XML"),
        (metadata(one(more="<x>" * 60 + "</x>" * 60)), "larger than any of firmware"),
        ("<x>" * 60 + "</x>" * 60, "larger than any of firmware"),
        (metadata(one(more=f"<x>{'t' * 17_000_000}</x>")), "larger than any of firmware"),
        (metadata(one(more='<a:b xmlns:a="urn:x"/>')), "names that no component of firmware has"),
        (metadata(one(more="<x " + " ".join(f'a{n}="1"' for n in range(50)) + "/>")), "larger than any"),
    ],
)
def test_hostile_metadata_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "firmware.xml.gz"
    path.write_bytes(gzip.compress(text.encode(), 1))
    with pytest.raises(ValueError, match=words):
        components(path, lambda _: True)


def test_metadata_has_bounds_however_well_it_is_compressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component_xml, "MAX_XML", 4 * 2**20)
    for form, packed in PACKED.items():
        path = tmp_path / f"firmware.xml.{form}"
        path.write_bytes(packed(b"<components>" + b" " * 2**23 + b"</components>"))
        with pytest.raises(ValueError, match="is larger than 4 MiB"):
            components(path, lambda _: True)


def test_what_is_written_is_the_same_for_the_same_components(tmp_path: Path) -> None:
    blank = component(one(name="b").replace("><", ">\n  <").encode())
    tight, other = (
        component(one(name="b").encode()),
        component(one(name="a", more="<p>x <em>y</em> z &amp; ü</p>").encode()),
    )
    text = written("<components>", [blank, other])
    assert text == written("<components>", [other, tight])
    assert fromstring(text.decode().split("\n", 1)[1]).findtext("component/p/em") == "y"
    path = tmp_path / "firmware.xml.gz"
    path.write_bytes(gzip.compress(text))
    assert [tostring(found) for found in components(path, lambda _: True)] == [tostring(other), tostring(tight)]


def listed(body: str) -> list[Release]:
    return [found for _, found in releases(component(one(listed=body).encode()))]


def test_a_release_names_its_cab_in_the_older_and_the_newer_way() -> None:
    size = '<size type="installed">9</size><size type="download">12</size>'
    assert listed(release(A, "1.0", size)) == [Release("com.example.x 1.0", A, 12, "https://h/x.cab")]
    newer = (
        '<release version="2"><artifacts><artifact type="source"><filename>firmware.bin</filename>'
        f'<checksum type="sha256">{B}</checksum></artifact><artifact type="binary"><filename>x.CAB</filename>'
        f'<location>y.cab</location><checksum type="sha256">{A}</checksum></artifact></artifacts></release>'
    )
    assert listed(newer) == [Release("com.example.x 2", A, None, "y.cab")]
    content = newer.replace("x.CAB", "x.bin")
    assert listed(content)[0].sha256 is None
    assert listed(release(A, more=f'<checksum type="sha256" target="container">{B}</checksum>'))[0].sha256 is None
    assert listed(release("../../x"))[0].sha256 is None
    assert listed(release(A.upper()))[0].sha256 == A


def test_where_a_cab_is_fetched_from() -> None:
    def at(location: str, base: str | None = None) -> str | None:
        return address(Release("x", A, None, location), "https://h/downloads/firmware.xml.zst", base)

    assert at("https://cdn/x/y.cab") == "https://cdn/x/y.cab"
    assert at("y.cab") == "https://h/downloads/y.cab"
    assert at("https://cdn/x/y.cab", "http://base/") == "http://base/y.cab"
    strange = ("file:///etc/passwd", "ftp://h/y.cab", "../y.cab", "https://u:p@h/y.cab", "https://h/y.cab?x")
    for location in (*strange, "", " ", "https://h/\ny.cab", "//h/y.cab"):
        assert at(location) is None, location


def test_what_is_served_of_a_component_are_the_releases_whose_cabs_are_there() -> None:
    found = component(one(listed=release(A, "1") + release(B, "2") + release("none", "3")).encode())
    ours = served(found, {B})
    assert ours is not None
    assert [(each.title, each.location) for _, each in releases(ours)] == [("com.example.x 2", cab_name(B))]
    assert len(list(releases(found))) == 3
    assert served(found, {C}) is None


def test_the_metadata_of_a_cab_is_made_from_the_component_in_it() -> None:
    inner = release(A, "2", '<checksum target="content" filename="x/y.bin"/><artifacts/>') + release(B, "1")
    found = component(one(listed=inner).encode())
    assert payloads(found) == ["y.bin", "firmware.bin"]
    ours = of_cab(found, C, 77)
    assert [each for _, each in releases(ours)] == [Release("com.example.x 2", C, 77, cab_name(C))]
    assert guids(ours) == {GUID}
