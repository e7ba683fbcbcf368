"""What the documents of TeamTracks leave open."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TeamTracksChoices(BaseSettings):
    """Our guesses; each is read from `LADING_TEAMTRACKS_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LADING_TEAMTRACKS_", frozen=True, extra="ignore")

    submit_status: int = Field(
        202, ge=200, le=202, description="HTTP status of an accepted import; the documents name none."
    )
    limit_bytes: int = Field(
        50 * 1024 * 1024,
        ge=1,
        description="Bytes that the body of an import may have; with more the answer is 413.",
    )
