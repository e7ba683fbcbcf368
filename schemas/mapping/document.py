"""The document of a mapping: what is made of what; read in our spelling (`data_type`) and in the vendor's."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AliasChoices,
    AliasGenerator,
    BaseModel,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel

from schemas.field_types import Scalar
from schemas.mapping.dates import date_step
from schemas.mapping.sources import path_steps, source
from schemas.mapping.values import CONVERSIONS
from schemas.value_text import is_empty

MOST_RULES = 1_999
"""As many as a definition has fields."""
MOST_LISTS = 100
MOST_LOOKUPS = 200
MOST_CHARS = 10_000

Text = Annotated[str, Field(min_length=1, max_length=MOST_CHARS)]


def _refuse_halves(value: Scalar) -> Scalar:
    """JSON can say half a character, and no definition that holds one could be read again."""
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        raise ValueError("half of a surrogate pair is no character") from error
    return value


Said = Annotated[Scalar, AfterValidator(_refuse_halves)]

DataType = Literal["string", "number", "boolean", "date"]

_OF_THE_SCREEN = frozenset(
    {"description", "index", "isNotEditable", "isRequired", "key", "newRow", "rowIdentifier"}
    | {"useAsAnInitializeValue"}
)
"""What the vendor's screens keep beside a rule for themselves; it changes nothing of the record."""

_NOT_SERVED_IN_A_RULE = {
    "internalId": "'internalId' is for NetSuite, which is not served; give the value itself",
    "isKey": "'isKey' is not served: a list is written whole, and its lines are not matched with others",
    "subRecordMapping": "'subRecordMapping' is for NetSuite, which is not served",
}

_NOT_SERVED_IN_A_LOOKUP = (
    "_lookupCacheId",
    *("body", "expression", "extract", "method", "operator", "postBody", "query"),
    *("recordType", "relativeURI", "resultField", "searchField"),
)
"""Keys of lookups that ask some other system while a record is mapped."""


class When(StrEnum):
    """When a rule is applied."""

    RECORD_CREATED = "record_created"
    RECORD_UPDATED = "record_updated"
    EXTRACT_NOT_EMPTY = "extract_not_empty"
    LOOKUP_NOT_EMPTY = "lookup_not_empty"
    LOOKUP_EMPTY = "lookup_empty"


