"""Spools of real collections, kept so that one can be sealed again and again."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from sparkctl.app import bundle_collect
from sparkctl.app.places import Places
from sparkctl.app.run import RunRequest
from sparkctl.app.sealing import Order, SealedBundle
from sparkctl.executor.limits import Limits
from sparkctl.lab.state import Lab
from sparkctl.model.fleet_report import RunEnd
from sparkctl.model.vocabulary import Cause, Stage
from sparkctl.transport.seam import TransportError
