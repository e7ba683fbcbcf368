import pytest

from schemas.document import parse_definition
from schemas.errors import DefinitionError
from schemas.watch import Watch

DOCUMENT = """
name: things
key: id
fields: [{name: id}]
destination: {table: things}
watch: %s
"""


@pytest.mark.parametrize("said", ["{folder: /in, pattern: '*.csv'}", "[{folder: /in, pattern: '*.csv'}]"])
def test_one_folder_may_stand_alone(said):
    assert parse_definition(DOCUMENT % said).watch == (Watch(folder="/in", pattern="*.csv"),)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("{folder: in}", "line 6: watch.0: the folder 'in' is no absolute path"),
        ("{folder: /in, pattern: a/*.csv}", "line 6: watch.0: the pattern 'a/[*].csv' is one of names"),
        ("{folder: /in, patern: a}", "line 6: unknown key 'watch.0.patern'"),
    ],
)
def test_what_names_no_folder_is_refused_with_its_line(said, why):
    with pytest.raises(DefinitionError, match=f"^{why}"):
        parse_definition(DOCUMENT % said)
