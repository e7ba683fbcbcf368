"""Documents of integrator.io as plain JSON values: cleaned for answers, compared, cut down to some fields."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.resources import Document, FieldChange

READ_ONLY = frozenset(
    {
        "_id",
        "apiIdentifier",
        "createdAt",
        "lastModified",
        "sandbox",
        "_sourceId",
        "_templateId",
        "draft",
        "draftExpiresAt",
    }
)
"""What a client may send and is not kept: integrator.io makes it."""
ALWAYS_SHOWN = ("_id", "name", "adaptorType")
_FREE = frozenset({"settings", "sampleData", "mockResponse", "assistantMetadata"})
"""Fields in which a client keeps what it likes; nothing is changed in them."""
_PROJECTION = re.compile(r"[A-Za-z0-9._,]*", re.ASCII)


def written(document: Document) -> dict[str, Any]:
    """The document as a client wrote it, without what is not a client's to write."""
    return {key: value for key, value in document.items() if key not in READ_ONLY}


def without_empty_arrays(document: Document) -> dict[str, Any]:
    """The document without the fields that are empty arrays, at any depth of objects; free fields stay."""
    return {
        key: value if key in _FREE else _stripped(value)
        for key, value in document.items()
        if key in _FREE or value != []
    }


def changed_fields(before: Document, after: Document) -> list[FieldChange]:
    """Every field that says something else, in the order of the document; an empty array says nothing."""
    return list(_changes("", without_empty_arrays(before), without_empty_arrays(after)))


def projection(said: str | None) -> tuple[tuple[str, ...], ...] | None:
    """The paths that a parameter names, taken apart; None where it names none.

    Raises:
        ValueError: there is a character in it that no path has.
    """
    if not said:
        return None
    if _PROJECTION.fullmatch(said) is None:
        raise ValueError("letters, digits, '.', '_' and ',' are all that may stand in include and exclude")
    return tuple(tuple(path.split(".")) for path in said.split(",") if path)


def only(document: Document, paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """The document with these fields alone, and those that are always shown."""
    kept: dict[str, Any] = {key: document[key] for key in ALWAYS_SHOWN if key in document}
    for path in paths:
        _copy(document, kept, path)
    return kept


def without(document: Document, paths: tuple[tuple[str, ...], ...]) -> dict[str, Any]:
    """The document without these fields."""
    kept = dict(document)
    for name, *rest in paths:
        if rest and isinstance(kept.get(name), Mapping):
            kept[name] = without(kept[name], (tuple(rest),))
        elif not rest:
            kept.pop(name, None)
    return kept


def _stripped(value: object) -> object:
    if isinstance(value, Mapping):
        return {key: _stripped(part) for key, part in value.items() if part != []}
    return [_stripped(part) for part in value] if isinstance(value, list) else value


def _changes(path: str, before: object, after: object) -> Iterator[FieldChange]:
    if before == after and type(before) is type(after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _changes(f"{path}.{key}" if path else key, before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _changes(f"{path}[{place}]", old, new)
    else:
        yield FieldChange(path, before, after)


def _copy(document: Document, kept: dict[str, Any], path: tuple[str, ...]) -> None:
    name, *rest = path
    if name not in document:
        return
    inner = document[name]
    if not rest:
        kept[name] = inner
    elif isinstance(inner, Mapping) and (part := kept.setdefault(name, {})) is not inner:
        _copy(inner, part, tuple(rest))
