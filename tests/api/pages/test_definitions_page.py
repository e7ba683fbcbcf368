import pytest

from flows.run import resume
from schemas.principal import OPERATOR_TENANT
from store.database import Store
from store.definitions import remove_definition


def test_definitions_are_told_in_plain_words(person, define):
    define(
        name="orders",
        mode="sync",
        key=["number"],
        fields=[
            {"name": "number", "header": ["Order", "No."], "type": "string", "max_length": 9},
            {"name": "size", "type": "choice", "choices": ["S", "<b>M</b>"]},
        ],
        destination={"table": "orders"},
    )
    page = person.get("/ui/definitions")
    for words in (
        "orders version 1",
        "Creates and updates records, and deletes those that the file lacks, in the table orders.",
        "Records are told apart by number.",
        "Order also No.",
        "text; required; part of the key; at most 9 characters",
        "one of the choices; may be blank; choices: S, <b>M</b>",
        "things version 1",
    ):
        assert words in page.text


def test_the_template_is_a_workbook_that_can_be_imported_as_it_is(person, service):
    answer = person.http.get("/ui/definitions/things/template.xlsx")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="things.xlsx"'
    page = person.upload("things.xlsx", answer.content)
    resume(service.settings, page.path.rpartition("/")[2])
    page = person.get(page.path)
    assert "Finished: 0 rows" in page.text
    assert "kind xlsx sheet things" in page.text


@pytest.fixture
def shared(service, define, tenant):
    """The name of a definition of the operator's, which is there for the test alone."""
    name = f"shared-{tenant}"
    define(OPERATOR_TENANT, name=name)
    yield name
    with Store.opened(service.settings) as store, store.write() as session:
        remove_definition(session, OPERATOR_TENANT, name)


def test_a_key_sees_the_definitions_that_it_may_use_and_the_operators(person, visit, define, shared):
    define(name="others", destination={"table": "others"})
    page = person.get("/ui/definitions")
    assert all(f"{name} version 1" in page.text for name in ("things", "others", shared))
    limited = visit(definitions=["others"])
    assert "things" not in limited.get("/ui/definitions").text
    for name in ("things", "nowhere"):
        refused = limited.get(f"/ui/definitions/{name}/template.xlsx")
        assert (refused.status, "There is no definition" in refused.text) == (404, True)
    assert limited.http.get("/ui/definitions/others/template.xlsx").status_code == 200
