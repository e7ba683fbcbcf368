import re

import pytest

from schemas.connection import ConnectionDocument
from store.database import Store
from tasks.connection_keeping import keep_connection
from tests.tasks import scripted_vendor

HOSTILE = "<script>alert(1)</script>\u202e"
FILE = b"Id,Name,Amount\n1,Ada,3\n2,Bob,4\n3,Eve,5\n"


@pytest.fixture
def vendor(service, tenant):
    """A vendor that the test's tenant may send records to."""
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        document = ConnectionDocument(
            name="box", connector=scripted_vendor.NAME, url=vendor.url, tenants=(tenant,)
        )
        with Store.opened(service.settings) as store, store.write() as session:
            keep_connection(service.settings, session, "local", document)
        yield vendor


@pytest.fixture
def delivered(define, visit):
    """Imports a file into the vendor, whose container is so; gives the page of the job."""

    def deliver(**container):
        define(destination={"connection": "box", "box": "b1", **container})
        person = visit()
        return person.get(f"/ui/jobs/{person.imported('march.csv', FILE)}")

    return deliver


def links_away(page):
    return re.findall(r'href="((?!/ui|#)[^"]*)"', page.html)


def test_the_page_of_a_job_says_what_the_vendor_counted_and_leads_to_its_page(vendor, delivered):
    vendor.told = lambda _: {
        "refused": [{"row": 3, "field": "Name", "message": "no such name"}],
        "counts": {"created": 2, "failed": 1},
    }
    page = delivered()
    assert "Finished: 3 rows, 2 created, 1 failed." in page.text
    assert "The vendor counts 2 created, 1 failed." in page.text
    assert links_away(page) == [f"{vendor.url}/see/1"]


def test_whatever_a_vendor_says_is_words_and_no_markup(vendor, delivered):
    vendor.told = lambda _: {
        "refused": [
            {"row": 3, "field": "Name", "message": f"no {HOSTILE}"},
            {"row": None, "field": HOSTILE, "message": HOSTILE},
        ],
        "counts": {"created": 2, HOSTILE: 1},
        "link": f'https://vendor.example/"{HOSTILE}',
    }
    page = delivered()
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    for shown in ("no <script>alert(1)</script>[U+202E]", "2 created, 1 <script>alert(1)</script>[U+202E]"):
        assert shown in page.text
    assert links_away(page) == [f"{vendor.url}/see/1"]


@pytest.mark.usefixtures("vendor")
@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)//https://vendor.example",
        "data:text/html,<script>alert(1)</script>",
        "//vendor.example/1",
        " https://vendor.example/1",
        'https://vendor.example/1" onclick="alert(1)',
        "https://vendor.example/\u202e1",
    ],
)
def test_what_is_no_address_of_a_page_is_no_link(delivered, link):
    page = delivered(link=link)
    assert "Finished: 3 rows, 3 created." in page.text
    assert links_away(page) == []
    assert "at the vendor" not in page.text


@pytest.mark.usefixtures("vendor")
def test_an_address_of_a_page_is_a_link_to_just_that(delivered):
    page = delivered(link="https://vendor.example/see?job=1&as='me'")
    assert links_away(page) == ["https://vendor.example/see?job=1&amp;as=&#39;me&#39;"]
