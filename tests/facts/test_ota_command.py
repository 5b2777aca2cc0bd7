"""`sparkctl ota` over a fleet: torn nodes are findings, what is not proven or not known is unjudged."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.facets.test_ota_score import ota
from tests.support.command import sparkctl
from tests.support.facts import facet, remember


def facts(**installed: Any) -> dict[str, Any]:
    return {"ota": facet(json.loads(ota(**installed).model_dump_json()))}


PROVEN = facts()
NOT_PROVEN = facts(firmware=None)
TORN = facts(packages={"dgx-release": "7.5.0", "dgx-oobe": "1.2-1", "nv-limits": "25.10-1"})


@pytest.mark.parametrize(
    ("known", "code"),
    [
        ({"spark01": PROVEN}, 0),
        ({"spark01": PROVEN, "spark02": NOT_PROVEN}, 3),
        ({"spark01": PROVEN, "spark02": None}, 3),
        ({"spark01": NOT_PROVEN, "spark02": TORN}, 1),
    ],
)
def test_exit_codes(tmp_path: Path, known: dict[str, dict[str, Any] | None], code: int) -> None:
    (tmp_path / "fleet.yaml").write_text("nodes: ['spark[01-02]']\n")
    remember(tmp_path / "state", 1, known)
    options = ("--fleet", tmp_path / "fleet.yaml", "--state", tmp_path / "state")
    ran = sparkctl("ota", ",".join(known), *options, home=tmp_path)
    assert ran.returncode == code, ran.stderr
    assert json.loads(ran.stdout)["exit_code"] == code
