"""What the documents of ELMA365 leave open."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Elma365Choices(BaseSettings):
    """Our guesses; each is read from `LADING_ELMA365_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LADING_ELMA365_", frozen=True, extra="ignore")

    smallest_part_bytes: int = Field(
        5_242_880,
        ge=1,
        description="Bytes that every part but the last has at least; a smaller one is `EntityTooSmall`. The "
        "reference names the number, not whether it is enforced.",
    )
    largest_part_bytes: int = Field(
        5_368_709_120,
        ge=1,
        description="Bytes that a part may have; the limit of every request, `LADING_UPLOAD_LIMIT_BYTES`, "
        "holds as well.",
    )
    temporary_minutes: float = Field(
        60.0,
        gt=0,
        description="For so long a temporary file is there after its last part came; the documents do not say "
        "from when the 60 minutes count.",
    )
    tenant_bytes: int = Field(
        10 * 2**30,
        ge=1,
        description="Bytes that all uploaded files of a tenant may have together; with more the answer is 402, "
        "as where the disk is full.",
    )
    state_new: str = Field(
        "new", description="The `status` of an import that nobody has begun; the documents name only `blocked`."
    )
    state_processing: str = Field("processing", description="The `status` of an import that runs.")
    state_done: str = Field("done", description="The `status` of an import that came to its end.")
    state_error: str = Field(
        "error", description="The `status` of one that did not, or whose file was refused."
    )
