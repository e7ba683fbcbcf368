"""What an invoke brought, and what is to be done with it."""

from dataclasses import dataclass

from connectors.invocation import Invocation
from schemas.definition import Definition
from tasks.accepting import Origin, Plan


@dataclass(frozen=True)
class Submitted:
    """An invoke that may be done: what its job is to be, and the records."""

    plan: Plan
    definition: Definition
    origin: Origin
    invocation: Invocation
