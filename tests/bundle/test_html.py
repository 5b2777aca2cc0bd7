"""The page for a browser: whole without a network, readable by everybody, and no way in for a hostile bundle."""

import http.server
import itertools
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sparkctl.model.evidence import CommandSource, EntryFacts, EntryKind, EntryStatus, Missing
from sparkctl.model.vocabulary import UnknownReason
from tests.bundle.made import facts, health, made, reset
from tests.support.command import sparkctl
from tests.support.envelopes import finding
from tests.support.facts import identity
from tests.support.outline import Outline
from tests.support.resets import transition

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no chromium here: the page is not opened in a browser")
INJECTED = (
    '"><script>document.title="owned"</script><img src="{url}/img" onerror=\'document.title="owned"\'>'
    "<style>@import url({url}/css);body{{background:url({url}/bg)}}</style><link rel=stylesheet href={url}/link>"
    "</pre></details></title><svg onload=document.title='owned'>{{{{ 7 * 7 }}}}"
)


def page_of(bundle: Path) -> str:
    out = bundle.with_suffix(".html")
    ran = sparkctl("bundle", "show", bundle, "--html", out, home=bundle.parent)
    assert ran.returncode == 0, ran.stderr
    return out.read_text("utf-8")


def hostile(folder: Path, url: str) -> Path:
    """A bundle in which every text that a node may choose would run a program in a browser, or load something."""
    words = INJECTED.format(url=url)[:900]
    short = words[:120]
    entry = EntryFacts(
        path="artefacts/log/<img src=x onerror=a>&amp;.txt",
        kind=EntryKind.ARTEFACT,
        source=CommandSource(argv=["cat", words]),
        status=EntryStatus.TRUNCATED,
        words=words,
    )
    found = [finding("a.one", "fail", summary=words, value=words, unit=short, action=words)]
    ends = [transition(0, words=words, would_decide=[words])]
    return made(
        folder / "hostile.zst",
        artefacts={"log/<img src=x onerror=a>&amp;.txt": words.encode(), "log/b.bin": b"\0" + words.encode()},
        facts_of=[entry],
        contents={
            "judged/health.json": health(*found, finding("b.two", summary=words)),
            "judged/facts.json": facts(identity=identity(product=words, serial=short)),
            "judged/reset.json": reset(*ends),
        },
        missing=[Missing(name=short, reason=UnknownReason.IO_ERROR, words=words)],
        version=short,
        disclosed_to=short,
    )


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback and the paths that it was asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def rendered(page: Path, profile: Path) -> str:
    """What a browser makes of a page."""
    assert BROWSER is not None
    options = ["--headless", "--disable-gpu", f"--user-data-dir={profile}", "--virtual-time-budget=2000", "--dump-dom"]
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # which Chromium does not set up for root
    command = [BROWSER, *options, *sandbox, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_it_is_one_file_that_loads_and_runs_nothing(tmp_path: Path) -> None:
    page = page_of(hostile(tmp_path, "https://example.org"))
    outline = Outline(page)
    (policy,) = (each["content"] for _, each in outline.named("meta") if each.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not outline.named("script", "link", "img", "iframe", "svg", "object", "embed", "form", "base")
    assert len(outline.named("style")) == 1
    attributes = [(name, value) for _, each in outline.elements for name, value in each.items()]
    assert not [each for each in attributes if each[0].startswith("on") or each[0] in ("src", "style", "srcset")]
    assert all((value or "").startswith("#") for name, value in attributes if name == "href")
    assert "{{ 7 * 7 }}" in page


def test_everybody_can_find_their_way(tmp_path: Path) -> None:
    page = page_of(hostile(tmp_path, "https://example.org"))
    outline = Outline(page)
    assert outline.named("html")[0][1]["lang"] == "en"
    assert [len(outline.named(tag)) for tag in ("h1", "main", "header", "nav", "footer")] == [1] * 5
    levels = [int(tag[1]) for tag, _ in outline.named("h1", "h2", "h3", "h4")]
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert len(outline.named("table")) == page.count("<caption") > 5
    assert all(each.get("scope") in ("row", "col") for _, each in outline.named("th"))
    assert all(each.get("tabindex") == "0" and each.get("aria-label") for _, each in outline.named("pre"))
    identified = [each["id"] for _, each in outline.elements if "id" in each]
    assert len(identified) == len(set(identified))
    wanted = [(each["href"] or "")[1:] for _, each in outline.named("a")]
    wanted += [each["aria-labelledby"] or "" for _, each in outline.elements if "aria-labelledby" in each]
    assert set(wanted) <= set(identified)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_can_be_read(scheme: str, tmp_path: Path) -> None:
    sheets = re.findall(r":root \{(.*?)\}", page_of(made(tmp_path / "a.zst")), re.DOTALL)
    colours = dict(re.findall(r"--(\w+): #(\w{6})", sheets[scheme == "dark"]))
    texts = [name for name in colours if name not in ("back", "raised", "line")]
    assert len(texts) >= 8
    for name in texts:
        assert contrast(colours[name], colours["back"]) >= 4.5, name
    assert contrast(colours["fore"], colours["raised"]) >= 7


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours (WCAG 2.2)."""
    lights = sorted(map(luminance, (one, other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_long_texts_end_and_say_so(tmp_path: Path) -> None:
    page = page_of(made(tmp_path / "a.zst", artefacts={"log/long.txt": b"0123456789abcde\n" * 10_000}))
    assert page.count("0123456789abcde") == 4096
    assert "94,464 more bytes are not shown here: sparkctl bundle show FILE artefacts/log/long.txt" in page


def test_a_page_is_not_written_over_nor_left_half(tmp_path: Path) -> None:
    bundle, out = made(tmp_path / "a.zst"), tmp_path / "a.html"
    out.write_text("mine")
    assert sparkctl("bundle", "show", bundle, "--html", out, home=tmp_path).returncode == 2
    assert out.read_text() == "mine"
    content = bytearray(bundle.read_bytes())
    content[-9] ^= 1
    bundle.write_bytes(content)
    assert sparkctl("bundle", "show", bundle, "--html", tmp_path / "b.html", home=tmp_path).returncode == 2
    assert not list(tmp_path.glob("*b.html*"))


@needs_browser
@pytest.mark.slow
def test_in_a_browser_no_program_runs_and_no_request_leaves(tmp_path: Path) -> None:
    with listening() as (url, asked):
        page_of(hostile(tmp_path, url))
        shown = rendered(tmp_path / "hostile.html", tmp_path / "profile")
        assert asked == []
        assert "<title>host-xabcdefghij, 2026-11-20 08:00 UTC: a bundle of evidence</title>" in shown
        assert shown.count('&lt;script&gt;document.title="owned"&lt;/script&gt;') > 8
        naked = tmp_path / "naked.html"
        naked.write_text(f'<title>mine</title><p title="{INJECTED.format(url=url)}')
        assert "<title>owned</title>" in rendered(naked, tmp_path / "profile")
        assert {"/img", "/css", "/link"} <= set(asked)  # so that the silence above means something


@needs_browser
@pytest.mark.slow
def test_in_a_browser_the_policy_holds_what_escaping_would_let_through(tmp_path: Path) -> None:
    with listening() as (url, asked):
        page = page_of(made(tmp_path / "a.zst"))
        broken = tmp_path / "broken.html"
        broken.write_text(page.replace("<main>", f'<main><p title="{INJECTED.format(url=url)}'))
        shown = rendered(broken, tmp_path / "profile")
        assert "a bundle of evidence</title>" in shown
        assert asked == []
