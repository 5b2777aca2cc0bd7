"""Pages, the manual, and what shells complete."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sparkctl.app.help_topics import topics
from sparkctl.app.man_page import man_page
from sparkctl.resources import shipped
from tests.support.command import environment, json_lines, sparkctl

ROOT = Path(__file__).parents[2]
FLEET = """
nodes:
  spark[01-03]: {rack: a1}
  spark04: {rack: b2, labels: {owner: ml}}
groups:
  train: {nodes: ["spark[01-02]"]}
"""


def test_every_page_is_a_topic_and_the_first_ones_come_first() -> None:
    found = topics()
    assert [topic.name for topic in found][:4] == ["quick-start", "inventory", "sweeps", "schedules"]
    assert {topic.path for topic in found} == set(shipped("docs").glob("*.md"))
    assert all(topic.title and len(topic.summary) > 20 for topic in found)


def test_a_topic_is_printed_as_it_is_and_listed(tmp_path: Path) -> None:
    listed = json_lines(sparkctl("help", "--format", "jsonl", home=tmp_path))
    assert "bundles" in [topic["name"] for topic in listed]
    ran = sparkctl("help", "schedules", home=tmp_path)
    assert ran.stdout == (shipped("docs") / "schedules.md").read_text("utf-8")
    checks = sparkctl("help", "checks", home=tmp_path).stdout
    assert "generated" not in checks.partition("\n## ")[0]
    assert "<!--" not in checks


@pytest.mark.parametrize(("words", "expected"), [("bundle collect", "Usage: sparkctl bundle collect"), ("health", "-")])
def test_a_command_explains_itself(words: str, expected: str, tmp_path: Path) -> None:
    ran = sparkctl("help", *words.split(), home=tmp_path)
    assert expected in ran.stdout
    assert ran.stdout == sparkctl(*words.split(), "--help", home=tmp_path).stdout


@pytest.mark.parametrize("words", ["bundel", "bundle colect", "../errors", "health x"])
def test_what_is_neither_is_refused(words: str, tmp_path: Path) -> None:
    ran = sparkctl("help", *words.split(), home=tmp_path)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"no topic and no command {words!r}" in ran.stderr


def test_the_manual_is_in_step_and_has_every_command(tmp_path: Path) -> None:
    printed = sparkctl("help", "--man", home=tmp_path).stdout
    kept = shipped("docs") / "sparkctl.1"
    assert printed == kept.read_text("utf-8"), "write it with: make schemas"
    for command in ("health", "bundle disclose", "schedule install", "completion"):
        assert f".SS sparkctl {command}" in printed


def test_the_manual_explains_every_variable_that_an_option_names() -> None:
    page = (shipped("docs") / "sparkctl.1").read_text("utf-8")
    options, _, rest = page.partition(".SH ENVIRONMENT")
    named = set(re.findall(r"SPARKCTL_[A-Z]+", options))
    assert len(named) > 3
    assert named <= set(re.findall(r"SPARKCTL_[A-Z]+", rest))


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not installed: the manual is not checked")
def test_the_manual_is_sound_roff_and_shows_text_as_it_is(tmp_path: Path) -> None:
    lint = ["mandoc", "-Tlint", "-W", "warning", str(shipped("docs") / "sparkctl.1")]
    complaints = subprocess.run(lint, capture_output=True, text=True, check=False).stdout.splitlines()
    assert [each for each in complaints if "missing date" not in each] == []  # versions have dates, checkouts have none
    text = ".TH is no macro here \\fBnor\\fR this, 'nor' this -- `or` this"
    page = tmp_path / "page.1"
    page.write_text(man_page({"name": "p", "commands": {}, "help": text}, "1"))
    shown = subprocess.run(["mandoc", "-Tutf8", page], capture_output=True, text=True, check=True).stdout
    assert text in " ".join(shown.split())


def completed(words: str, home: Path) -> list[str]:
    """What bash offers for the last of the words, once it has read our completion."""
    script = home / "completion.bash"
    script.write_text(sparkctl("completion", "bash", home=home).stdout)
    tools = home / "bin"
    tools.mkdir(exist_ok=True)
    ours = tools / "sparkctl"
    ours.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m sparkctl "$@"\n')
    ours.chmod(0o755)
    typed = ["sparkctl", *words.split(" ")]
    program = (
        'source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sparkctl_completion sparkctl; '
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    ran = subprocess.run(
        ["bash", "--norc", "-c", program, script, *typed], capture_output=True, text=True, check=True, cwd=home,
        env={**environment(home), "PATH": f"{tools}:{environment(home)['PATH']}"},
    )  # fmt: skip
    return ran.stdout.split()


def test_bash_completes_commands_and_nodes(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text(FLEET)
    environment(tmp_path)
    assert completed("he", tmp_path) == ["health", "help"]
    assert completed("health spark0", tmp_path) == ["spark01", "spark02", "spark03", "spark04"]
    assert completed("health spark01,ra", tmp_path) == ["spark01,rack=a1", "spark01,rack=b2"]
    assert completed("health rack=a1&@", tmp_path) == ["rack=a1&@train"]
    (tmp_path / "fleet.yaml").write_text("nodes: [")
    assert completed("health spark0", tmp_path) == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_take_theirs(shell: str, tmp_path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "completion"
    script.write_text(sparkctl("completion", shell, home=tmp_path).stdout)
    subprocess.run([shell, "-n", script], check=True)
    assert json.loads(sparkctl("completion", shell, "--format", "json", home=tmp_path).stdout)["shell"] == shell


def test_the_readme_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [topic.name for topic in topics() if f"docs/{topic.path.name})" not in readme] == []
