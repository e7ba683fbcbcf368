"""Which record models there are: the `RECORD` of each module here, and those of installed packages."""

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points

import pandera.polars as pa

import schemas.records
from schemas.errors import DefinitionError

GROUP = "lading.records"
"""Entry points of this group name a record model in a package of somebody else's."""

RecordModel = type[pa.DataFrameModel] | pa.DataFrameSchema


def known_records() -> tuple[str, ...]:
    """The names that a definition's `record` may have: modules of this folder, and entry points."""
    return tuple(sorted({*_modules(), *(entry.name for entry in entry_points(group=GROUP))}))


def record_model(name: str) -> pa.DataFrameSchema:
    """The schema of the model of this name; a module of this folder goes before a package's.

    Raises:
        DefinitionError: there is none, or it is no model, or two packages have one of this name.
    """
    found = _module_record(name) if name in _modules() else _packaged_record(name)
    if isinstance(found, pa.DataFrameSchema):
        return found
    if isinstance(found, type) and issubclass(found, pa.DataFrameModel):
        schema: pa.DataFrameSchema = found.to_schema()
        return schema
    raise DefinitionError(f"the record {name!r} is no pandera model of polars frames, but {found!r}")


def _modules() -> set[str]:
    names = {module.name for module in pkgutil.iter_modules(schemas.records.__path__)}
    return names - {__name__.rpartition(".")[2]}


def _module_record(name: str) -> object:
    return getattr(importlib.import_module(f"schemas.records.{name}"), "RECORD", None)


def _packaged_record(name: str) -> object:
    entries = list(entry_points(group=GROUP, name=name))
    if not entries:
        known = ", ".join(map(repr, known_records())) or "none"
        raise DefinitionError(f"there is no record {name!r}; known are {known}")
    if len(entries) > 1:
        values = " and ".join(entry.value for entry in entries)
        raise DefinitionError(f"two installed packages have a record {name!r}: {values}")
    return _loaded(entries[0])


def _loaded(entry: EntryPoint) -> object:
    try:
        return entry.load()
    except Exception as error:  # what somebody else's module may raise is not known
        raise DefinitionError(f"the record {entry.name!r} ({entry.value}) can't be loaded: {error}") from error
