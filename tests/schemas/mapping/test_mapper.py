import re
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError

from schemas.codes import ROW_CODES
from schemas.mapping import Fault, FieldMap, Lookup, Mapper, Mapping, When
from schemas.mapping.document import ListMap

RECORD = {
    "name": "Ada",
    "empty": "",
    "null": None,
    "zero": 0,
    "no": False,
    "price": "12.50",
    "many": Decimal("12345678901234567890.10"),
    "day": "02/29/2024",
    "moment": "2024-07-01T12:00:00Z",
    "local": "2024-07-01 12:00",
    "a.b": "exact",
    "a": {"b": "by path", "c d": 4},
    "Weight [kg]": 7,
    "country": "DE",
    "lines": [{"sku": "x", "tags": ["p", "q"]}, {"sku": "y", "tags": []}, {"tags": ["r"]}],
    "sent": [{"by": "van"}],
    "one": {"sku": "alone"},
    "words": ["p", "q"],
}
LOOKUPS = [
    {"name": "currency", "map": {"DE": "EUR", "0": "none", "false": False}},
    {"name": "lenient", "map": {"DE": "EUR"}, "allowFailures": True},
    {"name": "fallback", "map": {"DE": "EUR"}, "allowFailures": True, "default": "USD"},
]


def mapper(fields=(), lists=(), **more):
    mapping = Mapping.model_validate({"fields": fields, "lists": lists})
    return Mapper(mapping, [Lookup.model_validate(lookup) for lookup in LOOKUPS], **more)


def mapped(*fields, lists=()):
    return mapper([{"generate": "x"} | field for field in fields], lists).map(RECORD)


ABSENT = object()

