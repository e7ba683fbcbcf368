"""What a template is made of, once it is read."""

from dataclasses import dataclass

from schemas.field_types import Scalar


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that stands in the template."""

    value: Scalar | None


@dataclass(frozen=True, slots=True)
class Path:
    """A value of the record.

    Attributes:
        ups: how many blocks further out it begins.
        base: `@root`, `@index`, `@key`, `@first` or `@last`; an empty text: here.
        whole: all names as they stand, which may be those of one member.
    """

    names: tuple[str, ...]
    ups: int = 0
    base: str = ""
    whole: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What a helper makes of other values."""

    helper: str
    arguments: tuple["Expression", ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A part that is written once, not at all, or for each element."""

    helper: str
    arguments: tuple["Expression", ...]
    body: tuple["Node", ...]
    otherwise: tuple["Node", ...]


Expression = Constant | Path | Call
Node = str | Constant | Path | Call | Block
