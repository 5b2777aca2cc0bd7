"""Write results into docs/performance.md, between the marks of their section."""

from pathlib import Path

from tests.bench.machine import ROOT

PAGE = ROOT / "docs" / "performance.md"


def replace_section(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` in place of what stands between `<!-- NAME: begin -->` and `<!-- NAME: end -->`."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, found, rest = page.read_text("utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"{page}: the marks {begin} and {end} are not both there")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", "utf-8")
