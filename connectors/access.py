"""What a client of a vendor is handed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.vendor_http import VendorHttp


@dataclass(frozen=True)
class Access:
    """How a client reaches its vendor.

    Attributes:
        url: of the vendor's API, without a slash at the end.
        options, secrets: of the connection, by the vendor's names; secrets in clear, in memory only.
        container: where the records go, by the keys of `Connector.container`.
        http: the API at that address, which lets none of these secrets be read in a message or a log.
        keep_secret: keeps a secret (name, value) that the vendor gave, such as a token, sealed, for later runs.
    """

    url: str
    options: Mapping[str, str]
    secrets: Mapping[str, str]
    container: Mapping[str, str | int | bool]
    http: VendorHttp
    keep_secret: Callable[[str, str], None]
