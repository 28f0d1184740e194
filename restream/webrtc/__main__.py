"""`python -m restream.webrtc DESCRIPTOR`: a sender process; only the worker starts it."""

from __future__ import annotations

import sys

import uvloop

from restream.webrtc.sender import run

if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
