import re
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from api import bodies, connections, definitions, job_resources, paging
from api.app import create_app
from api.documentation import JOB_EXAMPLE
from api.problems import PROBLEM_TYPES
from schemas.principal import Scope
from schemas.settings import Settings
from tasks import job_document
from tasks.file_names import LONGEST_NAME

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "http-api.md").read_text()


@pytest.fixture(scope="module")
def openapi(tmp_path_factory):
    return create_app(Settings(home=tmp_path_factory.mktemp("home"))).openapi()


def rows(heading):
    """The cells of the table below a heading, a row a list."""
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "---" not in line]


def operations(openapi):
    return {
        f"{method.upper()} {path}": operation
        for path, operations in openapi["paths"].items()
        for method, operation in operations.items()
    }


def test_the_page_names_every_endpoint_and_what_it_needs(openapi):
    told = {cells[0].strip("`"): cells[1] for cells in rows("Endpoints") if cells[0]}
    known = operations(openapi)
    assert sorted(told) == sorted(known)
    opened = {name for name, operation in known.items() if "security" not in operation}
    assert {name for name, scope in told.items() if scope == "*open*"} == opened


def test_the_page_names_every_scope_and_every_problem():
    assert [cells[0].strip("`") for cells in rows("Coming in")[1:]] == [
        Scope.IMPORTS_CREATE,
        Scope.IMPORTS_READ,
        Scope.DEFINITIONS_WRITE,
        Scope.CONNECTIONS_WRITE,
        Scope.ADMIN,
    ]
    told = {cells[0].strip("`"): (cells[1], cells[2]) for cells in rows("Problems")[1:]}
    assert told == {kind.uri: (str(kind.status.value), kind.meaning) for kind in PROBLEM_TYPES.values()}


def _numbers(text):
    return [int(number.replace(",", "")) for number in re.findall(r"\d[\d,]*", text)]


def test_the_page_tells_the_limits_that_the_code_has():
    told = {
        cells[0]: [int(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", cells[1])]
        for cells in rows("Limits")
    }
    assert told["body of a definition"] == [definitions.LIMIT_BYTES]
    assert told["body of a connection"] == [connections.LIMIT_BYTES]
    assert told["fields of a form"] == [bodies.MOST_FIELDS, bodies.FIELD_BYTES]
    assert told["name of a file"] == [LONGEST_NAME]
    assert told["elements of a page"] == [paging.MOST_LIMIT, paging.DEFAULT_LIMIT]
    shown = told["columns and groups of errors that a job shows"]
    assert shown == [job_document.SHOWN_COLUMNS] == [job_document.SHOWN_GROUPS]
    assert Settings.model_fields["upload_limit_bytes"].default == 2**30


def test_every_answer_that_is_described_has_an_example_of_its_form(openapi):
    for name, operation in operations(openapi).items():
        for status, answer in operation["responses"].items():
            for media_type, content in answer.get("content", {}).items():
                has = content.keys() & {"example", "examples"} or content["schema"].get("format") == "binary"
                assert has, (name, status, media_type)
    TypeAdapter(job_resources.JobResource).validate_python(JOB_EXAMPLE, strict=False)
