"""What the documents of integrator.io leave open, and we decided; each is a setting of the environment."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

Status = Annotated[Literal[200, 204], BeforeValidator(int)]
"""The environment has text alone."""


class Choices(BaseSettings):
    """Our guesses; each is read from `LADING_INTEGRATOR_` + its name in capitals."""

    model_config = SettingsConfigDict(env_prefix="LADING_INTEGRATOR_", frozen=True, extra="ignore")

    bucket_calls: int = Field(
        1_000, ge=1, description="Calls that a tenant may make at once, before it must wait; then 429."
    )
    calls_per_second: float = Field(
        300.0, gt=0, description="So many calls become free again each second; the page on limits has both."
    )
    document_bytes: int = Field(
        1 << 20, ge=1, description="Bytes that an import or a connection may have; no limit is documented."
    )
    invoke_bytes: int = Field(
        5 << 20,
        ge=1,
        description="Bytes that the body of an invoke may have; 5 MB is documented for pages of flows only.",
    )
    page_imports: int = Field(
        1_000,
        ge=1,
        le=1_000,
        description="How many a list shows at most, and where nobody says `limit`; one page of the documents "
        "says 1000 and 100.",
    )
    first_page: int = Field(
        1,
        ge=0,
        le=1,
        description="The number of the first `page`, for clients that send `page` and `pageSize`.",
    )
    empty_list_status: Status = Field(
        204, description="The status of an empty list; 204 is documented for connections only."
    )
    adds_adaptor_type: bool = Field(
        default=False,
        description="Answers name the `adaptorType` also where the document did not; the newer pages need it, "
        "the documented sample lacks it. Lists that `include` fields always do.",
    )
    drops_empty_arrays: bool = Field(
        default=True, description="Empty arrays are left out of answers, as in the documented sample of a PUT."
    )
    checks_references: bool = Field(
        default=True, description="A `_connectionId` that is none is refused with `invalid_ref`."
    )
    clone_answer: Literal["import", "models"] = Field(
        "import", description='The answer to a clone: the import, or `[{"model": "Import", "_id", "name"}]`.'
    )
    replace_answer: Literal["import", "empty"] = Field(
        "import", description="The answer to `replaceConnection`: the import, or an empty body."
    )
    dependencies_name_connection: bool = Field(
        default=True,
        description="`dependencies` names the connection that the import uses, because its page says "
        "using or used by.",
    )
    patch_status: Status = Field(
        204, description="The status of a PATCH; the table of endpoints has 204, a general one 200."
    )
