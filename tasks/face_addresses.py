"""Whether the addresses that a definition has at the faces are ones that a client of them can name."""

from collections.abc import Mapping

from pydantic import ValidationError

from connectors.registry import known_connectors
from schemas.definition import Definition
from schemas.errors import DefinitionError


def refuse_unfit_faces(definition: Definition) -> None:
    """Nothing, where each address under `faces` is complete and in the words of a vendor that there is.

    Another one would be found by no client, and nobody would be told.

    Raises:
        DefinitionError: one is not; says which, and what it should hold.
    """
    for face, address in definition.faces.items():
        _refuse_unfit(face, {name: str(value) for name, value in address.items()})


def _refuse_unfit(face: str, address: Mapping[str, str]) -> None:
    connector = known_connectors().get(face)
    if connector is None:
        known = ", ".join(known_connectors())
        raise DefinitionError(f"faces: there is none named {face!r}; known: {known}")
    try:
        meant = connector.address.model_validate(address).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in ("faces", face, *first["loc"]))
        raise DefinitionError(
            f"{where}: {first['msg'].removeprefix('Value error, ')}; "
            f"an address at {face} holds {' and '.join(connector.address.model_fields)}"
        ) from error
    for name, value in address.items():
        # Clients are told apart by the text.
        if str(meant[name]) != value:
            raise DefinitionError(f"faces.{face}.{name}: {value!r} is to be written {meant[name]!r}")
