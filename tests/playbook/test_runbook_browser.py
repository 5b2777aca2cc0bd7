"""The page of a runbook in a browser: nothing runs or is asked for, everybody can read it, and it prints on A4."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sparkctl.model.playbook import Playbook
from sparkctl.report.runbooks import KINDS
from tests.support.runbooks import EVIL, EVIL_TEXT, hostile, playbook, rich, step

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not opened in a browser"),
]
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1200, "height": 900}
HOSTILE = pytest.param(hostile(), marks=pytest.mark.thorough)  # marked up as the other is, but with evil words
A4_WIDTH = 794  # CSS pixels: 210 mm at 96 to the inch


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - takes a second, and only slow tests need it

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which Chromium does not set up for root
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=BROWSER, args=sandbox)
        yield started
        started.close()


def opened(browser: Any, folder: Path, made: Playbook, **options: Any) -> tuple[Any, list[str]]:
    """The page, and everything that it should not have done."""
    path = folder / "runbook.html"
    path.write_text(KINDS["html"](made, 1), "utf-8")
    page = browser.new_context(**{"viewport": WIDE, **options}).new_page()
    faults: list[str] = []
    page.on("console", lambda said: faults.append(f"console: {said.text}"))
    page.on("pageerror", lambda error: faults.append(f"error: {error}"))
    page.on("request", lambda asked: faults.append(f"request: {asked.url}"))
    page.goto(path.as_uri())
    assert faults.pop(0) == f"request: {path.as_uri()}"
    return page, faults


def test_no_word_of_a_playbook_runs_or_asks_for_anything(browser: Any, tmp_path: Path) -> None:
    page, faults = opened(browser, tmp_path, hostile())
    page.wait_for_timeout(300)
    assert faults == []
    assert page.title() == f"{EVIL}: maintenance/made".replace("  ", " ")
    assert page.locator("img, iframe, script, details").count() == 0
    assert page.locator("h1").inner_text() == EVIL
    text = page.locator(".text").inner_text()
    assert '<img src="x" onerror="document.title=\'owned\'">' in text
    assert "<node>" in text


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("made", [rich(), HOSTILE], ids=["rich", "hostile"])
def test_axe_finds_no_serious_fault(browser: Any, tmp_path: Path, scheme: str, made: Playbook) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # noqa: PLC0415

    page, _ = opened(browser, tmp_path, made, color_scheme=scheme, bypass_csp=True)  # axe is a script of its own
    found = Axe().run(page).response["violations"]
    grave = [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found
             if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert grave == []


@pytest.mark.parametrize("viewport", [PHONE, pytest.param(WIDE, marks=pytest.mark.thorough)], ids=["phone", "wide"])
@pytest.mark.parametrize("made", [rich(), hostile()], ids=["rich", "hostile"])
def test_nothing_is_wider_than_the_screen(
    browser: Any, tmp_path: Path, viewport: dict[str, int], made: Playbook
) -> None:
    page, _ = opened(browser, tmp_path, made, viewport=viewport)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_colours_follow_the_reader_and_paper_is_white(browser: Any, tmp_path: Path) -> None:
    back = "getComputedStyle(document.body).backgroundColor"
    light, _ = opened(browser, tmp_path, rich(), color_scheme="light")
    dark, _ = opened(browser, tmp_path, rich(), color_scheme="dark")
    assert light.evaluate(back) == "rgb(255, 255, 255)"
    assert dark.evaluate(back) != "rgb(255, 255, 255)"
    dark.emulate_media(media="print")
    assert dark.evaluate(back) == "rgb(255, 255, 255)"


def test_it_can_be_printed_and_ticked(browser: Any, tmp_path: Path) -> None:
    made = playbook(*(step(f"s-{number}", "judge") for number in range(40)), runbook=EVIL_TEXT)
    page, _ = opened(browser, tmp_path, made)
    assert page.locator(".paper:visible").count() == 0
    page.emulate_media(media="print")
    assert page.locator(".steps .box:visible").count() == 40
    assert page.locator("nav:visible").count() == 0
    kept = "[...document.querySelectorAll('.steps > li')].every(one => getComputedStyle(one).breakInside === 'avoid')"
    assert page.evaluate(kept)
    page.set_viewport_size({"width": A4_WIDTH, "height": 1123})
    assert page.evaluate("document.documentElement.scrollWidth") <= A4_WIDTH
    pdf = page.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF-")
    assert 4 <= pdf.count(b"/Type /Page\n") <= 9
    assert b"/MediaBox [0 0 594.95996 841.91998]" in pdf or b"/MediaBox [0 0 595" in pdf
