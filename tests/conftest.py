"""What holds for every test: the dispositions of signals that a shell gives to what it starts."""

import signal

# Under nohup, or in the background of a script, some are ignored, and what the tests start would inherit that.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
