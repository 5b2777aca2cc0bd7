"""What a sweep brings for the ledger of contacts, beside its checks."""

from pathlib import Path
from typing import Any

from diag.commands.health import tasks
from diag.nodekit.catalogue import elevated_commands, load_checks
from diag.nodekit.command import Ran
from diag.nodekit.machine import Machine
from diag.nodekit.nvme import SMART_LOG
from diag.nodekit.vocabulary import Elevation
from diag.reset.sources import nvme, tpm
from diag.reset.witnesses import PART, WitnessTask, empty, together
from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, write_tree
from sparkctl.model.witnesses import Witnesses
from tests.reset.source_tree import report_of


class Counted(Machine):
    """Notes every command that was run."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.ran: list[tuple[str, ...]] = []

    def run(self, argv: tuple[str, ...], **bounds: Any) -> Ran:
        self.ran.append(argv)
        return super().run(argv, **bounds)


def swept(root: Path, elevation: str) -> tuple[dict[str, Any], list[tuple[str, ...]]]:
    """The witnesses of a sweep of the node in a tree, and the commands that it took."""
    checks = load_checks()
    machine = Counted(str(root), elevation, elevated_commands(checks) | frozenset(WitnessTask.elevated))
    found = [document for task in tasks(checks) for document in task.judge(machine)[0]]
    return together(found)[PART], machine.ran


def plant(folder: Path) -> Path:
    root = folder / "sim-01"
    write_tree(render(model_of("sim-01", 7, "founders", None)), root, Pool(folder / "pool"), 1_790_000_000.0)
    return root


def test_the_drive_is_asked_once_for_its_checks_and_its_witness(tmp_path: Path) -> None:
    root = plant(tmp_path)
    found, ran = swept(root, Elevation.COMMANDS)
    assert ran.count(SMART_LOG) == 1
    counted = report_of(nvme, root, Elevation.COMMANDS).facts
    assert {key: found[key] for key in counted} == counted
    assert set(counted) == {"unsafe_shutdowns", "power_cycles"}
    Witnesses.model_validate(found)


def test_the_tpm_is_asked_once_where_that_is_allowed(tmp_path: Path) -> None:
    root = plant(tmp_path)
    found, ran = swept(root, Elevation.COMMANDS)
    assert ran.count(tpm.READ_CLOCK) == 1
    counted = report_of(tpm, root, Elevation.COMMANDS).facts
    assert set(counted) == set(tpm.KEYS)
    assert {key: found[key] for key in counted} == counted
    assert {swept(root, Elevation.NONE)[0][key] for key in tpm.KEYS} == {None}


def test_a_drive_that_may_not_be_asked_has_no_witness(tmp_path: Path) -> None:
    found, _ = swept(plant(tmp_path), Elevation.NONE)
    assert (found["unsafe_shutdowns"], found["power_cycles"]) == (None, None)
    assert found["boot_id"] is not None


def test_witnesses_that_did_not_come_back_are_unknown() -> None:
    assert together(WitnessTask().unjudged("timeout", "did not come back")) == {PART: empty()}