VALUES = {
    "extract": [
        ({"extract": "name"}, "Ada"),
        ({"extract": "missing"}, None),
        ({"extract": "null"}, None),
        ({"extract": "a.b"}, "exact"),
        ({"extract": "a.c d"}, 4),
        ({"extract": "a['c d']"}, 4),
        ({"extract": "name.b"}, None),
        ({"extract": "lines[1].sku"}, "y"),
        ({"extract": "lines.1.sku"}, "y"),
        ({"extract": "lines[9].sku"}, None),
        ({"extract": "lines[*].sku"}, ["x", "y", None]),
        ({"extract": "lines[*].tags[*]"}, ["p", "q", "r"]),
        ({"extract": "one[*].sku"}, ["alone"]),
        ({"extract": "missing[*].sku"}, []),
        ({"extract": "Weight [kg]"}, 7),
        ({"extract": "a"}, {"b": "by path", "c d": 4}),
        ({"extract": "{name} of {country}"}, "Ada of DE"),
        ({"extract": "{missing}-{zero}-{no}"}, "-0-false"),
        ({"extract": "{{name}} {{{a.[c d]}}} {{record.country}}"}, "Ada 4 DE"),
        ({"extract": "{{many}}"}, "12345678901234567890.10"),
        ({"extract": "{{lookup 'currency' country}}"}, "EUR"),
    ],
    "generate": [({"extract": "name", "generate": "x.first"}, {"first": "Ada"})],
    "hard_coded_value": [
        ({"hardCodedValue": "webstore"}, "webstore"),
        ({"hardCodedValue": False}, False),
        ({"hardCodedValue": 0}, 0),
        ({"hardCodedValue": ""}, ""),
        ({"hardCodedValue": None}, None),
        ({"hardCodedValue": False, "extract": "name"}, False),
        ({"hardCodedValue": None, "extract": "name"}, None),
    ],
    "lookup_name": [
        ({"extract": "country", "lookupName": "currency"}, "EUR"),
        ({"extract": "zero", "lookupName": "currency"}, "none"),
        ({"extract": "no", "lookupName": "currency"}, False),
        ({"extract": "name", "lookupName": "lenient"}, ""),
        ({"extract": "name", "lookupName": "fallback"}, "USD"),
        ({"extract": "missing", "lookupName": "fallback"}, "USD"),
        ({"extract": "missing", "lookupName": "currency", "default": "CHF"}, "CHF"),
    ],
    "data_type": [
        ({"extract": "price", "dataType": "number"}, Decimal("12.50")),
        ({"extract": "many", "dataType": "number"}, Decimal("12345678901234567890.10")),
        ({"extract": "{zero}7", "dataType": "number"}, 7),
        ({"extract": "empty", "dataType": "number"}, None),
        ({"extract": "zero", "dataType": "string"}, "0"),
        ({"extract": "no", "dataType": "string"}, "false"),
        ({"extract": "empty", "dataType": "string"}, ""),
        ({"extract": "words", "dataType": "string"}, "p,q"),
        ({"extract": "a", "dataType": "string"}, '{"b":"by path","c d":4}'),
        ({"extract": "zero", "dataType": "boolean"}, False),
        ({"hardCodedValue": "yes", "dataType": "boolean"}, True),
        ({"extract": "moment", "dataType": "date"}, "2024-07-01T12:00:00.000Z"),
        ({"extract": "local", "dataType": "date"}, "2024-07-01T12:00:00.000"),
        ({"hardCodedValue": "tomorrow", "dataType": "date"}, "tomorrow"),
    ],
    "extract_date_format": [
        ({"extract": "day", "extractDateFormat": "MM/DD/YYYY"}, "2024-02-29"),
        ({"extract": "zero", "extractDateFormat": "x"}, "1970-01-01T00:00:00.000Z"),
    ],
    "extract_date_timezone": [
        ({"extract": "local", "extractDateTimezone": "Europe/Berlin"}, "2024-07-01T12:00:00.000+02:00"),
        ({"extract": "moment", "extractDateTimezone": "Europe/Berlin"}, "2024-07-01T12:00:00.000Z"),
    ],
    "generate_date_format": [
        ({"extract": "moment", "generateDateFormat": "DD.MM.YY [at] h:mm A Z"}, "01.07.24 at 12:00 PM +00:00"),
        (
            {"extract": "day", "extractDateFormat": "MM/DD/YYYY", "generateDateFormat": "YYYY-MM-DD"},
            "2024-02-29",
        ),
    ],
    "generate_date_timezone": [
        ({"extract": "moment", "generateDateTimezone": "Asia/Hong_Kong"}, "2024-07-01T20:00:00.000+08:00"),
        (
            {
                "extract": "local",
                "extractDateTimezone": "Europe/Berlin",
                "generateDateFormat": "YYYY-MM-DD HH:mm",
                "generateDateTimezone": "America/New_York",
            },
            "2024-07-01 06:00",
        ),
    ],
    "immutable": [({"extract": "name", "immutable": True}, "Ada")],
    "discard_if_empty": [
        ({"extract": "missing", "discardIfEmpty": True}, ABSENT),
        ({"extract": "empty", "discardIfEmpty": True}, ABSENT),
        ({"extract": "zero", "discardIfEmpty": True}, 0),
        ({"extract": "name", "lookupName": "lenient", "discardIfEmpty": True}, ABSENT),
        ({"extract": "missing", "default": "d", "discardIfEmpty": True}, "d"),
        ({"extract": "missing", "generate": "x.y", "discardIfEmpty": True}, ABSENT),
    ],
    "conditional": [
        ({"extract": "name", "conditional": {"when": "record_created"}}, "Ada"),
        ({"extract": "name", "conditional": {"when": "record_updated"}}, "Ada"),
        ({"extract": "name", "conditional": {"when": "extract_not_empty"}}, "Ada"),
        ({"extract": "empty", "conditional": {"when": "extract_not_empty"}, "default": "d"}, ABSENT),
        ({"extract": "no", "conditional": {"when": "extract_not_empty"}}, False),
        ({"extract": "country", "lookupName": "lenient", "conditional": {"when": "lookup_not_empty"}}, "EUR"),
        ({"extract": "name", "lookupName": "currency", "conditional": {"when": "lookup_not_empty"}}, ABSENT),
        ({"extract": "name", "conditional": {"when": "lookup_empty", "lookupName": "currency"}}, "Ada"),
        ({"extract": "country", "conditional": {"when": "lookup_empty", "lookupName": "currency"}}, ABSENT),
    ],
    "default": [
        ({"extract": "missing", "default": "d"}, "d"),
        ({"extract": "empty", "default": 0}, 0),
        ({"extract": "no", "default": "d"}, False),
        ({"extract": "missing", "default": "7", "dataType": "number"}, 7),
        ({"extract": "name", "lookupName": "lenient", "default": "d"}, "d"),
        ({"default": "d"}, "d"),
    ],
}


