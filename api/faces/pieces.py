"""Long lists of a job, read a piece at a time: whoever takes them slowly holds no transaction of the store."""

from collections.abc import Callable, Iterator
from itertools import groupby
from typing import TypeVar

from schemas.chunk import Page
from schemas.row_error import RowError
from store.database import Store, Transaction
from store.pages import FILE_CHUNK, chunk_of_error, list_errors, list_pages

T = TypeVar("T")
PIECE_ERRORS, PIECE_PAGES = 5_000, 50
"""A piece ends with the chunk in which it has so many."""


def errors_of(store: Store, job_id: str) -> Iterator[RowError]:
    """All errors of the job, in the order of the file."""
    return _in_pieces(
        store,
        lambda session, first: list_errors(session, job_id, first),
        chunk_of_error,
        FILE_CHUNK,
        PIECE_ERRORS,
    )


def pages_of(store: Store, job_id: str) -> Iterator[Page]:
    """All pages of the job, in order of chunk."""
    return _in_pieces(
        store,
        lambda session, first: list_pages(session, job_id, first),
        lambda page: page.chunk,
        0,
        PIECE_PAGES,
    )


def _in_pieces(
    store: Store,
    read: Callable[[Transaction, int], Iterator[T]],
    chunk_of: Callable[[T], int],
    first_chunk: int,
    piece_items: int,
) -> Iterator[T]:
    chunk = first_chunk
    while True:
        piece: list[T] = []
        with store.read() as session:
            for found_chunk, found in groupby(read(session, chunk), chunk_of):
                piece += found
                chunk = found_chunk + 1
                if len(piece) >= piece_items:
                    break
        yield from piece
        if len(piece) < piece_items:
            return
