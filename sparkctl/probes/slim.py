"""Take comments and docstrings out of Python source, leaving every line of code where it was."""

import io
import tokenize
from functools import cache

_BEFORE_STATEMENT = frozenset({tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT})
_INVISIBLE = frozenset({tokenize.COMMENT, tokenize.NL})


@cache  # our programs have many modules in common
def slim(source: str) -> str:
    """The same program without comments and with empty docstrings; line numbers stay, so tracebacks fit the source."""
    lines = source.splitlines()
    for token, replacement in reversed(_removals(source)):
        (first, start), (last, end) = token.start, token.end
        rest = lines[last - 1][end:]
        lines[first - 1] = (lines[first - 1][:start] + replacement + rest).rstrip(" ")
        lines[first:last] = [""] * (last - first)
    return "".join(line + "\n" for line in lines)


def _removals(source: str) -> list[tuple[tokenize.TokenInfo, str]]:
    """The tokens to replace, in order, each with its replacement."""
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    comments = [(token, "") for token in tokens if token.type == tokenize.COMMENT]
    statements = [token for token in tokens if token.type not in _INVISIBLE]
    docstrings = [
        (token, '""')
        for previous, token, following in zip([None, *statements], statements, statements[1:], strict=False)
        if token.type == tokenize.STRING
        and (previous is None or previous.type in _BEFORE_STATEMENT)
        and following.type == tokenize.NEWLINE
    ]
    return sorted([*comments, *docstrings], key=lambda removal: removal[0].start)