@pytest.mark.parametrize(("rule", "value"), [case for cases in VALUES.values() for case in cases])
def test_each_rule_makes_its_value(rule, value):
    found = mapped(rule)
    assert found.faults == ()
    if value is ABSENT:
        assert (found.values, found.absent) == ({}, {"x"})
    else:
        assert (found.values, found.absent) == ({"x": value}, set())
        assert type(found.values["x"]) is type(value)


def test_every_key_and_every_condition_has_its_cases():
    assert VALUES.keys() == FieldMap.model_fields.keys()
    assert {rule["conditional"]["when"] for rule, _ in VALUES["conditional"]} == set(When)
    assert {rule.get("dataType") for rule, _ in VALUES["data_type"]} == {"string", "number", "boolean", "date"}


FAULTS = {
    "mapping.type": [
        ({"extract": "name", "dataType": "number"}, "not a number"),
        ({"extract": "no", "dataType": "number"}, "not a number"),
        ({"extract": "words", "dataType": "number"}, "not a number"),
        ({"extract": "name", "dataType": "boolean"}, "not a yes or a no; give true or false"),
    ],
    "mapping.date": [
        ({"extract": "name", "dataType": "date"}, "not a date of ISO 8601, such as 2024-02-29T13:44:18Z"),
        ({"extract": "local", "extractDateFormat": "MM/DD/YYYY"}, "not a date of the form MM/DD/YYYY"),
        ({"extract": "words", "dataType": "date"}, "not a date"),
        (
            {"extract": "{{replace local '07-01 12' '03-31 02'}}", "extractDateTimezone": "Europe/Berlin"},
            "falls in an hour that the time zone skips or has twice",
        ),
    ],
    "mapping.lookup": [
        ({"extract": "name", "lookupName": "currency"}, "the lookup 'currency' has nothing for the value"),
        ({"extract": "missing", "lookupName": "currency"}, "the lookup 'currency' has nothing for the value"),
        ({"extract": "{{lookup 'currency' name}}"}, "the lookup 'currency' has nothing for the value"),
    ],
    "mapping.template": [
        ({"extract": "{{divide price zero}}"}, "nothing can be divided by zero"),
        ({"extract": "{{add name 1}}"}, "not a number"),
    ],
}


@pytest.mark.parametrize(
    ("code", "rule", "says"), [(code, *case) for code, cases in FAULTS.items() for case in cases]
)
def test_what_a_rule_can_not_make_is_a_fault_and_the_others_are_made(code, rule, says):
    found = mapped(rule, {"generate": "y", "extract": "name"})
    source = "lookup" if code == "mapping.lookup" else "mapping"
    assert found.faults == (Fault("x", code, says, source),)
    assert (found.values, found.absent) == ({"y": "Ada"}, set())


def test_every_code_of_the_mapping_is_brought_about():
    assert FAULTS.keys() == {code for code in ROW_CODES if code.startswith("mapping.")}


