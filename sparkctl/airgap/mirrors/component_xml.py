"""Read components of AppStream out of XML that anybody may have written, one after the other, within bounds.

By expat itself: the standard library's own readers take document types with entities, and one file of LVFS, as a tree,
takes more memory than all of the rest. Neither is the case here: a document type is refused, and what is not wanted is
gone before the next component is read.
"""

import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from xml.etree.ElementTree import Element, TreeBuilder, tostring
from xml.parsers.expat import ExpatError, ParserCreate

import zstandard

from sparkctl.airgap.blobs import opened

MAX_XML = 2**29
"""Bytes of XML at most, decompressed; that of LVFS is a tenth of it."""

_CHUNK = 2**20
_MAX_DEPTH = 40
_MAX_ELEMENTS = 200_000
_MAX_ATTRIBUTES = 40
_MAX_TEXT = 16 * 2**20
_XZ_MEMORY = 256 * 2**20
_ZSTD_WINDOW = 128 * 2**20
_GZIP = 31
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
_LANGUAGE = "xml:lang"
_TOO_LARGE = "holds a component that is larger than any of firmware"

Wanted = Callable[[Element], bool]


def components(path: Path, wanted: Wanted) -> list[Element]:
    """The components of a compressed file that are wanted; raises ValueError with half a sentence, OSError."""
    reader = _Reader(wanted)
    with opened(path) as file:
        for chunk in _decompressed(file, path.suffix):
            reader.feed(chunk)
    return reader.end()


def component(content: bytes) -> Element:
    """The one component that some bytes are, as in a cab; raises ValueError with half a sentence."""
    reader = _Reader(lambda _: True)
    reader.feed(content)
    found = reader.end()
    if len(found) != 1:
        raise ValueError("is not one component")
    return found[0]


def written(root: str, listed: list[Element]) -> bytes:
    """Components below a root, in the order of their own bytes: the same ones are always the same bytes."""
    texts = sorted(tostring(one, encoding="unicode") for one in listed)
    return "\n".join(("<?xml version='1.0' encoding='utf-8'?>", root, *texts, "</components>\n")).encode("utf-8")


class _Reader:
    """Builds a tree of one component at a time, and keeps those that are wanted."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted, self._found = wanted, list[Element]()
        self._depth = self._elements = self._size = 0
        self._builder: TreeBuilder | None = None
        self._begun = self._text_size = 0
        self._parser = ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._stop
        self._parser.CharacterDataHandler = self._text

    def feed(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > MAX_XML:
            raise ValueError(f"is larger than {MAX_XML // 2**20} MiB")
        self._parse(chunk, last=False)

    def end(self) -> list[Element]:
        self._parse(b"", last=True)
        return self._found

    def _parse(self, chunk: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(chunk, last)
        except ExpatError as error:
            raise ValueError(f"is no whole XML: line {error.lineno}") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:  # what is open costs memory, also where it is no component
            raise ValueError(_TOO_LARGE)
        if self._builder is None and name == "component":
            self._builder, self._begun, self._elements = TreeBuilder(), self._depth, 0
            self._text_size = 0
        if self._builder is None:
            return
        self._elements += 1
        if self._elements > _MAX_ELEMENTS or len(attributes) > _MAX_ATTRIBUTES:
            raise ValueError(_TOO_LARGE)
        if not all(_NAME.fullmatch(one) for one in (name, *attributes) if one != _LANGUAGE):
            raise ValueError("uses names that no component of firmware has")
        self._builder.start(name, attributes)

    def _stop(self, name: str) -> None:
        if self._builder is not None:
            self._builder.end(name)
            if self._depth == self._begun:
                found, self._builder = self._builder.close(), None
                if self._wanted(found):
                    self._found.append(_plain(found))
        self._depth -= 1

    def _text(self, text: str) -> None:
        if self._builder is not None:
            self._text_size += len(text)
            if self._text_size > _MAX_TEXT:
                raise ValueError(_TOO_LARGE)
            self._builder.data(text)


def _plain(found: Element) -> Element:
    """Without the blanks between elements, in which two writers differ."""
    for element in found.iter():
        if not (element.text or "").strip():
            element.text = None
        if not (element.tail or "").strip():
            element.tail = None
    return found


def _refuse_document_type(*_: object) -> None:
    raise ValueError("has a document type, with which XML reads more than what is in it")


def _decompressed(file: BinaryIO, suffix: str) -> Iterator[bytes]:
    """The content of a file, in pieces that stay small however well they were compressed."""
    try:
        if suffix == ".zst":
            with zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW).stream_reader(file) as stream:
                while piece := stream.read(_CHUNK):
                    yield piece
        elif suffix == ".xz":
            yield from _lzma(file)
        else:
            yield from _gzip(file)
    except (zstandard.ZstdError, lzma.LZMAError, zlib.error):
        raise ValueError("cannot be decompressed: it is damaged, or of another form than its name says") from None


def _gzip(file: BinaryIO) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    while not unpacker.eof and (chunk := unpacker.unconsumed_tail or file.read(_CHUNK)):
        yield unpacker.decompress(chunk, _CHUNK)


def _lzma(file: BinaryIO) -> Iterator[bytes]:
    unpacker = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    while not unpacker.eof:
        chunk = file.read(_CHUNK) if unpacker.needs_input else b""
        if unpacker.needs_input and not chunk:
            return
        yield unpacker.decompress(chunk, _CHUNK)
