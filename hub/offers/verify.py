"""`simulcast verify-offer RECORD KEYS`: is this offer's record genuine? Reads two files, asks nobody.

RECORD is what `GET /api/v1/public/offers/ID/record` answered, KEYS what
`/.well-known/simulcast-offer-keys.json` did.
Ends with 0 and prints what was promised, or with 1 and says why. `python -m hub.offers.verify` is the same.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.offers.records import NotGenuine, verified


def check(answer: Mapping[str, Any], keys: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an answer's signatures vouch for: at go-live and, if it came, at the end. Raises NotGenuine."""
    said = []
    for name in ("live", "ended"):
        part = answer.get(name)
        if part is None:
            continue
        what = verified(str(part["jws"]), keys["keys"])
        if what != part["record"]:
            raise NotGenuine("The readable text differs from what was signed.")
        said.append(what)
    if not said:
        raise NotGenuine("There is no record in this file.")
    if any(one["offer_id"] != said[0]["offer_id"] for one in said):
        raise NotGenuine("The two halves belong to different offers.")
    return said


def main(arguments: Sequence[str]) -> int:
    """The command."""
    if len(arguments) != 2:
        sys.stdout.write("Usage: python -m hub.offers.verify RECORD.json KEYS.json\n")
        return 2
    try:
        answer, keys = (json.loads(Path(name).read_text()) for name in arguments)
        said = check(answer, keys)
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stdout.write(f"Not genuine: {error}\n")
        return 1
    sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