LISTS = [
    (
        {"fields": [{"extract": "lines[*].sku", "generate": "item"}, {"extract": "name", "generate": "for"}]},
        [{"item": "x", "for": "Ada"}, {"item": "y", "for": "Ada"}, {"item": None, "for": "Ada"}],
    ),
    (
        {
            "fields": [
                {"extract": "sent[*].by", "generate": "by", "discardIfEmpty": True},
                {"extract": "lines[*].sku", "generate": "of.item"},
                {"extract": "{lines[*].sku}!", "generate": "loud"},
                {"hardCodedValue": 1, "generate": "count"},
            ]
        },
        [
            {"by": "van", "of": {"item": "x"}, "loud": "x!", "count": 1},
            {"of": {"item": "y"}, "loud": "y!", "count": 1},
            {"of": {"item": None}, "loud": "!", "count": 1},
        ],
    ),
    (
        {"fields": [{"extract": "lines[*].tags[*]", "generate": "t"}]},
        [{"t": ["p", "q"]}, {"t": []}, {"t": ["r"]}],
    ),
    ({"fields": [{"extract": "missing[*].sku", "generate": "item"}]}, []),
    ({"fields": [{"extract": "one[*].sku", "generate": "item"}]}, [{"item": "alone"}]),
    ({"fields": [{"extract": "name", "generate": "only"}]}, [{"only": "Ada"}]),
    ({"fields": [{"extract": "words[*]", "generate": "word"}]}, [{"word": "p"}, {"word": "q"}]),
    (
        {
            "jsonPath": "lines",
            "fields": [
                {"extract": "sku", "generate": "item", "default": "none"},
                {"extract": "lines[*].tags[0]", "generate": "tag"},
                {"extract": "{{sku}} for {{record.name}}", "generate": "text"},
                {"extract": "name", "generate": "name"},
            ],
        },
        [
            {"item": "x", "tag": "p", "text": "x for Ada", "name": None},
            {"item": "y", "tag": None, "text": "y for Ada", "name": None},
            {"item": "none", "tag": "r", "text": " for Ada", "name": None},
        ],
    ),
    ({"jsonPath": "missing", "fields": [{"extract": "sku", "generate": "item"}]}, []),
]


@pytest.mark.parametrize(("made", "elements"), LISTS)
def test_a_list_has_one_object_for_each_element_of_its_source(made, elements):
    found = mapped(lists=[{"generate": "x"} | made])
    assert (found.values, found.faults) == ({"x": elements}, ())


def test_every_key_of_lists_has_its_cases():
    said = {key for made, _ in LISTS for key in made} | {"generate"}
    assert said == {field.serialization_alias or name for name, field in ListMap.model_fields.items()}


def test_a_fault_within_a_list_tells_the_element_and_the_name():
    made = {
        "generate": "x.rows",
        "fields": [{"extract": "lines[*].sku", "generate": "no", "dataType": "number"}],
    }
    (fault,) = mapped(lists=[made]).faults
    assert (fault.field, fault.code) == ("x", "mapping.type")
    assert fault.message == "x.rows: element 1, no: not a number"


def test_a_value_that_is_nested_without_end_is_a_fault():
    deep = []
    for _ in range(5_000):
        deep = [deep]
    (fault,) = mapper([{"generate": "x", "extract": "{{a}}"}]).map({"a": deep}).faults
    assert (fault.code, fault.message) == ("mapping.template", "objects and lists are nested too deeply")


def test_without_a_mapping_a_record_stays_as_it_is():
    assert Mapper(None).map(RECORD).values == RECORD


