"""Writing inventories in a folder of the test's own."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sparkctl.inventory.load import check_fleet, load_fleet
from sparkctl.model.inventory import Fleet

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file and return its path: `write("fleet.yaml", "nodes: ...")`."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def load(write: Write) -> Callable[..., Fleet]:
    """Load a fleet from text: `load("nodes: ...")`, or `load(text, "hosts.ini")`."""
    return lambda text, name="fleet.yaml": load_fleet(write(name, text))


@pytest.fixture
def check(write: Write) -> Callable[..., list[str]]:
    """The problems of a text, each as `severity line: key: message`, without the file's name."""

    def check_text(text: str | bytes, name: str = "fleet.yaml") -> list[str]:
        path = write(name, text)
        return [
            f"{found.severity} {found.sentence.removeprefix(str(path)).lstrip(': ')}" for found in check_fleet(path)
        ]

    return check_text
