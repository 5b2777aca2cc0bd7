"""Playbooks for tests of what is printed of them."""

from typing import Any

from sparkctl.model.lifecycle import Phase
from sparkctl.model.playbook import (
    Budget,
    OnFailure,
    Parameter,
    ParameterKind,
    Playbook,
    Risk,
    Step,
    WaveRule,
)

EVIL = (
    "\"'><script>document.title='owned'</script><img src=x onerror=alert(2)> {{ 7*7 }} {% raw %} {# x #} *a* `b` | $c"
)
JINJA = "#jinja2: variable_start_string:'<<', variable_end_string:'>>' << 7*7 >>"
EVIL_TEXT = """# One <script>document.title='owned'</script>

Text <img src="x" onerror="document.title='owned'"> `<node>` and ![a picture](http://127.0.0.1:9/p.png),
[bad](javascript:alert(1)), [good](https://docs.nvidia.com/dgx/), \x1b[31mred\x1b[0m \u202e.

<details open><summary>raw</summary>

| What | Who |
| --- | --- |
| `<node>` | <b>bold</b> |

```
echo "<script>" a-long-word-that-goes-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on-and-on
```
"""


def step(name: str, do: str, **more: Any) -> Step:
    return Step(**{"id": name, "do": do, "title": f"Title of {name}", "within_s": 120, **more})


def playbook(*steps: Step, **more: Any) -> Playbook:
    given = {
        "name": "maintenance/made",
        "phase": Phase.MAINTENANCE,
        "title": "A made playbook",
        "risk": Risk.DISRUPTIVE,
        "waves": WaveRule(sizes=["1", "10%"]),
        "budget": Budget(wave=0, total=0),
        "on_failure": OnFailure.HOLD,
        "windowed": True,
        "steps": list(steps) or [step("health", "judge")],
        "sha256": "0" * 64,
    }
    return Playbook(**{**given, **more})


def rich() -> Playbook:
    """One with every verb, every controller that has a counterpart in Ansible, and every kind of parameter."""
    return playbook(
        step("before", "judge", options={"ignore": ["power.*"]}),
        step("drain", "control.drain", options={"units": "$units"}, undo=True),
        step("fence", "control.fence-dashboard"),
        step("apart", "control.quarantine", options={"units": "$units"}),
        step("lists", "control.apt-refresh"),
        step("packages", "control.apt-upgrade", options={"packages": "$packages"}, within_s=5400),
        step("stage", "control.firmware-stage", options={"device": "$device", "release": "1.2.3"}),
        step("once", "control.kernel-boot-once", options={"kernel": "$kernel"}),
        step("restart", "control.reboot", options={"kernel": "$kernel"}),
        step("settle", "wait", options={"seconds": 300}),
        step("light", "ask", options={"question": "Is its light on?"}),
        step("bundle", "sparkctl", options={"command": ["bundle", "collect", "--out", "$folder"]}, always=True),
        step("other", "control.never-heard-of"),
        step("after", "judge", options={"fail_on": "warn"}, always=True),
        parameters={
            "packages": Parameter(kind=ParameterKind.MAPPING, help="Versions", required=True),
            "units": Parameter(kind=ParameterKind.WORDS, help="Services", default=["docker.service"]),
            "kernel": Parameter(kind=ParameterKind.WORD, help="The kernel"),
            "device": Parameter(kind=ParameterKind.WORD, help="The device", required=True),
            "tries": Parameter(kind=ParameterKind.NUMBER, help="How often", default=3),
        },
        waves=WaveRule(sizes=["1", "10%", "50%"], soak_s=1800, control=2, at_once=5),
        budget=Budget(wave=1, total=3),
        on_failure=OnFailure.ROLLBACK,
        states=["in_service", "draining"],
        runbook="Look at `sparkctl ota` first.\n\n- One\n- Two\n",
    )


def hostile() -> Playbook:
    """One in which every text that its file may choose would be markup, a program or a template."""
    return playbook(
        step("ask", "ask", title=EVIL, options={"question": EVIL}),
        step("jinja", "ask", title=JINJA, options={"question": JINJA}),
        step(
            "act", "control.drain", title=EVIL, options={"units": [EVIL, JINJA, "\x1b[31m"], EVIL[:100]: {JINJA: EVIL}}
        ),
        step("read", "sparkctl", title=EVIL, options={"command": ["drift", EVIL, JINJA]}),
        title=EVIL,
        parameters={
            "evil": Parameter(kind=ParameterKind.WORD, help=EVIL, default=EVIL),
            "words": Parameter(kind=ParameterKind.WORDS, help=EVIL, default=[JINJA, EVIL, "\u202e"]),
        },
        runbook=EVIL_TEXT,
    )
