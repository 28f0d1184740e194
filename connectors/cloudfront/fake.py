"""A local CloudFront: CreateInvalidation behind Signature Version 4, and an edge that checks policies."""

from __future__ import annotations

import base64
import fnmatch
import hmac
import json
import random
import re
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.cloudfront.signature import Credentials, signature_of
from connectors.fakes import Faults
from connectors.types import Tokens

TOLD = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
SPACE = "{http://cloudfront.amazonaws.com/doc/2020-05-31/}"
SKEW_SECONDS = 900


class Fake:
    """One account with one distribution."""

    def __init__(self, *, seed: int = 0, ingest_url: str | None = None) -> None:
        self._random = random.Random(seed)
        self._credentials = Credentials("AKIAIOSFODNN7EXAMPLE", f"{self._random.getrandbits(160):040x}")
        self._distribution = "E2QWRUHAPOMQZL"
        self._key_id = "K2JCJMDEHXQW5F"
        self._batches: dict[str, dict[str, Any]] = {}
        self._faults = Faults()
        self.app = Starlette(
            routes=[
                Route("/2020-05-31/distribution/{id}/invalidation", self._invalidation, methods=["POST"]),
                Route("/_ctl/fault", self._ctl_fault, methods=["POST"]),
                Route("/_ctl/edge", self._ctl_edge, methods=["POST"]),
                Route("/_ctl/state", self._ctl_state),
            ]
        )

    @cached_property
    def _key(self) -> RSAPrivateKey:
        """Not from the seed: nobody makes RSA keys from one. Made when it is wanted, which takes a moment."""
        return generate_private_key(65537, 2048)

    def connection(self) -> tuple[dict[str, Any], Tokens | None]:
        """What a person would enter; there is no login beside it."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "distribution_id": self._distribution,
            "domain": "d111111abcdef8.cloudfront.net",
            "access_key_id": self._credentials.access_key,
            "secret_access_key": self._credentials.secret_key,
            "key_pair_id": self._key_id,
            "private_key_secret": pem,
        }, None

    def set_base_url(self, url: str) -> None:
        """Nothing here builds absolute addresses."""

    async def _invalidation(self, request: Request) -> Response:
        if fault := self._faults.next("status"):
            wait = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
            return failed(fault["status"], "Simulated", "On purpose.", wait)
        body = await request.body()
        refusal = self._unsigned(request, body)
        if refusal:
            return refusal
        if request.path_params["id"] != self._distribution:
            return failed(404, "NoSuchDistribution", "The specified distribution does not exist.")
        try:
            asked = ElementTree.fromstring(body)  # noqa: S314  our own connector's, in a test
            reference = asked.findtext(f"{SPACE}CallerReference") or ""
            paths = [item.text or "" for item in asked.iterfind(f"{SPACE}Paths/{SPACE}Items/{SPACE}Path")]
            count = int(asked.findtext(f"{SPACE}Paths/{SPACE}Quantity") or -1)
        except (ElementTree.ParseError, ValueError):
            return failed(400, "MalformedXML", "The XML document is malformed.")
        if not reference or count != len(paths) or not all(re.fullmatch(r"/[^\s]*", one) for one in paths):
            return failed(400, "InvalidArgument", "Your request contains one or more invalid paths.")
        known = self._batches.get(reference)
        if known and known["paths"] != paths:
            return failed(400, "InvalidationBatchAlreadyExists", "The caller reference was used before.")
        if known is None:
            known = {"id": f"I{self._random.getrandbits(64):013X}", "paths": paths}
            self._batches[reference] = known
        return Response(
            f'<?xml version="1.0"?><Invalidation xmlns="{SPACE[1:-1]}"><Id>{known["id"]}</Id>'
            f"<Status>InProgress</Status><CreateTime>2026-11-24T20:00:00Z</CreateTime></Invalidation>",
            201,
            media_type="text/xml",
        )

    def _unsigned(self, request: Request, body: bytes) -> Response | None:
        found = TOLD.fullmatch(request.headers.get("authorization", ""))
        if found is None:
            return failed(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
        key, _, names, given = found.groups()
        if key != self._credentials.access_key:
            return failed(
                403, "InvalidClientTokenId", "The security token included in the request is invalid"
            )
        fields = {name: request.headers.get(name, "") for name in names.split(";")}
        if not {"host", "x-amz-date"} <= fields.keys():
            return failed(403, "IncompleteSignature", "Host and date must be signed.")
        made = datetime.strptime(fields["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        right, _, _ = signature_of(self._credentials, request.method, request.url.path, fields, body)
        late = abs((datetime.now(UTC) - made).total_seconds()) > SKEW_SECONDS
        if late or not hmac.compare_digest(right, given):
            return failed(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        return None

    async def _ctl_fault(self, request: Request) -> Response:
        fault = await request.json()
        if fault["kind"] != "status":
            return JSONResponse({"error": "unknown fault"}, 422)
        self._faults.ask(fault)
        return JSONResponse({"ok": True})

    async def _ctl_edge(self, request: Request) -> Response:
        # What an edge does with a behaviour that is restricted to a trusted key group.
        body = await request.json()
        address, _, query = body["url"].partition("?")
        given = {name: values[0] for name, values in parse_qs(query).items()}
        try:
            policy, signature = decoded(given["Policy"]), decoded(given["Signature"])
            self._key.public_key().verify(signature, policy, padding.PKCS1v15(), hashes.SHA1())  # noqa: S303
            statement = json.loads(policy)["Statement"][0]
            until = statement["Condition"]["DateLessThan"]["AWS:EpochTime"]
        except (KeyError, ValueError, InvalidSignature):
            return JSONResponse({"status": 403})
        named = fnmatch.fnmatchcase(address, statement["Resource"])
        good = named and given.get("Key-Pair-Id") == self._key_id and body["at"] < until
        return JSONResponse({"status": 200 if good and urlsplit(address).scheme == "https" else 403})

    async def _ctl_state(self, request: Request) -> Response:
        return JSONResponse(
            {
                "batches": len(self._batches),
                "purged": sorted(p for b in self._batches.values() for p in b["paths"]),
            }
        )


def failed(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """AWS's error document."""
    body = (
        f'<?xml version="1.0"?><ErrorResponse xmlns="{SPACE[1:-1]}">'
        f"<Error><Type>Sender</Type><Code>{code}</Code>"
        f"<Message>{message}</Message></Error><RequestId>00000000</RequestId></ErrorResponse>"
    )
    return Response(body, status, headers, media_type="text/xml")


def decoded(text: str) -> bytes:
    """CloudFront's base64."""
    return base64.b64decode(text.translate(str.maketrans("-_~", "+=/")), validate=True)
