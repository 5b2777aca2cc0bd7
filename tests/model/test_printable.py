"""Text that steers, hides or reorders is refused, and made visible where it is quoted; letters are not."""

import re

import pytest
from pydantic import TypeAdapter, ValidationError

from diag.nodekit.printable import printable as on_the_node
from sparkctl.model.base import PRINTABLE, Text
from sparkctl.model.printable import printable

TEXT = TypeAdapter(Text)
REFUSED = (
    "\x00\x1b\x7f\x9b\u00ad\u034f\u115f\u1160\u180e\u200b\u202e\u2066\u3164\ufeff\uffa0\ufffa"
    "\U0001d173\U000e0041\U000e007f"
)
PASSED = "aZ é ß Ж ع א ไ 한글 ᄒ ㄱ 漢字 ᠮᠣᠩ e\u0301 ✔\ufe0f 😀 𝄞 葛\U000e0100 \uffa1 \ufffd"


@pytest.mark.parametrize("character", REFUSED, ids=lambda character: f"U+{ord(character):04X}")
def test_what_cannot_be_seen_is_refused_and_made_visible(character: str) -> None:
    text = f"a{character}b"
    with pytest.raises(ValidationError):
        TEXT.validate_python(text)
    number = ord(character)
    escaped = f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
    assert printable(text) == on_the_node(text) == f"a{escaped}b"


@pytest.mark.parametrize("word", PASSED.split(), ids=ascii)
def test_letters_of_any_script_pass(word: str) -> None:
    assert TEXT.validate_python(word) == printable(word) == on_the_node(word) == word


def test_the_node_and_the_bastion_draw_the_same_line() -> None:
    line = re.compile(PRINTABLE)
    for number in (*range(0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE1000)):
        character = chr(number)
        passes = line.fullmatch(character) is not None
        assert (printable(character) == character) == passes, hex(number)
        assert (on_the_node(character) == character) == passes, hex(number)
