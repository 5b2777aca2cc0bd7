"""The command line: commands, and what becomes of errors."""

import contextlib
import errno
import io
import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from sparkctl import __version__
from sparkctl.cli.airgap import airgap
from sparkctl.cli.alerts import alerts
from sparkctl.cli.baseline import baseline
from sparkctl.cli.bundle import bundle
from sparkctl.cli.collect import collect
from sparkctl.cli.demo import demo
from sparkctl.cli.drift import drift
from sparkctl.cli.export import export
from sparkctl.cli.health import health
from sparkctl.cli.help import COMPLETION_VARIABLE, completion, help_
from sparkctl.cli.history import history
from sparkctl.cli.ingest import ingest
from sparkctl.cli.inventory import inventory
from sparkctl.cli.lab import lab
from sparkctl.cli.ledger import ledger
from sparkctl.cli.node import node
from sparkctl.cli.ota import ota
from sparkctl.cli.playbook import playbook
from sparkctl.cli.program import program
from sparkctl.cli.receive import receive
from sparkctl.cli.report import report
from sparkctl.cli.reset_reason import reset_reason
from sparkctl.cli.retire import retire
from sparkctl.cli.schedule import schedule
from sparkctl.cli.schema import schema
from sparkctl.cli.show import show
from sparkctl.cli.sinks import sinks
from sparkctl.cli.store import store
from sparkctl.cli.sudoers import sudoers
from sparkctl.errors import ExitCode, SparkctlError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sparkctl")
def cli() -> None:
    """Look after a fleet of DGX Spark nodes over SSH, installing nothing on them.

    \b
    New here?      sparkctl demo
    Your fleet:    sparkctl inventory check && sparkctl health
    Read on:       sparkctl help
    """


for command in (
    airgap,
    alerts,
    baseline,
    bundle,
    collect,
    completion,
    demo,
    drift,
    export,
    health,
    help_,
    history,
    ingest,
    inventory,
    lab,
    node,
    ledger,
    ota,
    playbook,
    program,
    receive,
    report,
    reset_reason,
    retire,
    schedule,
    schema,
    show,
    sinks,
    store,
    sudoers,
):
    cli.add_command(command)


def main() -> None:
    """Run sparkctl and exit with one of the codes of docs/exit-codes.md."""
    sys.excepthook = _report_bug
    _open_streams()
    if asked := os.environ.get(COMPLETION_VARIABLE):
        sys.exit(shell_complete(cli, {}, "sparkctl", COMPLETION_VARIABLE, asked))
    try:
        with cli.make_context("sparkctl", sys.argv[1:]) as context:
            code = cli.invoke(context)
        sys.stdout.flush()
    except SparkctlError as error:
        _complain(error.message, error.hint)
        code = error.exit_code
    except click.exceptions.Exit as leaving:
        code = leaving.exit_code
    except click.ClickException as error:
        error.show()
        code = ExitCode.USAGE
    except BrokenPipeError:
        code = ExitCode.OK  # whoever read our output has gone, and nothing is left to say
    except (click.Abort, KeyboardInterrupt):
        _die_of_interrupt()
    _flush_for_good()
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def _open_streams() -> None:
    """Give a process that was started without standard streams some, and let no locale stop a message."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - open to the end
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What is not for a terminal is UTF-8, as JSON is by definition.
            stream.reconfigure(encoding=None if stream.isatty() else "utf-8", errors="backslashreplace")


def _die_of_interrupt() -> NoReturn:
    """End as a program does that Ctrl-C ends, so that the shell knows."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    raise AssertionError("a process outlives the signal that ends it")


def _flush_for_good() -> None:
    """Empty standard output; where nobody takes it any more, keep Python from complaining about that at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, hint: str | None) -> None:
    click.echo(f"sparkctl: {message}", err=True)
    if hint:
        click.echo(f"  → {hint}", err=True)


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last resort: say that it is our bug, with the traceback, and exit with 70 instead of Python's 1."""
    if isinstance(error, OSError) and error.filename is None and error.errno in (errno.ENOSPC, errno.EIO):
        with contextlib.suppress(OSError):
            _complain(f"the output cannot be written: {error.strerror}", None)
        os._exit(ExitCode.USAGE)
    traceback.print_exception(kind, error, trace)
    _complain("this is a bug in sparkctl; please report it with the lines above", None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERNAL)
