"""Run the node's bundle command and read its stream."""

import json
import os
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diag.nodekit.jobs import DATA, END, FRAME, STREAM_MAGIC
from sparkctl.resources import shipped

PROGRAM = shipped("diag") / "spark_diagctl.py"
NONCE = "ab12"


@dataclass(frozen=True)
class Brought:
    """What a collection brought: its document, and the content of each artefact by its name."""

    document: dict[str, Any]
    contents: dict[str, bytes]
    recording: bytes

    @property
    def artefacts(self) -> dict[str, dict[str, Any]]:
        """What is said of each artefact, by its name."""
        return {fact["name"]: fact for fact in self.document["data"]["artefacts"]}


def collected(*arguments: str, before: tuple[str, ...] = (), program: Path = PROGRAM) -> Brought:
    """Run `bundle` with further arguments, behind the words `before` (`setpriv ...`)."""
    command = [*before, sys.executable, "-I", "-S", str(program), "bundle", "--nonce", NONCE, *arguments]
    ran = subprocess.run(command, capture_output=True, check=False, cwd="/", env={**os.environ, "HOME": "/"})
    assert ran.returncode == 0, ran.stderr
    return read_stream(ran.stdout)


def read_stream(stream: bytes) -> Brought:
    """The parts of a stream; fails on one that is not whole."""
    head = f"{STREAM_MAGIC} {NONCE}\n".encode()
    assert stream.startswith(head)
    position, by_number = len(head), dict[int, bytes]()
    while True:
        kind, number, packed, raw = FRAME.unpack_from(stream, position)
        position += FRAME.size
        if kind == END:
            break
        content = zlib.decompress(stream[position : position + packed])
        assert (kind, len(content)) == (DATA, raw)
        by_number[number] = by_number.get(number, b"") + content
        position += packed
    document = json.loads(stream[position:].partition(b"\n")[2])
    first = len(document["data"]["recording"])
    names = [fact["name"] for fact in document["data"]["artefacts"]]
    contents = {name: by_number.get(first + place, b"") for place, name in enumerate(names)}
    recording = b"".join(content for number, content in by_number.items() if number < first)
    return Brought(document, contents, recording)
