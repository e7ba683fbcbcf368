"""What the commands tell of a job whose records went to a vendor."""

import pytest

from schemas.connection import ConnectionDocument
from schemas.settings import Settings
from store.database import Store
from tasks.connection_keeping import keep_connection
from tests.tasks import scripted_vendor

DEFINITION = """name: things
key: [id]
fields:
  - {name: id, header: Id, required: true}
  - {name: name, header: Name}
destination: {connection: box, box: b1}
"""


@pytest.fixture
def vendor(folder):
    """The vendor `box`, for the definition of things."""
    with scripted_vendor.standing() as vendor, scripted_vendor.known():
        settings = Settings(home=folder / ".lading")
        document = ConnectionDocument(name="box", connector=scripted_vendor.NAME, url=vendor.url)
        with Store.opened(settings) as store, store.write() as session:
            keep_connection(settings, session, "local", document)
        (folder / "things.yaml").write_text(DEFINITION)
        (folder / "rows.csv").write_text("Id,Name\n1,a\n2,b\n,c\n")
        yield vendor


def test_the_jobs_and_each_of_them_say_what_the_vendor_counted_and_where_it_shows_the_import(lading, vendor):
    vendor.told = lambda rows: {"counts": {"total": len(rows), "failed_to_create": 1_000}}
    said = lading("import", "rows.csv", "-d", "things.yaml", "--json").json
    counts, link = {"total": 2, "failed_to_create": 1_000}, f"{vendor.url}/see/1"
    assert (said["unconfirmed"], said["vendor_counts"], said["vendor_link"]) == (2, counts, link)
    (listed,) = lading("jobs", "--json").json["jobs"]
    assert (listed["unconfirmed"], listed["failed"]) == (2, 1)
    assert (listed["vendor_counts"], listed["vendor_link"]) == (counts, link)
    assert lading("job", said["job_id"], "--json").json["vendor_link"] == link
    shown = lading("job", said["job_id"]).out.splitlines()
    assert [line.split(maxsplit=1)[1] for line in shown if line.startswith("vendor")] == [
        "counts 2 total, 1,000 failed to create",
        link,
    ]
    job, *of_vendor = lading("jobs").out.splitlines()
    assert job.endswith("rows.csv  0 created, 0 updated, 0 unchanged, 1 failed, 2 unconfirmed")
    assert [line.split(maxsplit=1) for line in of_vendor] == [
        ["vendor", "counts 2 total, 1,000 failed to create"],
        ["vendor", link],
    ]


def test_what_a_vendor_says_commands_no_terminal_and_leads_nowhere(lading, vendor):
    vendor.told = lambda _: {
        "refused": [{"row": 2, "field": "Name", "message": "\x1b]0;mine\x07 [red]no[/red]"}],
        "counts": {"\x1b[2J": 1},
        "link": "https://vendor.example/\x1b[2J",
    }
    job_id = lading("import", "rows.csv", "-d", "things.yaml", "--json").json["job_id"]
    shown = lading("jobs").out + lading("job", job_id).out
    assert "\x1b" not in shown
    assert r"\x1b]0;mine\x07 [red]no[/red]" in shown
    assert r"counts 1 \x1b[2J" in shown
    assert "vendor.example" not in shown
