"""What a connection to ELMA365, and a destination behind it, may say."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from connectors.elma365.face import AppAddress

_STATUS_PATH = r"^/(?:[\w./-]|\{(?:namespace|code|import_id)\})+$"


class Elma365Options(BaseModel):
    """Options of a connection.

    Attributes:
        x_token: the token goes in a header of its own, `X-Token`, instead of as a bearer's; both are in use.
        directory: where files of more than 50,000 records go, unless the destination names another; without
            one, there are several files.
        format: of the files.
        status_path: which call tells how an import stands; the documents do not show it.
        poll_seconds: from one such call to the next; the vendor asks for one a second at most.
        pause_seconds: between two imports with event handlers.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    x_token: bool = False
    directory: UUID | None = None
    format: Literal["csv", "xlsx"] = "csv"
    status_path: Annotated[str, Field(pattern=_STATUS_PATH)] = (
        "/pub/v1/app/{namespace}/{code}/import/{import_id}/status"
    )
    poll_seconds: Annotated[float, Field(ge=1, le=60)] = 1.0
    pause_seconds: Annotated[float, Field(ge=0, le=3_600)] = 1.0


class AppContainer(AppAddress):
    """The keys of a destination: the app, and how it is to import.

    Attributes:
        directory: instead of the connection's.
        with_event_handlers: run the app's event handlers for every record, at most 1,000 of them at a time.
    """

    directory: UUID | None = None
    with_event_handlers: bool = False


NO_APP = AppContainer.model_construct(namespace="", code="")
"""That of a client which is to try its connection only."""
