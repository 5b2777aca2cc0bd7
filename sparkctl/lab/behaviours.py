"""How a simulated node treats those who visit it: the hostile and the merely unlucky ones.

A behaviour decides at one of three moments: when a connection comes in (`AT_CONNECT`), while it signs in (`AT_LOGIN`),
or when a command is to be run (all others, see `acts`).
"""

from sparkctl.lab.faults import Fault

AT_CONNECT = frozenset({"down", "never-answers", "not-ssh"})
AT_LOGIN = frozenset({"changed-host-key", "refuses-key", "exec-refused"})


def _behaviour(name: str, expected: str, description: str) -> Fault:
    return Fault(name, description, expected, behaviour=name)


BEHAVIOUR_FAULTS: tuple[Fault, ...] = (
    _behaviour("down", "connect.connection_refused", "refuses connections"),
    _behaviour("never-answers", "connect.timeout", "accepts connections and says nothing"),
    _behaviour("not-ssh", "connect.not_ssh", "answers with HTTP"),
    _behaviour("changed-host-key", "host_key.host_key_changed", "shows another host key than the pinned one"),
    _behaviour("refuses-key", "authenticate.access_denied", "does not accept the user's key"),
    _behaviour("exec-refused", "run.exec_refused", "opens no session"),
    _behaviour("stalls", "run.timeout", "prints half of its answer, then nothing"),
    _behaviour("slow", "run.timeout", "prints one byte a second"),
    _behaviour("closes-mid-frame", "run.connection_lost", "closes the connection in the middle of its answer"),
    _behaviour("no-exit-status", "run.connection_lost", "closes the channel without an exit status"),
    _behaviour("killed", "run.signal", "the program is killed and prints nothing"),
    _behaviour("floods-stdout", "run.stdout_limit", "prints to standard output for ever"),
    _behaviour("floods-stderr", "run.stderr_limit", "prints to standard error for ever"),
    _behaviour("banner-noise", "pass", "prints banners, ANSI sequences and a false frame around its answer: healthy"),
    _behaviour("old-python", "run.python_too_old", "has Python 3.8"),
    _behaviour("no-python", "run.python_missing", "has no python3"),
    _behaviour("fish-shell", "pass", "has the login shell fish (sh where fish is not installed): healthy"),
    _behaviour("nologin", "run.no_shell", "has the login shell nologin"),
    _behaviour("lies-wrong-digest", "decode.frame_damaged", "announces another digest than its document has"),
    _behaviour("lies-truncated", "decode.frame_damaged", "announces a longer document than it prints"),
    _behaviour("lies-other-nonce", "decode.no_document", "answers with the nonce of another visit"),
    _behaviour("lies-not-utf8", "decode.not_utf8", "answers in Latin-1"),
    _behaviour("lies-not-json", "decode.not_json", "answers in something like JSON"),
    _behaviour("lies-duplicate-keys", "decode.duplicate_key", "says `ok` twice"),
    _behaviour("lies-not-a-number", "decode.not_a_number", "has a reading of NaN"),
    _behaviour("lies-too-deep", "decode.too_deep", "nests 10,000 lists"),
    _behaviour("lies-schema", "decode.schema_violation", "answers with fields that the schema does not know"),
    _behaviour("lies-findings-missing", "decode.incomplete", "leaves out half of its findings"),
    _behaviour("lies-false-rollup", "decode.incomplete", "says all is well over findings that say otherwise"),
    _behaviour("lies-other-program", "decode.wrong_program", "claims that another program ran"),
)  # fmt: skip
