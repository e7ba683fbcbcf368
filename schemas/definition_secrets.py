"""All secrets of a definition: sealed where it is kept, masked where it is shown."""

from collections.abc import Callable, Collection, Iterator

from schemas import webhook_secrets
from schemas.definition import Definition
from schemas.destination_document import FileDestination
from schemas.place import Place
from schemas.place_secrets import masked_place, sealed_place
from schemas.secret_key import Seal


def masked(definition: Definition) -> Definition:
    """The definition as it may be shown: with a mask for each secret that is no reference."""
    shown = webhook_secrets.masked(definition)
    return _with_places(shown, lambda _, place: masked_place(place))


def sealed(
    definition: Definition,
    earlier: Definition | None,
    seal: Callable[[], Seal],
    sealed_here: Collection[str] = (),
) -> Definition:
    """The definition as it may be stored; one that says the same as before is the same.

    Args:
        earlier: as it is stored now; None where there is none.
        seal: of the tenant whose it is; asked for only where there is something to seal.
        sealed_here: what was sealed for this tenant before, and may be in the definition.

    Raises:
        DefinitionError: a mask stands for no secret, or one is sealed that is not from here.
    """
    kept = webhook_secrets.sealed(definition, earlier, seal)
    before = {} if earlier is None else dict(_places(earlier))
    return _with_places(
        kept, lambda where, place: sealed_place(where, place, before.get(where), seal, sealed_here)
    )


def are_kept_safely(definition: Definition) -> bool:
    """False while a secret can be read here, or is only a mask: such a definition is not stored."""
    hooks = all(hook.is_secret_kept_safely for hook in definition.hooks)
    return hooks and all(place.are_secrets_kept_safely for _, place in _places(definition))


def _places(definition: Definition) -> Iterator[tuple[str, Place]]:
    """Where it stands, and the place."""
    if isinstance(definition.destination, FileDestination):
        yield "destination", definition.destination
    if definition.source is not None:
        yield "source", definition.source


def _with_places(definition: Definition, change: Callable[[str, Place], Place]) -> Definition:
    changed = {where: change(where, place) for where, place in _places(definition)}
    return definition.model_copy(update=changed) if changed else definition