def test_templates_see_the_settings_and_the_place_of_the_record():
    rule = {"generate": "x", "extract": "{{settings.shop}}-{{data.0.name}}-{{@index}}"}
    assert mapper([rule], settings={"shop": "EU"}).map(RECORD, 3).values == {"x": "EU-Ada-3"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({"extract": "$.name"}, "a path of Mapper 2.0, which is not served"),
        ({"extract": "*.name"}, "for records that are lists of rows"),
        ({"extract": ".".join("a" * 51)}, "more than 50 names"),
        ({"extract": "{{name"}, "are not closed"),
        ({"extract": "{{regexMatch name 'a'}}"}, "the helper 'regexMatch' is not served; served are abs, add"),
        ({"extract": "a", "extractDateFormat": "HH:mm"}, "names no year"),
        ({"extract": "a", "generateDateFormat": "w YYYY"}, "the token 'w' of moment.js is not served"),
        ({"extract": "a", "extractDateTimezone": "Mars"}, "there is no time zone 'Mars'"),
        ({"hardCodedValue": "abc", "dataType": "number"}, "not a number"),
        ({"extract": "a", "default": "perhaps", "dataType": "boolean"}, "not a yes or a no"),
    ],
)
def test_what_can_not_work_for_any_record_is_refused_beforehand(rule, says):
    with pytest.raises(ValidationError, match=re.escape(says)):
        FieldMap.model_validate({"generate": "x"} | rule)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.decimals(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcn") | st.text(), inner, max_size=3)
    ),
    max_leaves=20,
)
EXTRACTS = [
    *("a", "b.c", "a[*].b", "a[0].b", "{a} {b}", "{{a}}", "{{#each a}}{{@key}}{{this}}{{../b}}{{/each}}"),
    *("{{add a b}}", "{{divide a b}}", "{{substring a b}}", "{{join a b c}}", "{{dateFormat 'L' a b}}"),
    *("{{toFixed a b}}", "{{split a b c}}", "{{#compare a '<' b}}x{{else}}y{{/compare}}", "{{dateAdd a b}}"),
    *("{{lookup 'lenient' a}}", "{{sum a}}", "{{round a}}"),
]
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "lookupName": st.sampled_from(["currency", "lenient"]),
        "dataType": st.sampled_from(["string", "number", "boolean", "date"]),
        "extractDateFormat": st.sampled_from(["MM/DD/YYYY", "x", "X", "YYYY-MM-DD HH:mm:ss.SSS Z"]),
        "extractDateTimezone": st.sampled_from(["Europe/Berlin", "UTC"]),
        "generateDateTimezone": st.just("Pacific/Kiritimati"),
        "discardIfEmpty": st.booleans(),
        "conditional": st.sampled_from([{"when": "extract_not_empty"}, {"when": "record_created"}]),
    },
)


@given(
    record=st.dictionaries(st.sampled_from("abc") | st.text(), json_values),
    extract=st.sampled_from(EXTRACTS),
    keys=KEYS,
)
def test_whatever_the_record_is_each_target_is_a_value_or_absent_or_faulty(record, extract, keys):
    rule = {"generate": "x", "extract": extract} | keys
    in_list = {"generate": "y", "fields": [{"generate": "z", "extract": extract}], "jsonPath": "a"}
    found = mapper([rule], [in_list]).map(record)
    faulty = {fault.field for fault in found.faults}
    assert found.values.keys() | found.absent | faulty == {"x", "y"}
    assert all(fault.code in ROW_CODES for fault in found.faults)


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "7", "text"])
RULES = st.builds(
    lambda number, extract, hard, keys: {"generate": f"x{number}", "extract": extract, **hard, **keys},
    st.integers(0, 10**6),
    st.sampled_from(EXTRACTS),
    st.fixed_dictionaries({}, optional={"default": st.sampled_from(["1", 1])}),
    KEYS,
) | st.builds(
    lambda number, value: {"generate": f"x{number}", "hardCodedValue": value}, st.integers(0, 10**6), SCALARS
)


@given(fields=st.lists(RULES, max_size=5, unique_by=lambda rule: rule["generate"]))
def test_both_spellings_of_a_mapping_are_read_back_as_it_was(fields):
    in_lists = [rule for rule in fields if rule.get("conditional", {}).get("when") != "record_created"]
    lists = [{"generate": "list", "jsonPath": "lines", "fields": in_lists}]
    mapping = Mapping.model_validate({"fields": fields, "lists": lists})
    for by_alias in (True, False):
        for sparse in (True, False):
            written = mapping.model_dump_json(by_alias=by_alias, exclude_defaults=sparse)
            again = Mapping.model_validate_json(written)
            assert again == mapping
            assert [r.is_hard_coded for r in again.rules] == [r.is_hard_coded for r in mapping.rules]
