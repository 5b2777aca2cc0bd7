"""The page of a fleet in a browser: no program of a node runs, nothing is asked for, and everybody can use it."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.test_fleet_html import hostile
from tests.support.fleet_pages import html_file, pages_of

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not opened in a browser"),
]
PHONE, WIDE = {"width": 390, "height": 844}, {"width": 1600, "height": 1000}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - takes a second, and only slow tests need it

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which Chromium does not set up for root
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=BROWSER, args=sandbox)
        yield started
        started.close()


@pytest.fixture(autouse=True)
def _closed(browser: Any) -> Iterator[None]:
    """What a test opened costs the others nothing."""
    yield
    for context in browser.contexts:
        context.close()


class Opened:
    """A page that was opened, and everything that it should not have done; each with options has memories of its own.

    Where there are no options, the pages of a test are in one context, and need one process.
    """

    def __init__(self, browser: Any, path: Path, fragment: str = "", **options: Any) -> None:
        fresh = bool(options) or not browser.contexts
        context = browser.new_context(**{"viewport": WIDE, **options}) if fresh else browser.contexts[0]
        self.page = context.new_page()
        self.page.set_default_timeout(60_000)
        self.faults: list[str] = []
        self.page.on("console", lambda said: self.faults.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        self.page.on("dialog", self._refuse)
        self.page.on("request", lambda asked: self.faults.append(f"request: {asked.url}"))
        self.page.goto(path.as_uri() + fragment)
        assert self.faults.pop(0) == f"request: {path.as_uri()}"

    def _refuse(self, dialog: Any) -> None:
        self.faults.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def shown(self) -> list[str]:
        """The nodes whose rows are shown, in their order."""
        rows = "[...document.querySelectorAll('#all tbody tr')].filter(row => !row.hidden).map(row => row.dataset.n)"
        found: list[str] = self.page.evaluate(rows)
        return found

    def hash(self) -> str:
        found: str = self.page.evaluate("location.hash")
        return found

    def wait_for_one_node(self) -> None:
        """A browser tells the page later that its hash has changed."""
        self.page.locator("body.one").wait_for()

    def wait_for_all_nodes(self) -> None:
        self.page.locator("body:not(.one)").wait_for()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return html_file(tmp_path_factory.mktemp("small"), pages_of(9))


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return html_file(tmp_path_factory.mktemp("fleet"), pages_of(60))


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Path:
    nodes, parts = hostile()
    return html_file(tmp_path_factory.mktemp("evil"), nodes, **parts)


def test_no_word_of_a_node_runs_or_asks_for_anything(browser: Any, evil: Path, tmp_path: Path) -> None:
    opened = Opened(browser, evil, "#node=spark0001")
    opened.page.wait_for_timeout(300)
    assert opened.faults == []
    assert opened.page.title().startswith("spark0001")
    assert opened.page.locator("img, iframe").count() == 0
    naked = tmp_path / "naked.html"  # the trap works: without the policy and without escapes it springs
    naked.write_text("<title>mine</title><body>\"'><script>document.title='owned'</script>")
    assert Opened(browser, naked).page.title() == "owned"
    guarded = tmp_path / "guarded.html"
    page = evil.read_text("utf-8")
    guarded.write_text(page.replace("<main>", "<main><script>document.title='owned'</script>"), "utf-8")
    refused = Opened(browser, guarded)
    assert refused.page.title() != "owned"
    assert any("Content Security Policy" in fault for fault in refused.faults)


def test_axe_finds_no_serious_fault(browser: Any, small: Path) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]  # noqa: PLC0415

    opened = Opened(browser, small, bypass_csp=True)  # axe itself is a script that we do not allow
    for fragment in ("", "#node=spark0003"):
        opened.page.evaluate("hash => { location.hash = hash; }", fragment)
        if fragment:
            opened.wait_for_one_node()
        opened.page.evaluate(
            "document.querySelectorAll('main details:not(.node)').forEach(one => { one.open = true; })"
        )
        for scheme in ("light", "dark"):
            opened.page.emulate_media(color_scheme=scheme)
            found = Axe().run(opened.page).response["violations"]
            grave = [(one["id"], [node["html"][:120] for node in one["nodes"][:3]]) for one in found
                     if one["impact"] in ("serious", "critical")]  # fmt: skip
            assert (scheme, grave) == (scheme, [])


def test_filters_sorting_and_links_work_by_keyboard(browser: Any, fleet: Path) -> None:
    opened = Opened(browser, fleet)
    everybody = opened.shown()
    assert len(everybody) == 60
    page = opened.page
    page.keyboard.press("/")
    page.keyboard.type("bad.check_1")
    assert opened.shown() == ["spark0003", "spark0028", "spark0053"]
    assert opened.hash() == "#q=bad.check_1"
    assert page.locator("a.c.out").count() == 57
    assert page.locator("#shown").inner_text() == "3 of 60 nodes"
    page.keyboard.press("Escape")
    assert opened.shown() == everybody
    page.locator("#status").focus()
    page.keyboard.type("needs")
    assert opened.shown() == ["spark0003", "spark0028", "spark0053"]
    header = page.locator("#all thead button", has_text="Node")
    header.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert opened.shown() == ["spark0053", "spark0028", "spark0003"]
    assert opened.hash() == "#status=fail&sort=-name"
    assert page.locator("#all th[aria-sort=descending]").inner_text().startswith("Node")
    page.locator("#all a", has_text="spark0028").focus()
    page.keyboard.press("Enter")
    opened.wait_for_one_node()
    assert opened.hash() == "#node=spark0028"
    assert page.locator("details.node:visible").count() == 1
    assert page.locator("h2:visible").count() == 0
    page.keyboard.press("Escape")
    opened.wait_for_all_nodes()
    assert page.locator("h2:visible").count() > 5
    assert opened.faults == []


def test_links_bring_back_what_was_shown(browser: Any, fleet: Path) -> None:
    opened = Opened(browser, fleet, "#q=580.142&rack=r01&sort=-name")
    assert opened.shown() == [f"spark{number:04}" for number in range(31, 15, -1)]
    assert opened.page.locator("#q").input_value() == "580.142"
    one = Opened(browser, fleet, "#node=spark0007")
    assert one.page.locator("details.node:visible h3").all_inner_texts() == ["spark0007"]
    assert one.page.locator(".back a").is_visible()
    nobody = Opened(browser, fleet, "#node=%3Cimg%20src=x%3E")
    assert len(nobody.shown()) == 60
    assert opened.faults == one.faults == nobody.faults == []


def test_without_its_script_everything_can_be_read(browser: Any, small: Path) -> None:
    opened = Opened(browser, small, java_script_enabled=False)
    page = opened.page
    assert page.locator("#all tbody tr:visible").count() == 9
    assert page.locator("#bar").is_hidden()
    page.locator("details.node summary").nth(3).click()
    assert page.locator("details.node").nth(3).get_by_role("rowheader", name="bad.check_0").is_visible()


def test_colours_can_be_chosen(browser: Any, small: Path) -> None:
    opened = Opened(browser, small, color_scheme="light")
    back = "getComputedStyle(document.body).backgroundColor"
    light = opened.page.evaluate(back)
    opened.page.locator("#theme").click()
    dark = opened.page.evaluate(back)
    assert dark != light
    opened.page.reload()
    assert opened.page.evaluate(back) == dark
    assert Opened(browser, small, color_scheme="dark").page.evaluate(back) == dark


def test_an_old_page_says_that_it_is_old(browser: Any, small: Path) -> None:
    opened = Opened(browser, small)  # it was made in 2026, and the clock of the machine that reads it counts
    opened.page.clock.install(time="2026-11-29T13:00:00Z")
    opened.page.reload()
    assert opened.page.locator("#old").is_hidden()
    opened.page.clock.set_fixed_time("2026-12-02T13:00:00Z")
    opened.page.reload()
    assert "This page is 3 d old" in opened.page.locator("#old").inner_text()


def test_nothing_is_wider_than_the_screen(browser: Any, small: Path, evil: Path) -> None:
    for path, node in ((small, "spark0003"), (evil, "spark0001")):
        opened = Opened(browser, path)
        for fragment in ("", f"#node={node}"):
            if fragment:
                opened.page.evaluate("hash => { location.hash = hash; }", fragment)
                opened.wait_for_one_node()
            for viewport in (WIDE, PHONE):
                opened.page.set_viewport_size(viewport)
                assert opened.page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_a_fleet_without_nodes_is_a_page_too(browser: Any, tmp_path: Path) -> None:
    opened = Opened(browser, html_file(tmp_path, [], trends=[], moments=[]))
    assert opened.page.get_by_text("There is nobody to tell of.").is_visible()
    assert opened.page.locator("#theme").is_visible()
    assert opened.faults == []


def test_it_can_be_printed(browser: Any, small: Path) -> None:
    whole, one = Opened(browser, small).page.pdf(), Opened(browser, small, "#node=spark0003").page.pdf()
    assert whole.startswith(b"%PDF-")
    assert 2 <= whole.count(b"/Type /Page\n") < 20
    assert one.count(b"/Type /Page\n") <= 2
