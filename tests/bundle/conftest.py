"""Bundles of a simulated node, collected over SSH: twice as it is, and once when it is hot and has other firmware."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.command import sparkctl
from tests.support.labs import running_lab


@dataclass(frozen=True)
class Collected:
    """Three bundles of one node: nothing happened between the first two, and heat came before the third."""

    first: Path
    second: Path
    hot: Path


@pytest.fixture(scope="session")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collected]:
    folder = tmp_path_factory.mktemp("collected")
    with running_lab(folder / "lab", 1):
        first, second = _collect(folder, "first"), _collect(folder, "second")
        broken = sparkctl("lab", "break", "sim-01", "hot", "--dir", folder / "lab", home=folder)
        assert broken.returncode == 0, broken.stderr
        yield Collected(first, second, _collect(folder, "hot"))


def _collect(folder: Path, name: str) -> Path:
    options = ("--fleet", folder / "lab" / "fleet.yaml", "--state", folder / "state", "--out", folder / name)
    ran = sparkctl("bundle", "collect", *options, home=folder, timeout=240)
    assert ran.returncode == 0, ran.stderr + ran.stdout
    (bundle,) = (folder / name).iterdir()
    return bundle
