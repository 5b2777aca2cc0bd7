"""The printed runbook of a playbook: all that it says is there, and nothing that a file says is markup."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sparkctl.model.playbook import Budget, OnFailure, Playbook, Risk, WaveRule
from sparkctl.report.runbook import approval_words, budget_words, runbook_of, told_length, wave_words
from sparkctl.report.runbook_html import rendered
from sparkctl.report.runbook_markdown import code, escaped, without_html
from sparkctl.report.runbooks import KINDS
from sparkctl.resources import shipped
from tests.support.command import sparkctl
from tests.support.outline import Outline
from tests.support.runbooks import EVIL, EVIL_TEXT, hostile, playbook, rich

SHIPPED = sorted(f"{path.parent.name}/{path.stem}" for path in shipped("playbooks").glob("*/*.yaml"))
LINES = st.text(st.characters(exclude_categories=["C", "Z"]) | st.sampled_from(" `*_[]<>|&~#$\\!"), max_size=40)


def tokens_of(text: str) -> list[Token]:
    """Everything that a reader of Markdown who lets HTML through sees in it."""
    found = []
    for token in MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text):
        found += [token, *(token.children or [])]
    return found


def shown(tokens: list[Token]) -> str:
    return "".join(token.content for token in tokens if token.type in ("text", "code_inline"))


@pytest.mark.parametrize("name", SHIPPED)
def test_every_playbook_that_travels_with_us_can_be_printed(name: str, tmp_path: Path) -> None:
    said = sparkctl("playbook", "show", name, "--format", "json", home=tmp_path)
    found = Playbook.model_validate_json(said.stdout)
    text = sparkctl("playbook", "show", name, home=tmp_path).stdout
    page = sparkctl("playbook", "show", name, "--as", "html", home=tmp_path).stdout
    play = sparkctl("playbook", "show", name, "--as", "ansible", home=tmp_path).stdout
    assert text.startswith(f"# {escaped(found.title)}\n")
    assert len(re.findall(r"^ +- \[ \] done by", text, re.MULTILINE)) == len(found.steps)
    assert page.count('class="box"') == len(found.steps)
    assert [one for one in found.steps if f"{one.id}: " not in play] == []
    assert found.runbook.strip()
    assert without_html(found.runbook).strip() in text


def test_all_that_a_step_is_stands_on_the_paper() -> None:
    text = KINDS["markdown"](rich(), 2)
    for words in (
        "- **Risk:** disruptive (work on the node is interrupted)",
        "- **Approval:** 2 people: OpenSSH signatures of different people in the namespace spark-approve-disruptive",
        "- **A node must be:** in service or draining",
        "- **Nodes begin:** only while a maintenance window of the site is open",
        "| `$packages` | mapping | required | Versions |",
        '| `$units` | words | \\["docker.service"\\] | Services |',
        "| `$kernel` | word | left out | The kernel |",
        (
            "2. **Title of drain** (`drain`)\n\n   - What is done: the controller drain changes the node\n"
            "   - Option `units`: `$units`\n   - Limit: 2 min\n   - Can be taken back: yes\n   - [ ] done by"
        ),
        (
            "    - Command: `sparkctl bundle collect --out FOLDER NODE`\n    - Limit: 2 min\n"
            "    - Is done on a node whose earlier step failed, too\n"
        ),
        "Command: `sparkctl health --fail-on warn NODE`",
        "What is done: 5 min pass",
        "What is done: a person answers: Is its light on?",
        "- Taken back is: Title of drain.",
        "## Besides\n\nLook at `sparkctl ota` first.",
    ):
        assert words in text
    assert text.count("Command: `sparkctl health") == 1  # no command judges without some of the checks


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (WaveRule(sizes=["100%"]), "all nodes in one wave; no more than 10 nodes at the same time"),
        (WaveRule(sizes=["5"], at_once=1), "5 nodes in every wave; no more than 1 node at the same time"),
        (
            WaveRule(sizes=["1", "10%"], soak_s=5400, control=1),
            (
                "1 node, then 10 % of the nodes in every wave until all are done; no more than 10 nodes at the same "
                "time; 1 h 30 min of waiting after each wave, and a look at how its nodes are; "
                "1 node stays untouched until the end, for comparison"
            ),
        ),
    ],
)
def test_waves_in_words(rule: WaveRule, words: str) -> None:
    assert wave_words(rule, whole_units=False) == words
    assert wave_words(rule, whole_units=True) == f"{words}; nodes that are cabled together are in one wave"


def test_budgets_lengths_and_approvals_in_words() -> None:
    assert budget_words(Budget(wave=0, total=5)) == "no node may fail, be unreachable, or come out unknown"
    assert budget_words(Budget(wave=2, total=1500)).startswith("2 nodes in a wave and 1,500 in all may fail")
    assert budget_words(Budget(wave=100_000, total=100_000)) == "any number of nodes may fail"
    assert [told_length(one) for one in (1, 60, 90, 3600, 90061)] == [
        "1 s",
        "1 min",
        "1 min 30 s",
        "1 h",
        "1 d 1 h 1 min 1 s",
    ]
    assert approval_words(Risk.READ_ONLY, 0) == "none is needed"
    assert (
        approval_words(Risk.REVERSIBLE, 1) == "1 person: an OpenSSH signature in the namespace spark-approve-reversible"
    )


def test_what_is_done_beyond_the_budget() -> None:
    held, ended = (runbook_of(playbook(on_failure=one), 1).failing for one in (OnFailure.HOLD, OnFailure.STOP_NEW))
    assert held[1] == "Beyond the budget, nothing more begins on any node, until a person decides."
    assert ended[1] == "Beyond the budget, nodes under way come to their end, and no further node begins."
    nothing = runbook_of(playbook(on_failure=OnFailure.ROLLBACK), 1).failing
    assert nothing[-1] == "No step of this playbook can be taken back."


@given(LINES)
def test_a_line_in_markdown_is_that_line(text: str) -> None:
    tokens = tokens_of(f"**x** {escaped(text)} y")
    assert shown(tokens).split() == ["x", *text.split(), "y"]
    assert {token.type for token in tokens} <= {
        "paragraph_open", "paragraph_close", "inline", "text", "strong_open", "strong_close", "text_special"
    }  # fmt: skip


@given(LINES.filter(str.strip))
def test_code_in_markdown_is_that_code(text: str) -> None:
    (found,) = [token.content for token in tokens_of(f"a {code(text)} b") if token.type == "code_inline"]
    assert found.strip() == text.strip()


@given(st.lists(LINES | st.sampled_from(["<b>", "</b>", "<!--", "-->", "<script>", "```", "    x <i>", "- <p>"])))
def test_no_html_is_left_in_markdown(lines: list[str]) -> None:
    assert not [one for one in tokens_of(without_html("\n".join(lines))) if one.type.startswith("html")]


def test_text_without_html_stays_as_it_is() -> None:
    text = "# A\n\n`<node>` <https://docs.nvidia.com/> a < b\n\n```\n<script>\n```\n"
    assert without_html(text) == text.rstrip("\n")


def test_a_hostile_playbook_is_no_markup_in_markdown() -> None:
    text = KINDS["markdown"](hostile(), 1)
    tokens = tokens_of(text)
    assert not [one.content for one in tokens if one.type.startswith("html")]
    assert EVIL in shown(tokens)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert len([one for one in tokens if one.type == "th_open"]) == 4 + 2
    assert len([one for one in tokens if one.type == "td_open"]) == 2 * 4 + 2


def test_a_hostile_playbook_is_no_markup_on_the_page() -> None:
    page = KINDS["html"](hostile(), 1)
    plain = KINDS["html"](playbook(*hostile().steps, parameters=hostile().parameters, runbook="x"), 1)
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("<details") == 0
    assert "\x1b" not in page
    assert "\u202e" not in page
    attributes = {name for _, given in Outline(page).elements for name in given}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "style")}
    assert page.count("<h3") == plain.count("<h3") + 1  # the heading of its text, two levels deeper


def test_links_of_a_text_go_to_pages_and_pictures_are_not_loaded() -> None:
    found = rendered(EVIL_TEXT)
    assert re.findall('href="([^"]*)"', found) == ["http://127.0.0.1:9/p.png", "https://docs.nvidia.com/dgx/"]
    assert re.findall(r"<(\w+)", found).count("table") == 1
    kept = rendered("[a](b.md#c) [d](#e) [f](data:text/html,x) [g](//h/i) [j](file:///k) [l](mailto:m@n)")
    assert re.findall('href="([^"]*)"', kept) == ["b.md#c", "#e", "mailto:m@n"]


def test_a_text_beside_that_is_too_long_or_no_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "monitoring"
    folder.mkdir()
    (folder / "x.yaml").write_text((shipped("playbooks") / "monitoring" / "round.yaml").read_text())
    (folder / "x.md").write_text("a" * (256 * 1024 + 1))
    ran = sparkctl("playbook", "show", folder / "x.yaml", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "is longer than 256 KiB" in ran.stderr
    (folder / "x.md").write_bytes(b"\xff\xfe")
    ran = sparkctl("playbook", "show", folder / "x.yaml", home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "x.md" in ran.stderr


def test_the_command_prints_text_in_a_pipe_and_the_model_when_asked(tmp_path: Path) -> None:
    assert sparkctl("playbook", "show", "round", home=tmp_path).stdout.startswith("# Look at")
    line = sparkctl("playbook", "show", "round", "--format", "jsonl", home=tmp_path).stdout
    assert json.loads(line)["schema"] == "sparkctl.playbook/1"
    wrong = sparkctl("playbook", "show", "rund", home=tmp_path)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "round" in wrong.stderr


def test_a_site_that_asks_for_more_approvals_says_so_on_the_paper(tmp_path: Path) -> None:
    site = tmp_path / "playbooks.yaml"
    site.write_text("version: 1\napprovals: {read-only: 3}\n")
    text = sparkctl("playbook", "show", "round", "--site", site, home=tmp_path).stdout
    assert "- **Approval:** 3 people: " in text
