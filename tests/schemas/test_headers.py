import pytest

from schemas.errors import FileRefusedError
from schemas.headers import bind, normalise


@pytest.mark.parametrize(
    "header", ["Event Id", " event  id ", "\ufeffEVENT ID", "Event\u00a0Id", "\uff25vent \uff29d", "event\tid"]
)
def test_case_space_and_width_do_not_tell_headers_apart(header):
    assert normalise(header) == "event id"


def test_a_field_is_found_by_any_of_its_headers_or_its_name(make_definition):
    definition = make_definition(fields=[{"name": "id", "header": ["Key", "Event Id"]}, {"name": "name"}])
    assert bind(definition, ["x", "event id", "NAME"]).columns == {"id": 1, "name": 2}
    assert bind(definition, ["ID", "", "x"]).columns == {"id": 0}
    assert bind(definition, ["ID", "", "x", "lading_errors"]).unknown == ("x",)


def test_a_colon_says_that_a_column_identifies_the_record_and_only_the_key_does(make_definition):
    definition = make_definition()
    assert bind(definition, [":ID", "Name"]).columns == {"id": 0, "name": 1}
    bound = bind(definition, [":Id", ":Name"])
    assert (bound.columns, bound.unknown, bound.no_identifiers) == ({"id": 0}, (":Name",), ())
    minding = make_definition(file={"identifiers": True})
    assert bind(minding, [":Id", ":Name", "x"]).no_identifiers == (1,)


def test_a_column_with_and_one_without_the_colon_are_two_columns_for_one_field(make_definition):
    with pytest.raises(FileRefusedError, match="the columns ':Id', 'Id' all feed the field 'id'"):
        bind(make_definition(), [":Id", "Id"])


def test_missing_columns_are_one_error_with_the_nearest_headers(make_definition):
    with pytest.raises(FileRefusedError) as caught:
        bind(make_definition(), ["Idd", "Nam", "Amount"])
    assert caught.value.code == "header.missing"
    assert "1 required column is missing: 'Id' (did you mean 'Idd'?)" in str(caught.value)


def test_a_key_that_the_file_lacks_is_refused_although_it_has_a_default(make_definition):
    fields = [{"name": "id"}, {"name": "source", "default": "us"}]
    with pytest.raises(FileRefusedError, match="1 required column is missing: 'source'"):
        bind(make_definition(key=("source", "id"), fields=fields), ["id"])


def test_one_column_that_holds_what_is_missing_is_asked_for_its_delimiter(make_definition):
    with pytest.raises(FileRefusedError, match=r"say what stands between them \(file: delimiter\)"):
        bind(make_definition(), ["Id^Name^Amount"])
    with pytest.raises(FileRefusedError) as caught:
        bind(make_definition(), ["Name"])
    assert "delimiter" not in str(caught.value)


def test_two_columns_for_one_field_are_refused_by_name(make_definition):
    with pytest.raises(FileRefusedError, match="the columns 'Id', ' ID' all feed the field 'id'"):
        bind(make_definition(), ["Id", " ID"])
