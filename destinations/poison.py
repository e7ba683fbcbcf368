"""Finds the rows that a destination refuses, so that each costs itself alone: by halving, not one by one."""

from collections.abc import Callable

Apply = Callable[[list[int]], None]
"""Applies the records with these sequence numbers, all or none; raises `RefusedError`."""


class RefusedError(Exception):
    """The destination refused records; none of the same call was applied. Never leaves this room.

    Attributes:
        detail: what the destination said.
        column: the column that is to blame, where it can be told.
        orderly: the same record may pass once others are there.
    """

    def __init__(self, detail: str, column: str | None = None, *, orderly: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.column = column
        self.orderly = orderly


Refusals = dict[int, RefusedError]
"""By sequence number."""


def apply_each(apply: Apply, records: list[int]) -> Refusals:
    """Apply all records that the destination takes, and say why it refused the others.

    With k refused of n it takes O(k log n) calls. The order of the records is kept.
    """
    refused: Refusals = {}
    parts = [records] if records else []
    while parts:
        part = parts.pop()
        try:
            apply(part)
        except RefusedError as error:
            if len(part) == 1:
                refused[part[0]] = error
            else:
                middle = len(part) // 2
                parts += [part[middle:], part[:middle]]
    return refused


def apply_both(update: Apply, updates: list[int], insert: Apply, inserts: list[int]) -> Refusals:
    """Apply updates, which may free a value that an insert needs, then inserts.

    Those refused only for lack of another record are tried again, as long as that helps: a repeat that takes
    none of them is the last. So there are at most as many repeats as such records, and with children before
    their parents at most one for each level of the tree; parents first need none.
    """
    refused = apply_each(update, updates) | apply_each(insert, inserts)
    while waiting := {record for record, error in refused.items() if error.orderly}:
        again = apply_each(update, [r for r in updates if r in waiting])
        again |= apply_each(insert, [r for r in inserts if r in waiting])
        refused = {r: e for r, e in refused.items() if r not in waiting} | again
        if len(again) == len(waiting):
            break
    return refused
