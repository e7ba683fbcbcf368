"""How a record as it came becomes that of a definition: integrator.io's Mapper 1.0 and its static lookups."""

from schemas.mapping.document import MOST_LOOKUPS, Conditional, FieldMap, ListMap, Lookup, Mapping, When
from schemas.mapping.mapper import Fault, Mapped, Mapper
from schemas.mapping.targets import Target, Written, targets

__all__ = [
    "MOST_LOOKUPS",
    "Conditional",
    "Fault",
    "FieldMap",
    "ListMap",
    "Lookup",
    "Mapped",
    "Mapper",
    "Mapping",
    "Target",
    "When",
    "Written",
    "targets",
]
