"""How the headers of a file find the fields of a definition."""

import difflib
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.definition import Definition
from schemas.errors import DefinitionError, FileRefusedError

FAILED_ROWS_COLUMN = "lading_errors"
"""Header of the column of reasons in the files of failed rows that Lading writes; no field claims it."""
IDENTIFIER_MARK = ":"
"""Before the header of a field of the key it says that the column identifies the record."""
UNREADABLE = "unreadable row: "
"""How the reasons of a row begin that could not be split into cells: its whole text stands in one cell."""


def normalise(header: str) -> str:
    """The header without case, BOM, width, surrounding and doubled white space (NBSP included)."""
    return " ".join(unicodedata.normalize("NFKC", header).replace("\ufeff", "").split()).casefold()


def known_headers(definition: Definition) -> dict[str, str]:
    """Normalised header → field name; a field's own name counts where no other field claims it.

    So do the headers of the fields of the key with a colon before them.

    Raises:
        DefinitionError: two fields claim the same header.
    """
    declared: dict[str, str] = {}
    for name, header in ((f.name, header) for f in definition.fields for header in f.headers):
        if declared.setdefault(normalise(header), name) != name:
            raise DefinitionError(
                f"the fields {declared[normalise(header)]!r} and {name!r} both claim the header {header!r}"
            )
    known = {normalise(f.name): f.name for f in definition.fields} | declared
    marked = {IDENTIFIER_MARK + header: name for header, name in known.items() if name in definition.key}
    return marked | known


@dataclass(frozen=True)
class Binding:
    """Which column of the file feeds which field.

    Attributes:
        columns: field name → 0-based index of the column; fields that the file lacks are absent.
        unknown: headers that no field claims, as they stood, in file order; blank ones left out.
        no_identifiers: 0-based indices of columns that are to identify the record and can't, where the
            definition minds them.
    """

    columns: dict[str, int]
    unknown: tuple[str, ...]
    no_identifiers: tuple[int, ...] = ()


def bind(definition: Definition, headers: Sequence[str]) -> Binding:
    """Find each field's column by its header.

    Raises:
        FileRefusedError: a required column is missing (`header.missing`), or two columns claim one
            field (`header.duplicate`), or a column is unknown and the policy says so (`header.unknown`).
    """
    fields_by_header = known_headers(definition)
    claims: dict[str, list[int]] = defaultdict(list)
    unknown: list[str] = []
    no_identifiers: list[int] = []
    for index, header in enumerate(headers):
        name = fields_by_header.get(normalise(header))
        if name is not None:
            claims[name].append(index)
        elif normalise(header) not in ("", FAILED_ROWS_COLUMN):
            unknown.append(header)
            if definition.file.identifiers and normalise(header).startswith(IDENTIFIER_MARK):
                no_identifiers.append(index)
    _refuse_duplicates(claims, headers)
    _refuse_missing(definition, claims, unknown, headers)
    if unknown and definition.policies.unknown_columns == "error":
        raise FileRefusedError("header.unknown", f"no field claims the columns {_quoted(unknown)}")
    columns = {name: indices[0] for name, indices in claims.items()}
    return Binding(columns, tuple(unknown), tuple(no_identifiers))


def _refuse_duplicates(claims: dict[str, list[int]], headers: Sequence[str]) -> None:
    for name, indices in claims.items():
        if len(indices) > 1:
            which = _quoted(headers[index] for index in indices)
            raise FileRefusedError(
                "header.duplicate", f"the columns {which} all feed the field {name!r}; keep one of them"
            )


def _refuse_missing(
    definition: Definition, claims: dict[str, list[int]], unknown: list[str], headers: Sequence[str]
) -> None:
    missing = [f for f in definition.fields if f.must_be_in_file(definition.key) and f.name not in claims]
    if not missing:
        return
    nearest = {normalise(header): header for header in unknown}
    parts = []
    for f in missing:
        close = difflib.get_close_matches(normalise(f.headers[0]), nearest, n=1)
        hint = f" (did you mean {nearest[close[0]]!r}?)" if close else ""
        parts.append(f"{f.headers[0]!r}{hint}")
    found = f"the file has {_quoted(unknown)}" if unknown else "every column of the file is used"
    noun = "column is" if len(parts) == 1 else "columns are"
    if len(headers) == 1 and all(normalise(f.headers[0]) in normalise(headers[0]) for f in missing):
        found += "; if these are several headers, say what stands between them (file: delimiter)"
    raise FileRefusedError(
        "header.missing", f"{len(parts)} required {noun} missing: {', '.join(parts)}; unclaimed: {found}"
    )


def _quoted(headers: Iterable[str]) -> str:
    return ", ".join(repr(header) for header in headers)
