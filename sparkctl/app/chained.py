"""Many files as one stream, each behind its name: so that one search goes over names and contents alike."""

import io
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO


class Chained:
    """Files below a folder, each as a line with its name and then its content; remembers where each begins."""

    def __init__(self, folder: Path, names: Iterable[str]) -> None:
        self._folder, self._names = folder, iter(names)
        self._parts: list[BinaryIO] = []
        self._offset = 0
        self._starts: list[int] = []
        self._told: list[str] = []

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`; nothing at the end of the last file."""
        while True:
            while self._parts:
                if content := self._parts[0].read(size):
                    self._offset += len(content)
                    return content
                self._parts.pop(0).close()
            name = next(self._names, None)
            if name is None:
                return b""
            self._starts.append(self._offset)
            self._told.append(name)
            line = f"\n{name}\n".encode("utf-8", "surrogateescape")
            self._parts = [io.BytesIO(line), (self._folder / name).open("rb")]

    def close(self) -> None:
        """Let go of the file that is being read."""
        while self._parts:
            self._parts.pop().close()

    def place_at(self, offset: int) -> str:
        """The name of the file that this offset of the stream is in."""
        return self._told[max(bisect_right(self._starts, offset) - 1, 0)]
