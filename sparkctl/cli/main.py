"""The command line: commands, and what becomes of errors."""

import os
import sys
import traceback
from types import TracebackType

import click

from sparkctl import __version__
from sparkctl.cli.demo import demo
from sparkctl.cli.health import health
from sparkctl.cli.history import history
from sparkctl.cli.inventory import inventory
from sparkctl.cli.lab import lab
from sparkctl.cli.schema import schema
from sparkctl.cli.sudoers import sudoers
from sparkctl.errors import ExitCode, SparkctlError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="sparkctl")
def cli() -> None:
    """Look after a fleet of DGX Spark nodes over SSH, installing nothing on them.

    \b
    New here?      sparkctl demo
    Your fleet:    sparkctl inventory check && sparkctl health
    """


for command in (demo, health, history, inventory, lab, schema, sudoers):
    cli.add_command(command)


def main() -> None:
    """Run sparkctl and exit with one of the codes of docs/exit-codes.md."""
    sys.excepthook = _report_bug
    try:
        code = cli.main(standalone_mode=False)
    except SparkctlError as error:
        _complain(error.message, error.hint)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(ExitCode.USAGE)
    except click.Abort:
        _complain("stopped", None)
        sys.exit(ExitCode.USAGE)
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(ExitCode.INTERNAL)
    sys.exit(code if isinstance(code, int) else ExitCode.OK)


def _complain(message: str, hint: str | None) -> None:
    click.echo(f"sparkctl: {message}", err=True)
    if hint:
        click.echo(f"  → {hint}", err=True)


def _report_bug(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """The last resort: say that it is our bug, with the traceback, and exit with 70 instead of Python's 1."""
    traceback.print_exception(kind, error, trace)
    _complain("this is a bug in sparkctl; please report it with the lines above", None)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(ExitCode.INTERNAL)
