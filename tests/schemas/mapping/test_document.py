import pytest

from schemas.document import parse_definition, write_definition
from schemas.errors import DefinitionError
from schemas.mapping import FieldMap, ListMap, Lookup, Mapping, Target, targets

DOCUMENT = """name: things
key: [id]
fields:
  - {name: id}
  - {name: sku, header: "Item SKU"}
  - {name: address, type: json}
destination: {table: things}
mapping:
  fields:
    - {generate: id, extract: internal_id, lookupName: codes}
    - {generate: "Item SKU", hardCodedValue: null}
    - {generate: address.city, extract: city, immutable: true, isRequired: false}
lookups:
  - {name: codes, map: {a: b, "1": 2}}
"""


def refusal(text):
    with pytest.raises(DefinitionError) as caught:
        parse_definition(text)
    return str(caught.value)


def test_a_mapping_is_written_as_it_was_read_and_a_null_in_it_stays_one():
    definition = parse_definition(DOCUMENT)
    again = parse_definition(write_definition(definition))
    assert again == definition
    assert [rule.is_hard_coded for rule in again.mapping.fields] == [False, True, False]


def test_the_spelling_of_the_vendor_comes_out_where_it_is_asked_for():
    mapping = parse_definition(DOCUMENT).mapping
    written = mapping.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    assert written["fields"][0] == {"generate": "id", "extract": "internal_id", "lookupName": "codes"}
    assert written["fields"][1] == {"generate": "Item SKU", "hardCodedValue": None}
    assert Mapping.model_validate(written) == mapping


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("immutable", "immutabel", "unknown key 'mapping.fields.2.immutabel'; did you mean 'immutable'?"),
        ("  fields:\n    - {gen", "  rules: []\n  fields:\n    - {gen", "unknown key 'mapping.rules'"),
        ("isRequired: false", "internalId: true", "'internalId' is for NetSuite"),
        ("isRequired: false", "isKey: true", "'isKey' is not served"),
        ("isRequired: false", "subRecordMapping: {a: 1}", "'subRecordMapping' is for NetSuite"),
        ("isRequired: false", "conditional: {when: ignore_if_set}", "'ignore_if_set' is not served"),
        (
            "isRequired: false",
            "conditional: {when: never}",
            "mapping.fields.2.conditional.when: Input should be",
        ),
        ("isRequired: false", "conditional: {when: record_updated}", "'immutable' can't be set when"),
        ("isRequired: false", "conditional: {when: lookup_empty}", "'lookup_empty' needs a 'lookupName'"),
        ("extract: internal_id, ", "", "a lookup needs an 'extract'"),
        ("extract: city, ", "", "a rule needs an 'extract' or a 'hardCodedValue'"),
        ("address.city", "address..city", "'address..city' names no target"),
        ("address.city", "'address[0]'", "lists are made by 'lists'"),
        ("address.city", "id.city", "the mapping generates 'id.city' twice"),
        ("generate: address.city", "generate: id", "the mapping generates 'id' twice"),
        ("generate: address.city", "generate: adress.city", "generates 'adress', which is no field"),
        ("name: address, type: json", "name: address", "its type is 'json'"),
        ("destination:", "  - {name: price}\ndestination:", "generates nothing for the field 'price'"),
        ("lookupName: codes", "lookupName: kinds", "names the lookup 'kinds', which is none of 'lookups'"),
        ("map: {a:", "_lookupCacheId: x, map: {a:", "a lookup with '_lookupCacheId' is not served"),
        ('map: {a: b, "1": 2}', "recordType: item", "a lookup with 'recordType' is not served"),
        ('map: {a: b, "1": 2}', "default: x", "the key 'lookups.0.map' is missing"),
        ("lookups:\n", "lookups:\n  - {name: codes, map: {}}\n", "two lookups have the same name"),
    ],
)
def test_what_is_not_served_or_does_not_fit_is_refused_by_name(old, new, says):
    assert old in DOCUMENT
    assert says in refusal(DOCUMENT.replace(old, new, 1))


def test_lookups_without_a_mapping_are_refused():
    head, tail = DOCUMENT.split("mapping:\n")
    assert "'lookups' are for a 'mapping'" in refusal(head + "lookups:" + tail.split("lookups:")[1])


def test_what_the_screens_of_the_vendor_keep_for_themselves_changes_nothing():
    kept = {"isRequired": True, "isNotEditable": False, "key": "x", "rowIdentifier": 1, "internalId": False}
    assert FieldMap.model_validate({"generate": "a", "extract": "b", **kept}) == FieldMap(
        generate="a", extract="b"
    )
    assert Lookup.model_validate({"name": "l", "map": {}, "_lookupCacheId": None}) == Lookup(name="l", map={})


def test_within_a_list_nothing_is_for_create_or_update_alone():
    with pytest.raises(ValueError, match="a list is written whole"):
        ListMap.model_validate(
            {"generate": "l", "fields": [{"generate": "a", "extract": "b", "immutable": True}]}
        )


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "a.b"), ("a.b", "a"), ("a.b", "a.b.c")])
def test_a_list_whose_rules_make_one_member_twice_is_refused(first, second):
    rules = [{"generate": name, "extract": "l[*].x"} for name in (first, second)]
    with pytest.raises(ValueError, match=f"the list 'l' generates '{second}' twice"):
        Mapping.model_validate({"lists": [{"generate": "l", "fields": rules}]})


def test_the_targets_tell_what_is_made_and_when_it_is_written():
    mapping = Mapping.model_validate(
        {
            "fields": [
                {"generate": "id", "extract": "internal_id", "dataType": "number"},
                {"generate": "made", "hardCodedValue": 1, "conditional": {"when": "record_created"}},
                {"generate": "seen", "extract": "s", "conditional": {"when": "record_updated"}},
                {"generate": "to.city", "extract": "city", "immutable": True},
                {"generate": "to.zip", "extract": "zip", "immutable": True},
            ],
            "lists": [{"generate": "lines", "fields": [{"generate": "sku", "extract": "l[*].sku"}]}],
        }
    )
    assert targets(mapping) == (
        Target("id", "number", extract="internal_id"),
        Target("made", written="on_create"),
        Target("seen", written="on_update", extract="s"),
        Target("to", written="on_create", is_nested=True),
        Target("lines", is_nested=True),
    )


def test_parts_of_one_target_are_written_at_the_same_time():
    fields = [{"generate": "to.a", "extract": "a", "immutable": True}, {"generate": "to.b", "extract": "b"}]
    with pytest.raises(ValueError, match="parts of 'to' are for create or update alone"):
        targets(Mapping.model_validate({"fields": fields}))
