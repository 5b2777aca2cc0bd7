"""A part of the hardware facet that never comes back costs its own fields, and not the facet."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from diag.nodekit.facet import Facet, FacetTask, Look, Part, merged
from diag.nodekit.judge import Document
from diag.nodekit.machine import Machine
from diag.nodekit.workers import judge_all
from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, write_tree
from sparkctl.resources import shipped

PROGRAM = shipped("diag") / "spark_diagctl.py"


def sleepy(_look: Look) -> Document:
    time.sleep(60)
    return {}


def with_celsius(name: str) -> Part:
    def read(look: Look) -> Document:
        look.volatile["celsius"] = {name: 41.0}
        return {name: True}

    return Part((name,), read)


def test_what_hangs_is_a_gap_at_its_fields_and_the_readings_of_the_others_are_kept_together() -> None:
    parts = (Part(("slow", "also_slow"), sleepy, 0.2), with_celsius("one"), with_celsius("two"))
    task = FacetTask("hardware", Facet("Hardware"), lambda _: {"core": True}, parts=parts)
    results = judge_all(task.pieces, Machine("/"), deadline=time.monotonic() + 20, workers=2)
    facet = merged(results.documents)
    assert facet["data"] == {"core": True, "one": True, "two": True}
    assert facet["volatile"] == {"celsius": {"one": 41.0, "two": 41.0}}
    assert [(gap["path"], gap["reason"]) for gap in facet["gaps"]] == [("slow", "timeout"), ("also_slow", "timeout")]


def test_without_its_first_piece_there_is_no_facet() -> None:
    task = FacetTask("hardware", Facet("Hardware", seconds=0.2), sleepy, parts=(with_celsius("one"),))
    results = judge_all(task.pieces, Machine("/"), deadline=time.monotonic() + 20, workers=2)
    facet = merged(results.documents)
    assert (facet["data"], [gap["path"] for gap in facet["gaps"]]) == (None, [""])


@pytest.mark.slow
def test_one_stuck_temperature_of_a_lab_node_costs_the_thermal_zones_alone(tmp_path: Path) -> None:
    write_tree(
        render(model_of("sim-01", 7, "founders", "stuck-sysfs")), tmp_path / "n", Pool(tmp_path / "pool"), 1.79e9
    )
    command = [
        sys.executable,
        "-I",
        "-S",
        str(PROGRAM),
        "collect",
        "--facets",
        "hardware",
        "--root",
        str(tmp_path / "n"),
    ]
    ran = subprocess.run(command, capture_output=True, check=True)
    hardware = json.loads(ran.stdout)["data"]["facets"]["hardware"]
    assert [(gap["path"], gap["reason"]) for gap in hardware["gaps"]] == [("thermal_zones", "timeout")]
    assert {"processors", "memory", "pci", "gpus", "nics", "nvme", "sensors"} <= set(hardware["data"])
