"""What the JSON messages of vendors have in common: camel case on the wire, strict out and liberal in."""

from typing import Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Message(BaseModel):
    """One JSON object that goes over the wire; what it has beside our fields is left out."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, hide_input_in_errors=True
    )

    def encode(self) -> bytes:
        """The message as it goes over the wire, its keys in the order of the fields."""
        return self.model_dump_json(by_alias=True).encode()

    @classmethod
    def decode(cls, body: bytes) -> Self:
        """What `encode` made, or what a vendor or client of ours says likewise.

        Raises:
            ValueError: it is no such message.
        """
        return cls.model_validate_json(body)
