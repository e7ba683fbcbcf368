"""What a face hands over to have records taken in at once, and what it is told of each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.job import Outcome
from schemas.row_error import RowError


@dataclass(frozen=True)
class Invocation:
    """Records that a client wants taken in before it is answered.

    Attributes:
        definition: name of one that the principal's tenant sees.
        records: as they came, their numbers digit by digit where JSON was read so.
        settings: what a mapping sees beside the record.
        label: what the records are called where people look at jobs.
    """

    definition: str
    records: Sequence[Mapping[str, Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)
    label: str = "invoke"


@dataclass(frozen=True)
class RecordAnswer:
    """What became of one record.

    Attributes:
        errors: what is wrong with it; empty but where it failed or stayed unprocessed.
        target_id: its key at the destination, as JSON; None where it has none there.
    """

    outcome: Outcome
    errors: tuple[RowError, ...] = ()
    target_id: str | None = None
