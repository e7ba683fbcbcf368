"""Where an import writes files, and how: its blocks `file`, `ftp` and `filesystem` as a definition says it."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from connectors.integrator.connections import FTP, root_of
from connectors.integrator.unfit import UnfitError, invalid, missing, unsupported
from connectors.integrator.wire import ApiError
from connectors.resources import ConnectionView, Document
from schemas.csv_options import CsvOptions
from schemas.destination_document import FileDestination
from schemas.file_name import FILE_BLANKS, refuse_unknown_blanks

_FORMATS = ("csv", "json", "xlsx")
_CSV: Mapping[str, str] = {
    "rowDelimiter": "row_delimiter",
    "columnDelimiter": "column_delimiter",
    "includeHeader": "include_header",
    "wrapWithQuotes": "wrap_with_quotes",
    "replaceTabWithSpace": "replace_tab_with_space",
    "replaceNewlineWithSpace": "replace_newline_with_space",
    "truncateLastRowDelimiter": "truncate_last_row_delimiter",
}
_ROW_DELIMITER = "\n"
"""Where the document says none; ours would be CR LF."""

_UNSERVED: Mapping[str, str] = {
    "skipAggregation": "a file for each record is not served; all records of a call are one file",
    "compressionFormat": "compressed files are not served",
    **dict.fromkeys(("encrypt", "pgp"), "encrypted files are not served"),
    "backupPath": "a second copy of the file is not served",
    "lookups": "lookups stand beside the mapping, not in the file",
}
_PLACE_UNSERVED: Mapping[str, str] = {
    "backupDirectoryPath": "a second copy of the file is not served",
    "_tpConnectorId": "trading partners are not served",
}
_TEMPLATE = re.compile(r"\{\{\{?\s*([^{}]*?)\s*\}?\}\}")
_WITH_FORMAT = re.compile(r"(timestamp|date)\s+(['\"])(.*)\2")
_BLANKS: Mapping[str, str] = {"jobId": "job_id", **{name: name for name in FILE_BLANKS}}
"""What may stand in double braces in a name → the blank of ours that means it."""


def file_of(document: Document, kind: str, connection: ConnectionView) -> FileDestination:
    """The file that the document means.

    Args:
        kind: of the block that says where the file lies: `ftp` or `filesystem`.

    Raises:
        UnfitError: it is not served, or the document does not say it rightly.
    """
    place, file = _block(document, kind), _block(document, "file")
    root = root_of(connection)
    if problems := (*_file_problems(file), *_place_problems(document, kind, place)):
        raise UnfitError(*problems)
    folder = _filled(f"{kind}.directoryPath", place["directoryPath"]).rstrip("/")
    path = f"{folder}/{_filled(_name_field(place), str(_name_of(place, file)))}"
    try:
        return FileDestination(
            url=root.url + path,
            options=dict(root.options),
            secrets=dict(root.secrets),
            format=file["type"],
            escape=False,
            csv=_csv_options(file) if file["type"] == "csv" else CsvOptions(),
        )
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise UnfitError(invalid(f"{kind}.directoryPath", said)) from error


def _block(document: Document, name: str) -> Mapping[str, Any]:
    found = document.get(name)
    if not isinstance(found, Mapping):
        raise UnfitError(missing(name) if found is None else invalid(name, f"{name} is an object"))
    return found


def _file_problems(file: Mapping[str, Any]) -> Iterator[ApiError]:
    kind = file.get("type")
    if kind is None:
        yield missing("file.type")
    elif kind not in _FORMATS:
        yield unsupported("file.type", f"files of this type are not served; served are {', '.join(_FORMATS)}")
    if (file.get("encoding") or "utf8") != "utf8":
        yield unsupported("file.encoding", "files are UTF-8: encoding is utf8")
    for name, message in _UNSERVED.items():
        if file.get(name):
            yield unsupported(f"file.{name}", message)
    nested = file.get("json")
    if kind == "json" and isinstance(nested, Mapping) and nested.get("resourcePath"):
        yield unsupported("file.json.resourcePath", "a json file is one array of all records")
    if file.get("csv") is not None and not isinstance(file["csv"], Mapping):
        yield invalid("file.csv", "csv is an object")


def _place_problems(document: Document, kind: str, place: Mapping[str, Any]) -> Iterator[ApiError]:
    folder, name, where = place.get("directoryPath"), _name_of(place, document["file"]), _name_field(place)
    if not folder:
        yield missing(f"{kind}.directoryPath")
    elif not isinstance(folder, str) or not folder.startswith("/"):
        yield invalid(
            f"{kind}.directoryPath", "directoryPath is the whole path of a folder, such as /out/orders"
        )
    if not name:
        yield missing(f"{FTP}.fileName" if kind == FTP else "file.fileName")
    elif not isinstance(name, str) or "/" in name:
        yield invalid(where, "fileName is the name of a file, without a folder")
    for field, message in _PLACE_UNSERVED.items():
        if place.get(field):
            yield unsupported(f"{kind}.{field}", message)
    for field in ("ignoreExisting", "ignoreMissing"):
        if document.get(field):
            yield unsupported(field, "a file is always new: no record is in it before, and none is missing")


def _name_field(place: Mapping[str, Any]) -> str:
    return f"{FTP}.fileName" if place.get("fileName") else "file.fileName"


def _name_of(place: Mapping[str, Any], file: Mapping[str, Any]) -> object:
    return place.get("fileName") or file.get("fileName")


def _filled(field: str, template: str) -> str:
    """The text with our blanks for its templates."""
    plain = _TEMPLATE.sub("", template)
    if "{" in plain or "}" in plain:
        raise UnfitError(invalid(field, "a brace stands in a name only as one of two, such as {{timestamp}}"))
    return _TEMPLATE.sub(lambda found: _blank(field, found[1]), template)


def _blank(field: str, said: str) -> str:
    dated = _WITH_FORMAT.fullmatch(said)
    blank = f"{{{_BLANKS.get(said, said) if dated is None else f'{dated[1]}:{dated[3]}'}}}"
    try:
        refuse_unknown_blanks(blank)
    except ValueError as error:
        known = ", ".join(f"{{{{{known}}}}}" for known in _BLANKS)
        told = f"{{{{{said}}}}} is not served in a name ({error}); served are {known}"
        raise UnfitError(unsupported(field, told)) from error
    return blank


def _csv_options(file: Mapping[str, Any]) -> CsvOptions:
    block = file.get("csv") or {}
    said = {ours: block[theirs] for theirs, ours in _CSV.items() if block.get(theirs) is not None}
    try:
        return CsvOptions.model_validate({"row_delimiter": _ROW_DELIMITER} | said)
    except ValidationError as error:
        theirs = {ours: name for name, ours in _CSV.items()}
        problems = (
            invalid(f"file.csv.{theirs[str(found['loc'][0])]}", found["msg"]) for found in error.errors()
        )
        raise UnfitError(*problems) from error
