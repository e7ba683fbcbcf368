"""What a connection to LearningBuilder may say."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from connectors.learningbuilder.wire import CREATION_PATH, MailAddress


class LearningBuilderOptions(BaseModel):
    """Options of a connection.

    Attributes:
        creation_path: by which the vendor's people find the batches that come from here.
        send_success_email_to, send_failure_email_to: whom the vendor is to tell how a batch ended.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    creation_path: Annotated[str, Field(pattern=CREATION_PATH)] = "LADING"
    send_success_email_to: MailAddress | None = None
    send_failure_email_to: MailAddress | None = None
