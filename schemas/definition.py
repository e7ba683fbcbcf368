"""What an import is: the document from which the checks, the table, the template and the docs come."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, Self
from zoneinfo import available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field as Setting, model_validator

from schemas.destination_document import (
    AnyDestination,
    ConnectionDestination,
    FileDestination,
    TableDestination,
)
from schemas.errors import DefinitionError, DestinationError
from schemas.field_types import (
    CHOICES,
    MEASURED,
    NUMBER_FORMS,
    NUMERIC,
    TEMPORAL,
    TEXTUAL,
    FieldType,
    Scalar,
    typed_value,
)
from schemas.mapping import MOST_LOOKUPS, Lookup, Mapping, targets
from schemas.notify import Notify
from schemas.patterns import COLUMN_PATTERN, NAME_PATTERN, RESERVED_PREFIX
from schemas.source import Source
from schemas.watch import Watch
from schemas.webhook import Webhook, WebhookAddress

MOST_WEBHOOKS = 10
MOST_WATCHES = 20
MOST_FIELDS = 1_999
"""A table of SQLite has 2,000 columns at most, and the loader needs one more than there are fields."""
RESERVED_NAMES = frozenset({"_ordinal", "_row", "_line", "_verdict"})
"""What Lading itself notes beside the fields of a staged row."""

FORMAT_PATTERN = re.compile(r"%(?:%|\.f|\.?[369]f|:?z|[AaBbDdeFHhIjklMmPpRrSTyYw])")


class Mode(StrEnum):
    """What an import may do to records.

    Create and update, create only, update only; or create, update and at last delete those that the file lacks.
    """

    UPSERT = "upsert"
    INSERT = "insert"
    UPDATE = "update"
    SYNC = "sync"


APPLIES_TO: dict[str, frozenset[FieldType]] = {
    "min": MEASURED,
    "max": MEASURED,
    "min_length": TEXTUAL,
    "max_length": TEXTUAL,
    "pattern": TEXTUAL,
    "choices": CHOICES,
    "format": NUMERIC | TEMPORAL,
    "timezone": frozenset({FieldType.DATETIME}),
}
"""Constraint → the types that know it; on another type it is an error of the definition."""


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


Watches = Annotated[
    tuple[Watch, ...],
    BeforeValidator(
        lambda value: (value,) if isinstance(value, dict) else value,
        json_schema_input_type=Watch | tuple[Watch, ...],
    ),
    Setting(max_length=MOST_WATCHES),
]
"""Several folders, or one that stands alone."""

Texts = Annotated[tuple[str, ...], BeforeValidator(_as_tuple, json_schema_input_type=str | tuple[str, ...])]
"""Several texts, or one that stands alone."""


class _Document(BaseModel):
    # An input may hold what nobody should see: a password in a URL.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Field(_Document):
    """One field of the record, and how it is found and checked.

    Attributes:
        name: column of the table.
        header: what the file may call it; the name where none is given.
        min, max: both included; dates and times as ISO text, without an offset in `timezone`.
        min_length, max_length: characters, both included.
        pattern: regular expression (Rust syntax) that the whole value must match.
        default: taken where the cell is blank.
        format: strftime form of dates and times in text, or how numbers are written there (a key of
            `NUMBER_FORMS`); a real date or number cell needs none.
        timezone: IANA zone of datetimes that carry no offset; they are kept as UTC.
        written: `on_create`: what is there stays when a record is updated; `on_update`: a new record does
            without.
    """

    name: Annotated[str, Setting(pattern=COLUMN_PATTERN)]
    header: Texts = ()
    type: FieldType = FieldType.STRING
    required: bool = False
    unique: bool = False
    min: Scalar | None = None
    max: Scalar | None = None
    min_length: Annotated[int, Setting(ge=0)] | None = None
    max_length: Annotated[int, Setting(ge=1)] | None = None
    pattern: str | None = None
    choices: tuple[Annotated[str, Setting(min_length=1)], ...] = ()
    default: Scalar | None = None
    format: str | None = None
    timezone: str | None = None
    written: Literal["always", "on_create", "on_update"] = "always"

    @property
    def headers(self) -> tuple[str, ...]:
        """What the file may call this field; the first is what Lading writes."""
        return self.header or (self.name,)

    @property
    def target(self) -> str:
        """What a mapping calls this field."""
        return self.headers[0]

    def must_be_in_file(self, key: tuple[str, ...]) -> bool:
        """True when a file without this column is refused."""
        return self.name in key or (self.required and self.default is None)

    @model_validator(mode="after")
    def _constraints_fit_the_type(self) -> Self:
        for constraint, types in APPLIES_TO.items():
            if getattr(self, constraint) not in (None, ()) and self.type not in types:
                raise ValueError(
                    f"{constraint!r} does not apply to type {self.type.value!r}; it applies to "
                    + ", ".join(sorted(t.value for t in types))
                )
        self._check_values()
        if self.required and self.written == "on_update":
            raise ValueError("what a new record does without can't be 'required'")
        if self.type in CHOICES and not self.choices:
            raise ValueError(f"type {self.type.value!r} needs 'choices'")
        if self.name.lower().startswith(RESERVED_PREFIX) or self.name.lower() in RESERVED_NAMES:
            raise ValueError(f"the name {self.name!r} is reserved")
        return self

    def _check_values(self) -> None:
        self._check_timezone()
        limits: dict[str, Any] = {
            c: typed_value(self.type, v, self.timezone)
            for c in ("min", "max")
            if (v := getattr(self, c)) is not None
        }
        if len(limits) == 2 and limits["min"] > limits["max"]:
            raise ValueError("'min' is greater than 'max'")
        if self.min_length and self.max_length and self.min_length > self.max_length:
            raise ValueError("'min_length' is greater than 'max_length'")
        if self.default is not None:
            typed_value(self.type, self.default, self.timezone)
        if self.type is FieldType.CHOICE and self.default not in (None, *self.choices):
            raise ValueError(f"the default {self.default!r} is none of the choices")
        self._check_format()
        _check_pattern(self.pattern)

    def _check_format(self) -> None:
        if self.format is None:
            return
        if self.type in NUMERIC and self.format not in NUMBER_FORMS:
            forms = ", ".join(map(repr, NUMBER_FORMS))
            raise ValueError(f"the format {self.format!r} is none that numbers have; they are {forms}")
        if self.type in TEMPORAL and "%" in FORMAT_PATTERN.sub("", self.format):
            raise ValueError(
                f"the format {self.format!r} has a directive that is not known (fractions of a second are %.f)"
            )

    def _check_timezone(self) -> None:
        if self.timezone is not None and self.timezone not in available_timezones():
            raise ValueError(f"there is no time zone {self.timezone!r}; use an IANA name such as Europe/Berlin")


def _check_pattern(pattern: str | None) -> None:
    if pattern is None:
        return
    import polars as pl

    try:
        pl.Series([""]).str.contains(whole_match(pattern))
    except pl.exceptions.ComputeError as error:
        told = str(error).partition("\n\nThis error occurred")[0]
        raise ValueError(f"the pattern {pattern!r} is no regular expression: {told}") from error


def whole_match(pattern: str) -> str:
    """The regular expression that matches only where `pattern` matches the whole value."""
    return f"^(?:{pattern})$"


class FileOptions(_Document):
    """What is known of the file beforehand; None means: detect, and say what was detected.

    Attributes:
        kind: of a format (`csv`, `jsonl`, `ods`, `xls`, `xlsb`, `xlsx`); of what is in it, for a packed file.
        header_row: 1-based, as the user sees it.
        encoding: a Python codec name.
        flat: an object or array as a value in JSON Lines is an error of its row.
        identifiers: a header that begins with a colon must be that of a field of the key; rows with a value
            below another one are errors.
    """

    kind: Annotated[str, Setting(pattern="^[a-z0-9]+$")] | None = None
    sheet: str | None = None
    header_row: Annotated[int, Setting(ge=1)] | None = None
    delimiter: Annotated[str, Setting(min_length=1, max_length=1)] | None = None
    encoding: str | None = None
    flat: bool = False
    identifiers: bool = False


class Policies(_Document):
    """What happens in the cases where more than one answer is right.

    Attributes:
        duplicates: rows of the file with the same key: all fail, or all but the first or last are ignored.
        existing: mode insert meets a key that is there: the row fails or is ignored.
        missing: mode update meets a key that is not there: likewise.
        unknown_columns: columns that no field claims: the file is refused, or they are listed, or not.
        atomic: a single row that fails, in validation or at the destination, and nothing is written.
        max_errors: so many rows may fail validation; with more, nothing is written.
        max_error_percent: likewise, of the data rows of the file.
    """

    duplicates: Literal["error", "first", "last"] = "error"
    existing: Literal["fail", "ignore"] = "fail"
    missing: Literal["fail", "ignore"] = "fail"
    unknown_columns: Literal["error", "warn", "ignore"] = "warn"
    atomic: bool = False
    max_errors: Annotated[int, Setting(ge=0)] | None = None
    max_error_percent: Annotated[float, Setting(ge=0, le=100)] | None = None


class Definition(_Document):
    """What an import is.

    Attributes:
        key: fields that tell records apart; may be empty in mode insert.
        record: name of an installed pandera model (`schemas.records`) that makes more checks.
        faces: connector → where, in the words of that vendor, these records go; its clients then reach this
            definition.
        webhooks: whom to tell of every record, where an import asks for it.
        source: from where its files are fetched.
        watch: folders beside the inbox whose files are imported.
        notify: whom to tell of the ends of jobs.
        mapping: of what the fields are made, each of them a target; None: of the columns of the file.
        lookups: the tables that the mapping names.
    """

    name: Annotated[str, Setting(pattern=NAME_PATTERN)]
    key: Texts = ()
    mode: Mode = Mode.UPSERT
    fields: Annotated[tuple[Field, ...], Setting(min_length=1, max_length=MOST_FIELDS)]
    destination: AnyDestination
    record: str | None = None
    file: FileOptions = FileOptions()
    policies: Policies = Policies()
    faces: dict[Annotated[str, Setting(pattern=NAME_PATTERN)], dict[str, str | int]] = {}
    webhooks: Annotated[tuple[Webhook, ...], Setting(max_length=MOST_WEBHOOKS)] = ()
    source: Source | None = None
    watch: Watches = ()
    notify: Notify | None = None
    mapping: Mapping | None = None
    lookups: Annotated[tuple[Lookup, ...], Setting(max_length=MOST_LOOKUPS)] = ()

    @property
    def table(self) -> TableDestination:
        """The table in which the records go.

        Raises:
            DestinationError: they go elsewhere.
        """
        if not isinstance(self.destination, TableDestination):
            raise DestinationError(f"the records of the definition {self.name!r} do not go into a table")
        return self.destination

    @property
    def notice_webhook(self) -> WebhookAddress | None:
        """Which webhook is told of the ends of jobs; None: none."""
        return None if self.notify is None else self.notify.webhook

    @property
    def hooks(self) -> tuple[WebhookAddress, ...]:
        """Every webhook, whatever it is told of."""
        return self.webhooks if self.notice_webhook is None else (*self.webhooks, self.notice_webhook)

    @property
    def has_last_step(self) -> bool:
        """True when the destination has more to do once every chunk was loaded: `Destination.complete`."""
        return self._writes_all_at_once or isinstance(self.destination, FileDestination)

    @property
    def judges_files(self) -> bool:
        """True when what a file's rows are like decides whether any of it may be written."""
        budget = (self.policies.max_errors, self.policies.max_error_percent)
        return self._writes_all_at_once or budget != (None, None)

    @property
    def _writes_all_at_once(self) -> bool:
        return self.policies.atomic or self.mode is Mode.SYNC

    def field(self, name: str) -> Field:
        """The field of this name, which must be there."""
        return next(f for f in self.fields if f.name == name)

    def is_required(self, field: Field) -> bool:
        """True when a blank cell is an error: declared so, or part of the key."""
        return field.required or field.name in self.key

    def in_mode(self, mode: Mode | None) -> "Definition":
        """The same definition in another mode; None leaves it as it is.

        Raises:
            DefinitionError: it can't work in that mode.
        """
        if mode is None or mode is self.mode:
            return self
        if not self.key and mode is not Mode.INSERT:
            raise DefinitionError(f"mode {mode.value!r} needs a 'key', which {self.name!r} does not have")
        if (problem := self._destination_problem(mode)) is not None:
            raise DefinitionError(problem)
        return self.model_copy(update={"mode": mode})

    def with_file(self, options: FileOptions | None) -> "Definition":
        """The same definition with something else known of the file; None leaves it as it is."""
        return self if options is None else self.model_copy(update={"file": options})

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        names = [f.name.lower() for f in self.fields]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two fields are named {name!r}; names differ by more than case")
        for name in self.key:
            if name not in {f.name for f in self.fields}:
                raise ValueError(f"the key names {name!r}, which is no field")
        if late := [f.name for f in self.fields if f.written != "always" and f.name in self.key]:
            raise ValueError(f"the key tells records apart, so {late[0]!r} is always written")
        if len(set(self.key)) < len(self.key):
            raise ValueError("the key names a field twice")
        if not self.key and self.mode is not Mode.INSERT:
            raise ValueError(f"mode {self.mode.value!r} needs a 'key'; only mode 'insert' does without")
        if (problem := self._destination_problem(self.mode)) is not None:
            raise ValueError(problem)
        self._check_mapping()
        return self

    def _check_mapping(self) -> None:
        lookups = {lookup.name for lookup in self.lookups}
        if len(lookups) < len(self.lookups):
            raise ValueError("two lookups have the same name")
        if self.mapping is None:
            if self.lookups:
                raise ValueError("'lookups' are for a 'mapping', which the definition does not have")
            return
        if unknown := sorted(self.mapping.lookup_names - lookups):
            raise ValueError(f"the mapping names the lookup {unknown[0]!r}, which is none of 'lookups'")
        made = {target.name: target for target in targets(self.mapping)}
        fields = {field.target: field for field in self.fields}
        if left_over := [name for name in made if name not in fields]:
            raise ValueError(f"the mapping generates {left_over[0]!r}, which is no field")
        for name, field in fields.items():
            if name not in made:
                raise ValueError(f"the mapping generates nothing for the field {field.name!r}")
            if made[name].is_nested and field.type is not FieldType.JSON:
                raise ValueError(f"the mapping makes an object or a list of {name!r}; its type is 'json'")

    def _destination_problem(self, mode: Mode) -> str | None:
        """Why its destination can't do what is asked for in this mode; None where it can."""
        if isinstance(self.destination, ConnectionDestination) and self.policies.atomic:
            return "no vendor takes all records or none; 'atomic' is for tables and files"
        chosen = any(f.written != "always" for f in self.fields)
        if isinstance(self.destination, ConnectionDestination) and chosen:
            return "a vendor is sent whole records; 'written' is for tables"
        if isinstance(self.destination, FileDestination) and mode is not Mode.INSERT:
            return f"mode {mode.value!r} is none for a file, which is always new; say 'insert'"
        return None
