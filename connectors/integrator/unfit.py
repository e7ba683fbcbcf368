"""Why a document comes to nothing that can run, as errors that clients are told."""

from collections.abc import Iterator

from pydantic import ValidationError

from connectors.integrator.wire import ApiError


class UnfitError(Exception):
    """The document can't be run as it is.

    Attributes:
        problems: all that is known to be in the way.
    """

    def __init__(self, *problems: ApiError) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = problems


def invalid(field: str, message: str) -> ApiError:
    """The error of a field that is wrong."""
    return ApiError(code="invalid_field", message=message, field=field)


def missing(field: str) -> ApiError:
    """The error of a field that is not there."""
    return ApiError(code="missing_required_field", message=f"{field} is needed", field=field)


def unsupported(field: str, message: str) -> ApiError:
    """The error of what integrator.io knows and Lading does not serve."""
    return ApiError(code="not_supported", message=message, field=field)


def no_reference(field: str, message: str) -> ApiError:
    """The error of an id that stands for nothing."""
    return ApiError(code="invalid_ref", message=message, field=field)


def told(error: ValidationError, within: str) -> Iterator[ApiError]:
    """What pydantic found, each at its place in the document.

    Args:
        within: the field that was looked at; empty for the document as a whole.
    """
    for found in error.errors():
        parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found["loc"])
        yield invalid(f"{within}{parts}".lstrip("."), found["msg"].removeprefix("Value error, "))
