"""What a client of a vendor is handed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from connectors.vendor_http import VendorHttp
from schemas.errors import FatalError

Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class Access:
    """How a client reaches its vendor.

    Attributes:
        url: of the vendor's API, without a slash at the end.
        options, secrets: of the connection, by the vendor's names; secrets in clear, in memory only.
        container: where the records go, by the keys of `Connector.container`; empty where none will.
        http: the API at that address, which lets none of these secrets be read in a message or a log.
        keep_secret: keeps a secret (name, value) that the vendor gave, such as a token, sealed, for later runs.
    """

    url: str
    options: Mapping[str, str]
    secrets: Mapping[str, str]
    container: Mapping[str, str | int | bool]
    http: VendorHttp
    keep_secret: Callable[[str, str], None]

    def options_as(self, model: type[Options]) -> Options:
        """The options, each as what it is.

        Raises:
            FatalError: one of them is not what it must be; says which, and why.
        """
        try:
            return model.model_validate(self.options)
        except ValidationError as error:
            first = error.errors()[0]
            option = ".".join(map(str, first["loc"]))
            raise FatalError(f"the option {option} of the connection to {self.url}: {first['msg']}") from error
