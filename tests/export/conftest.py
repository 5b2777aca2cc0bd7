"""What the tests of exports share: nodes of which much, little or nothing is known."""

import pytest

from sparkctl.lab.makes import MAKES
from sparkctl.model.standing import NodeStanding
from tests.support.corpus import THOROUGH
from tests.support.standings import fell_silent, lab_standing, never_answered, never_visited

FAULTS = ("gpu-missing", "drive-dead", "connectx-absent", "plain-vm", "worn-drive", "reboot-pending")


@pytest.fixture(scope="session")
def founders(tmp_path_factory: pytest.TempPathFactory) -> NodeStanding:
    """A healthy simulated node of which everything is known."""
    return lab_standing(tmp_path_factory.mktemp("founders"), "sim-01")


@pytest.fixture(scope="session")
def partial(tmp_path_factory: pytest.TempPathFactory) -> NodeStanding:
    """A faulty node of another make, asked without rights."""
    return lab_standing(tmp_path_factory.mktemp("partial"), "sim-02", "asus", "driver-missing", "none", seed=2)


@pytest.fixture(scope="session")
def few(founders: NodeStanding, partial: NodeStanding) -> list[NodeStanding]:
    """One of each kind."""
    return [founders, partial, fell_silent(founders), never_answered(), never_visited()]


@pytest.fixture(scope="session")
def whole_lab(tmp_path_factory: pytest.TempPathFactory) -> list[NodeStanding]:
    """Every make with root and some without (the gate: some of them), and a node of each of some faults."""
    folder = tmp_path_factory.mktemp("lab")
    wanted: list[tuple[str, str | None, str]] = [
        *((make, None, "root") for make in (MAKES if THOROUGH else ("dell", "msi"))),
        *((make, None, "none") for make in (("founders", "dell", "lenovo") if THOROUGH else ("lenovo",))),
        *(("founders", fault, "root") for fault in FAULTS),
    ]
    return [
        lab_standing(folder, f"sim-{number:02}", make, fault, elevation, number)
        for number, (make, fault, elevation) in enumerate(wanted, 1)
    ]
