"""A work process of its own, which can be killed."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from hub.engines.process import Child, start
from hub.settings import Settings, secrets_of


async def work_process(settings: Settings, environ: Mapping[str, str]) -> Child:
    """As `simulcast up` starts it, but without a media worker to be heard."""
    secrets = secrets_of(settings)
    known = {
        "DATABASE_URL": settings.database_url or "",
        "NATS_URL": settings.nats_url or "",
        "SIMULCAST_DATA": str(settings.data),
        "SIMULCAST_SECRET_KEY": secrets.secret_key.get_secret_value(),
        "SIMULCAST_MEDIA_TOKEN": secrets.media_token.get_secret_value(),
        "SIMULCAST_MEDIA_CONTROL_PORT": "9",
    }
    argv = [sys.executable, "-m", "hub", "run", "work"]
    return await start("work", argv, log=settings.data / "work.log", env={**os.environ, **known, **environ})
