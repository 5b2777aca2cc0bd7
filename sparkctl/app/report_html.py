"""Write the report of a fleet as one file for a browser."""

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, cast

from sparkctl.app.report import ReportRequest, report
from sparkctl.app.report_trends import FEW_NODES, TRENDS
from sparkctl.atomic_file import written_over
from sparkctl.errors import UsageError
from sparkctl.model.fleet_page import FleetPage
from sparkctl.report.fleet_html import FleetHtml

MODE = 0o644
_IN_MEMORY = 4 * 2**20


@dataclass(frozen=True, slots=True)
class WrittenPage:
    """The file, its bytes, and what it tells."""

    file: Path
    bytes: int
    page: FleetPage


def write_report(request: ReportRequest, out: Path, now: datetime | None = None) -> WrittenPage:
    """Write the page in place of what is there; raises UsageError, StoreError, and then leaves what was there."""
    moment = now or datetime.now(UTC)
    if not out.parent.is_dir():
        raise UsageError(f"there is no folder {out.parent}", hint="make it, or name another file")
    if out.is_dir():
        raise UsageError(f"{out} is a folder", hint="name a file, such as report.html")
    try:
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as nodes, written_over(out, MODE) as file:
            html = FleetHtml(cast("BinaryIO", nodes), moment, TRENDS, FEW_NODES)
            page = report(request, html.add, moment)
            html.finish(page, file)
            written = file.tell()
    except OSError as error:
        raise UsageError(f"{out} was not written: {error.strerror or error}") from error
    return WrittenPage(out, written, page)
