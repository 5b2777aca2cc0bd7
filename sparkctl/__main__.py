"""`sparkctl` and `python -m sparkctl`."""

import signal


def main() -> None:
    """Run sparkctl. Ctrl-C while it is still being imported ends the process as it ends any other program."""
    heard = signal.getsignal(signal.SIGINT)
    if heard is signal.default_int_handler:  # not where whoever started us has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from sparkctl.cli.main import main as run  # noqa: PLC0415

    signal.signal(signal.SIGINT, heard)
    run()


if __name__ == "__main__":
    main()
