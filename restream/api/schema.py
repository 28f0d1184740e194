"""What all schemas of the control API share."""

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """Base: unknown fields are a mistake."""

    model_config = ConfigDict(extra="forbid")
