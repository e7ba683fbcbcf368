"""Refusing files that would take more memory to read than is allowed, before they are parsed."""

from schemas.errors import FileRefusedError
from schemas.limits import Limits


def refuse_beyond_memory(estimate_bytes: int, limits: Limits) -> None:
    """Do nothing where reading fits into the memory that is allowed.

    Raises:
        FileRefusedError: it would not (`file.memory_limit`).
    """
    if estimate_bytes > limits.memory_bytes:
        raise FileRefusedError(
            "file.memory_limit",
            f"reading the file would take about {estimate_bytes / 2**20:,.0f} MiB of memory; "
            f"{limits.memory_bytes / 2**20:,.0f} MiB are allowed; split it, or save it as csv",
        )
