"""Documents in the shapes that the vendor's tools write, with invented machines, and the command that reads them."""

import json
from pathlib import Path
from typing import Any

from tests.support.command import json_lines, sparkctl

AT = "2026-11-05T09:15:02Z"
SERIAL = "7770000000011"
KERNEL = "6.17.0-1029-nvidia"


def tool(name: str, data: Any, *, ok: bool = True, errors: Any = (), **more: Any) -> dict[str, Any]:
    """Shape A."""
    meta = {"tool": name, "version": "1.0.0", "collected_at_utc": AT}
    return {"ok": ok, "data": data, "errors": list(errors), "meta": meta, **more}


def orchestrator(**more: Any) -> dict[str, Any]:
    """Shape B."""
    return {
        "tool": "spark_diagctl.py", "ts": AT, "host": "spark01", "status": "ok", "rc": 0, "duration_ms": 842,
        "summary": {"disk": "ok"}, "warnings": [], "artifacts": [], **more,
    }  # fmt: skip


def script(**more: Any) -> dict[str, Any]:
    """Shape C, of the script that looks at Secure Boot."""
    return {
        "status": "PASS", "run_id": "20261105T092000Z", "uefi_mode": True, "secureboot_var": "1", "setupmode_var": "0",
        "lockdown_active_mode": "integrity", "fail_reasons": [], "evidence_dir": "/var/lib/x", **more,
    }  # fmt: skip


def fork(name: str = "hardware_config", **more: Any) -> dict[str, Any]:
    """Shape D."""
    return {
        "tool": name, "timestamp": AT, "status": "ok", "data": {"memory": {"mem_total_bytes": 130_644_983_808}},
        "device_id": {"serial": SERIAL, "hostname": "spark01"}, **more,
    }  # fmt: skip


def dmi(**more: Any) -> dict[str, Any]:
    """SMBIOS as most tools pass it on."""
    return {"sys_vendor": "Dell  Inc.", "product_name": "Example", "product_serial": SERIAL, "board_serial": "", **more}


def report(**data: Any) -> dict[str, Any]:
    """The head of a report's data that root wrote, and the rest."""
    head = {"collected_at_utc": AT, "asset_id": SERIAL, "asset_id_source": "smbios_serial", "platform_dmi": dmi()}
    return {**head, **data}


def write(folder: Path, name: str, *documents: Any) -> Path:
    """A file with one document on each line."""
    path = folder / name
    path.write_text("".join(json.dumps(one) + "\n" for one in documents), "utf-8")
    return path


def ingest(folder: Path, *arguments: str | Path, code: int) -> list[dict[str, Any]]:
    """The records of a run of the command, which must end with `code`."""
    ran = sparkctl("ingest", "--state", folder / "state", *arguments, home=folder)
    assert ran.returncode == code, ran.stdout + ran.stderr
    return json_lines(ran)
