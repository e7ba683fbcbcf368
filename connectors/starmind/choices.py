"""What Starmind's documents leave open, and we decided; each is a setting of the environment."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Choices(BaseSettings):
    """What is guessed of Starmind; each read from `LADING_STARMIND_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LADING_STARMIND_", frozen=True, extra="ignore")

    login_path: str = Field(
        "/users/login",
        pattern=r"^(/[a-z0-9_-]+)+$",
        description="Where a client logs in; the documents name the ingredients, but no path.",
    )
    success_status: int = Field(
        200, ge=200, le=299, description="The status of every answer that is no error; none is documented."
    )
    limit_bytes: int = Field(
        10 * 2**20,
        ge=1,
        description="Bytes that the body of an upload or a list of users may have; no limit is documented.",
    )
    list_processes: int = Field(
        1_000, ge=1, le=1_000, description="The newest processes that a list shows; no paging is documented."
    )
    list_errors: int = Field(
        100, ge=0, description="Errors of each process that a list shows; its own status shows all of them."
    )
    user_list_has_tags: bool = Field(
        default=False,
        description="`GET /import/users/status` lists the processes of tags too, as the page on tags has it, "
        "probably by mistake.",
    )
