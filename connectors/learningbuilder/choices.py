"""What the documents of LearningBuilder leave open."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LearningBuilderChoices(BaseSettings):
    """Our guesses; each is read from `LADING_LEARNINGBUILDER_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LADING_LEARNINGBUILDER_", frozen=True, extra="ignore")

    created_status: int = Field(
        200, ge=200, le=202, description="HTTP status of an accepted batch; the documents name none."
    )
    limit_bytes: int = Field(
        100 * 1024 * 1024,
        ge=1,
        description="Bytes that the body of a batch may have; with more the answer is 413.",
    )
    limit_line_bytes: int = Field(
        1024 * 1024, ge=1, description="Bytes that one line may have; with more the batch is refused."
    )
    limit_file_name_chars: int = Field(
        255, ge=1, description="Characters that `fileName` may have; with more the batch is refused."
    )
    shown_lines: int = Field(
        10, ge=1, description="Of a refused batch, so many lines that are no records are named."
    )
    basic_credentials: bool = Field(
        True,
        description="Take `Authorization: Basic` of `Member_<id>:<key>`, too, as the vendor's other APIs do.",
    )