class _Part(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        alias_generator=AliasGenerator(
            validation_alias=lambda name: AliasChoices(name, to_camel(name)), serialization_alias=to_camel
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _only_what_counts(cls, value: Any) -> Any:  # noqa: ANN401 - whatever stands in the document
        return cls._counting(value) if isinstance(value, dict) else value

    @classmethod
    def _counting(cls, document: dict[str, Any]) -> dict[str, Any]:
        """The keys that say something."""
        return {key: value for key, value in document.items() if value is not None}


class Lookup(_Part):
    """What stands for what: a table in the document itself.

    Attributes:
        default: stands for what the table lacks, where `allow_failures` is true; not said: an empty text.
        allow_failures: false: what the table lacks fails its record.
    """

    name: Text
    map: dict[str, Said | None]
    default: Said | None = None
    allow_failures: bool = False

    @classmethod
    def _counting(cls, document: dict[str, Any]) -> dict[str, Any]:
        document = super()._counting(document)
        if (asking := next((key for key in _NOT_SERVED_IN_A_LOOKUP if document.get(key)), None)) is not None:
            raise ValueError(f"a lookup with {asking!r} is not served; served are those with a 'map'")
        return {key: value for key, value in document.items() if key not in _NOT_SERVED_IN_A_LOOKUP}


class Conditional(_Part):
    """On what it depends whether a rule is applied.

    Attributes:
        lookup_name: of `lookup_empty` and `lookup_not_empty`; that of the rule where it is not said.
    """

    when: When
    lookup_name: Text | None = None

    @classmethod
    def _counting(cls, document: dict[str, Any]) -> dict[str, Any]:
        if document.get("when") == "ignore_if_set":
            raise ValueError("'ignore_if_set' is not served: what is at the destination is not looked at first")
        return super()._counting(document)


class FieldMap(_Part):
    """One rule: what is generated, and of what.

    Attributes:
        extract: where the value is in the record; or a text with `{name}` or `{{name}}` in it.
        generate: name of the target; with dots in it, of a member of an object.
        hard_coded_value: the value itself; goes before `extract`. A null that is written counts.
        immutable: set on create alone.
        discard_if_empty: an empty value leaves the target out, so that an update keeps what is there.
        default: in place of an empty value.
    """

    generate: Annotated[str, Field(min_length=1, max_length=500)]
    extract: Text | None = None
    hard_coded_value: Said | None = None
    lookup_name: Text | None = None
    data_type: DataType | None = None
    extract_date_format: Text | None = None
    extract_date_timezone: Text | None = None
    generate_date_format: Text | None = None
    generate_date_timezone: Text | None = None
    immutable: bool = False
    discard_if_empty: bool = False
    conditional: Conditional | None = None
    default: Said | None = None

    @property
    def is_hard_coded(self) -> bool:
        """True where the value is written in the rule, be it null."""
        return "hard_coded_value" in self.model_fields_set

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the target, from the outermost."""
        return tuple(self.generate.split("."))

    @property
    def when(self) -> When | None:
        """On what it depends whether the rule is applied; None: always."""
        return self.conditional.when if self.conditional else None

    @classmethod
    def _counting(cls, document: dict[str, Any]) -> dict[str, Any]:
        for key, problem in _NOT_SERVED_IN_A_RULE.items():
            if document.get(key):
                raise ValueError(problem)
        ignored = _OF_THE_SCREEN | _NOT_SERVED_IN_A_RULE.keys()
        return {
            key: value
            for key, value in document.items()
            if key not in ignored and (value is not None or key in {"hard_coded_value", "hardCodedValue"})
        }

    @model_serializer(mode="wrap")
    def _with_a_null_that_counts(
        self, handler: SerializerFunctionWrapHandler, info: SerializationInfo
    ) -> dict[str, Any]:
        document: dict[str, Any] = handler(self)
        key = "hardCodedValue" if info.by_alias else "hard_coded_value"
        if self.hard_coded_value is None:
            document.pop(key, None)
            document |= {key: None} if self.is_hard_coded else {}
        return document

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if not all(self.path) or "[" in self.generate:
            raise ValueError(f"{self.generate!r} names no target; lists are made by 'lists'")
        if self.lookup_name is not None and (self.is_hard_coded or self.extract is None):
            raise ValueError("a lookup needs an 'extract', whose value it looks up")
        if not self.is_hard_coded and self.extract is None and self.default is None:
            raise ValueError("a rule needs an 'extract' or a 'hardCodedValue'")
        if self.immutable and self.when is When.RECORD_UPDATED:
            raise ValueError("what is 'immutable' can't be set when a record is updated")
        if self.when in {When.LOOKUP_EMPTY, When.LOOKUP_NOT_EMPTY} and self.condition_lookup is None:
            raise ValueError(f"{self.when.value!r} needs a 'lookupName'")
        self._check_parts()
        return self

    def _check_parts(self) -> None:
        if self.extract is not None:
            source(self.extract)
        date_step(self)
        convert = CONVERSIONS.get(self.data_type or "")
        for value in (self.hard_coded_value, self.default):
            if convert is not None and not is_empty(value):
                convert(value)

    @property
    def read_names(self) -> tuple[str, ...]:
        """What the rule reads of a record, as the headers of a file would have it."""
        return () if self.is_hard_coded or self.extract is None else source(self.extract).names

    @property
    def keeps_values(self) -> bool:
        """True where the target has the value that was read, at most as another type."""
        return not self.is_hard_coded and self.lookup_name is None and date_step(self) is None

    @property
    def lookup_names(self) -> frozenset[str]:
        """Every lookup that the rule asks."""
        asked = frozenset() if self.extract is None else source(self.extract).lookup_names
        return asked.union(name for name in (self.lookup_name, self.condition_lookup) if name is not None)

    @property
    def condition_lookup(self) -> str | None:
        """The lookup that decides whether the rule is applied; None where none does."""
        if self.conditional is None or self.when not in {When.LOOKUP_EMPTY, When.LOOKUP_NOT_EMPTY}:
            return None
        return self.conditional.lookup_name or self.lookup_name


class ListMap(_Part):
    """One list of objects, made of the elements of a list of the record.

    Attributes:
        json_path: the list of the record whose elements `extract` starts from; without it, each `extract` names
            its list with `[*]`, and one without is the same for every element.
    """

    generate: Annotated[str, Field(min_length=1, max_length=500)]
    json_path: Text | None = None
    fields: Annotated[tuple[FieldMap, ...], Field(max_length=MOST_RULES)] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the list, from the outermost."""
        return tuple(self.generate.split("."))

    @classmethod
    def _counting(cls, document: dict[str, Any]) -> dict[str, Any]:
        return {k: v for k, v in super()._counting(document).items() if k not in _OF_THE_SCREEN}

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if not all(self.path) or "[" in self.generate:
            raise ValueError(f"{self.generate!r} names no list")
        if self.json_path is not None:
            path_steps(self.json_path)
        _refuse_twice(f"the list {self.generate!r}", [rule.path for rule in self.fields])
        for rule in self.fields:
            if rule.immutable or rule.when in {When.RECORD_CREATED, When.RECORD_UPDATED}:
                raise ValueError(
                    f"{rule.generate!r}: within a list nothing is for create or update alone; "
                    "a list is written whole"
                )
        return self


class Mapping(_Part):
    """What the records of a definition are made of."""

    fields: Annotated[tuple[FieldMap, ...], Field(max_length=MOST_RULES)] = ()
    lists: Annotated[tuple[ListMap, ...], Field(max_length=MOST_LISTS)] = ()

    @property
    def rules(self) -> tuple[FieldMap, ...]:
        """Every rule, those of lists too."""
        return (*self.fields, *(rule for made in self.lists for rule in made.fields))

    @model_validator(mode="after")
    def _makes_nothing_twice(self) -> Self:
        _refuse_twice(
            "the mapping", [*(rule.path for rule in self.fields), *(made.path for made in self.lists)]
        )
        return self

    @property
    def lookup_names(self) -> frozenset[str]:
        """Every lookup that a rule asks."""
        return frozenset(name for rule in self.rules for name in rule.lookup_names)


def _refuse_twice(maker: str, paths: Sequence[tuple[str, ...]]) -> None:
    """No path may be another, or lead through one."""
    whole: set[tuple[str, ...]] = set()
    begun: set[tuple[str, ...]] = set()
    for path in paths:
        above = [path[:length] for length in range(1, len(path))]
        if path in whole or path in begun or not whole.isdisjoint(above):
            raise ValueError(f"{maker} generates {'.'.join(path)!r} twice")
        whole.add(path)
        begun.update(above)
