"""One health document, recorded from the program itself on a simulated tree, for nodes that run no Python."""

import json
import subprocess
import sys
import time
from pathlib import Path

from sparkctl.lab.characters import model_of
from sparkctl.lab.render import render
from sparkctl.lab.tree import Pool, write_tree
from sparkctl.resources import shipped
from tests.bench.farm import NO_PROGRAM


def record(folder: Path) -> Path:
    """Judge a simulated healthy node once; the file holds the document with `NO_PROGRAM` for the program's digest."""
    tree = folder / "node01"
    write_tree(render(model_of("node01", 1, "founders", None)), tree, Pool(folder / "shared"), time.time())
    program = shipped("diag") / "spark_diagctl.py"
    command = [sys.executable, "-I", "-S", str(program), "health", "--root", str(tree.resolve())]
    ran = subprocess.run([*command, "--program-sha256", NO_PROGRAM.decode()], capture_output=True, check=True)
    document = ran.stdout.strip()
    if json.loads(document)["meta"]["program_sha256"].encode() != NO_PROGRAM:
        raise RuntimeError("the recorded document does not bear the digest that was asked for")
    path = folder / "document.json"
    path.write_bytes(document)
    return path
