"""Mail through the sendmail command of this machine, one message for each event (RFC 5322)."""

import contextlib
import os
import subprocess
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from sparkctl.model.event import moment
from sparkctl.model.printable import printable
from sparkctl.model.sink import Answer, Parcel, Result, SinkSettings
from sparkctl.sinks.seam import SinkTrouble, accepted, failed, left, reason, refused

DEFAULT_PATH = "/usr/sbin/sendmail"
SUBJECT = 200
_REFUSALS = frozenset({65, 67, 68})  # EX_DATAERR, EX_NOUSER, EX_NOHOST of sysexits.h
_BODY_BYTES = 256 * 1024
# So that ids stay on the line of their header, which not every mail system unfolds.
_POLICY = SMTP.clone(max_line_length=120)


class SendmailSink:
    """Hands messages to a local mail system, which has queues of its own from then on."""

    def __init__(self, settings: SinkSettings, host: str) -> None:
        """`host` is the name of this machine, which stands in the ids of messages."""
        self._program = settings.address.path or DEFAULT_PATH
        self._to, self._host, self._timeout_s = settings.to, host, settings.timeout_s
        self._sender = settings.sender or f"sparkctl@{host}"

    def send(self, batch: Sequence[Parcel], until: float) -> Answer:
        """Hand over one message after another."""
        results: list[Result] = []
        for parcel in batch:
            try:
                results.append(self._hand_over(parcel, until))
            except SinkTrouble as trouble:
                return Answer(results, trouble.down, 1)
        return Answer(results)

    def _hand_over(self, parcel: Parcel, until: float) -> Result:
        argv = [self._program, "-i", "-f", self._sender, "--", *self._to]
        try:
            ran = subprocess.run(
                argv, input=mail(parcel, self._sender, self._to, self._host), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=left(until, self._timeout_s), check=False, env=_environment(),
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise SinkTrouble(f"{self._program} did not end in time and was killed") from error
        except OSError as error:
            raise SinkTrouble(f"{self._program}: {reason(error)}") from error
        words = f"{self._program} ended with {ran.returncode}"
        if ran.returncode == 0:
            return accepted(words)
        words += f": {ran.stdout[:300].decode('utf-8', 'replace').strip()}"
        if ran.returncode in _REFUSALS:
            return refused(words)
        if ran.returncode == os.EX_TEMPFAIL or ran.returncode < 0:
            raise SinkTrouble(words)
        return failed(words)

    def close(self) -> None:
        """Nothing stays open."""


def mail(parcel: Parcel, sender: str, to: Sequence[str], host: str) -> bytes:
    """The message: its summary and, as far as it is not too long, all of the event below it."""
    told = parcel.told
    message = EmailMessage(policy=_POLICY)
    message["From"] = sender
    message["To"] = ", ".join(to)
    message["Subject"] = printable(f"[sparkctl] {told.severity}: {told.summary}", SUBJECT)
    message["Date"] = format_datetime(told.at)
    message["Message-ID"] = f"<{told.event_id[:32]}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Sparkctl-Event-Id"] = told.event_id
    facts = [
        told.summary,
        "",
        f"severity   {told.severity}",
        f"kind       {told.kind}",
        *([f"node       {told.node_id}"] if told.node_id else []),
        f"at         {moment(told.at)}",
        *(["simulated  yes: no real node is meant"] if told.simulated else []),
        f"event      {told.event_id}",
        "",
    ]
    whole = parcel.payload
    facts.append(whole if len(whole) <= _BODY_BYTES else f"all of it: sparkctl sinks show {told.event_id}")
    message.set_content("\n".join(facts))
    return message.as_bytes()


def _environment() -> dict[str, str]:
    """What a mail system needs of our environment: nothing that holds a secret."""
    kept = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    with contextlib.suppress(KeyError):
        kept["HOME"] = os.environ["HOME"]
    return kept
