"""The last boots as a picture: one line each, in any width and any terminal, without times that nobody vouches for."""

import io
import re
from typing import Any

import pytest

from sparkctl.model.reset import ResetEnvelope
from sparkctl.report.reset_timeline import rows_of, show_timeline, told
from tests.support.resets import boot, document, encoded, transition


class Terminal(io.TextIOWrapper):
    """A terminal of an encoding."""

    def isatty(self) -> bool:
        return True


def envelope(*ends: dict[str, Any], **parts: Any) -> ResetEnvelope:
    return ResetEnvelope.model_validate_json(encoded(document(*ends, **parts)))


def drawn(
    seen: ResetEnvelope, monkeypatch: pytest.MonkeyPatch, *, columns: int = 80, encoding: str = "utf-8"
) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    content = io.BytesIO()
    stream = Terminal(content, encoding=encoding, errors="strict")
    show_timeline("spark01", seen, stream)
    stream.flush()
    return re.sub(r"\x1b\[[0-9;]*m", "", content.getvalue().decode(encoding)).splitlines()


PAST = (
    transition(termination="orderly.reboot", expected="yes", words="Restarted in good order; an operator asked for it"),
    transition(
        -1, termination="disorderly.panic", expected="no", words="The kernel panicked: something with many words"
    ),
    transition(-2, words="How it ended cannot be told", window={"last_sign_s": None, "gap_s": None}),
)


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_one_line_for_each_boot(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn(envelope(*PAST), monkeypatch, columns=columns)
    assert all(len(line) <= columns for line in lines)
    boots = [line for line in lines if any(boot(number)[:8] in line for number in range(4))]
    assert [line.split()[0] for line in boots] == ["now", "0", "-1", "-2"]
    assert [next(sign for sign in "▶│✗?" if sign in line) for line in boots] == ["▶", "│", "✗", "?"]
    assert "2 h 00 min" in boots[0]
    assert "running" in boots[0]
    assert ("Restarted in good order; an operator asked for it" in boots[1]) is (columns >= 120)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_plain_signs_where_others_cannot_be_shown(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = transition(-1, termination="disorderly", words="Ended – without a shutdown, in many more words than fit")
    lines = drawn(envelope(PAST[0], words), monkeypatch, encoding=encoding)
    assert any("#|" in line for line in lines)
    assert any("#x" in line and line.endswith("...") for line in lines)
    assert all(len(line) <= 80 for line in lines)


def test_no_time_between_boots_where_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    set_meanwhile = transition(termination="orderly.reboot", window={"last_sign_s": 60.0, "gap_s": None})
    backwards = transition(-1, termination="orderly.reboot", window={"last_sign_s": 60.0, "gap_s": -3600.0})
    as_it_was = transition(-2, termination="orderly.reboot", window={"last_sign_s": 60.0, "gap_s": 25.0})
    lines = drawn(envelope(set_meanwhile, backwards, as_it_was), monkeypatch, columns=120)
    assert ["+" in line for line in lines if "good order" in line] == [False, False, True]
    assert "+25 s" in "".join(lines)
    assert any("the node's clock was set" in line for line in lines)
    assert not any("20" + year in line for line in lines for year in ("25", "26")), "no date is claimed"


def test_bars_are_longer_for_longer_boots(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [
        transition(-number, termination="orderly.reboot", window={"last_sign_s": seconds, "gap_s": None})
        for number, seconds in enumerate((30.0, 3600.0, 3600.0 * 24 * 40))
    ]
    lines = drawn(envelope(*ends), monkeypatch)
    lengths = [line.count("█") for line in lines if "good order" in line]
    assert lengths == sorted(lengths)
    assert 1 <= lengths[0] < lengths[-1]
    assert any("40 d 00 h" in line for line in lines)


def test_a_boot_that_left_no_record_is_one_of_the_boots() -> None:
    missed = transition(from_boot_id=None)
    before = transition(-1, termination="orderly.reboot", from_boot_id=boot(3), to_boot_id=boot(2), proof=[])
    rows = [(row.label, row.boot_id) for row in rows_of(envelope(missed, before).data)]  # type: ignore[arg-type]
    assert rows == [("now", boot(0)), ("0", None), ("", boot(2)), ("-1", boot(3))]


def test_an_earlier_end_has_no_running_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = drawn(envelope(transition(-2, termination="orderly.reboot")), monkeypatch)
    assert not any("now" in line for line in lines)


def test_the_last_boot_that_is_looked_at_need_not_be_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    ends = [transition(-number, termination="orderly.reboot") for number in range(12)]
    assert any("older boots" in line for line in drawn(envelope(*ends), monkeypatch))
    assert not any("older boots" in line for line in drawn(envelope(*ends[:11]), monkeypatch))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.9, "1 min 00 s"), (3599.6, "1 h 00 min"), (86399.0, "23 h 59 min"), (2.0**40, "1e+07 d")],
)
def test_durations_of_at_most_eleven_characters(seconds: float, words: str) -> None:
    assert told(seconds) == words
    assert len(words) <= 11
