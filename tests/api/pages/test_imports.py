from datetime import timedelta

from api.pages import imports
from schemas.clock import utc_now
from schemas.principal import Scope
from store.leases import this_process


def test_the_list_says_of_each_import_what_became_of_it_and_who_brought_it(person):
    person.imported("march.csv")
    page = person.get("/ui")
    for words in ("march.csv", "things · upsert · UI", "finished", "1 created, 2 failed", person.key.key_id):
        assert words in page.text
    assert '<rect class="failed"' in page.html


def test_an_import_of_the_command_line_is_the_operators(person, change):
    job_id = person.imported("march.csv")
    change(job_id, key_id=None, creation_path="CLI")
    assert "By: operator" not in person.get("/ui").text
    assert "things · upsert · CLI" in person.get("/ui").text
    assert ">operator</td>" in person.get("/ui").html


def test_jobs_that_wait_or_were_interrupted_or_are_to_end_say_so(person, change):
    job_id = person.upload("march.csv", b"Id\n1\n").path.rpartition("/")[2]
    assert "waiting for a worker" in person.get("/ui").text
    other = person.upload("april.csv", b"Id\n2\n").path.rpartition("/")[2]
    assert "for an earlier import into the same table" in person.get("/ui?file=april").text
    change(job_id, lease_epoch=1, state="validating")
    assert "interrupted until a worker goes on with it" in person.get("/ui?file=march").text
    soon = utc_now() + timedelta(minutes=1)
    change(job_id, lease_owner=this_process(), lease_expires_at=soon)
    assert "validating" in person.get(f"/ui/jobs/{job_id}").text
    assert "interrupted" not in person.get("/ui").text
    change(other, cancel_requested_at=utc_now())
    assert "cancelling" in person.get("/ui?file=april").text


def test_imports_are_found_by_file_definition_state_and_creation_path(person, define, change):
    define(name="others", destination={"table": "others"})
    march = person.imported("march.csv")
    april = person.imported("April.csv", b"nothing\n")
    person.imported("may.csv", definition="others")
    change(march, creation_path="IMPORT_QUEUE_API:LH")

    def found(**query):
        page = person.get("/ui", **query)
        return [name for name in ("march.csv", "April.csv", "may.csv") if name in page.text]

    assert found() == ["march.csv", "April.csv", "may.csv"]
    assert found(file="apr") == ["April.csv"]
    assert found(definition="others") == ["may.csv"]
    assert found(state="invalid") == ["April.csv"]
    assert found(creation_path="lh") == ["march.csv"]
    assert found(file="march", state="invalid") == []
    assert "No import is like that" in person.get("/ui?file=nowhere").text
    assert april not in person.get("/ui?state=finished").html


def test_a_search_keeps_what_was_asked_for(person):
    page = person.get("/ui", file='a "b" <c>', creation_path="LH", state="failed", definition="things")
    assert 'value="a &#34;b&#34; &lt;c&gt;"' in page.html
    assert 'value="LH"' in page.html
    assert '<option value="failed" selected>' in page.html
    assert '<option value="things" selected>' in page.html


def test_a_state_that_does_not_exist_is_refused_as_a_page(person):
    page = person.get("/ui?state=lost")
    assert (page.status, page.text.count("can't be meant")) == (422, 1)


def test_older_imports_are_on_further_pages_each_once(person, monkeypatch):
    monkeypatch.setattr(imports, "PAGE_JOBS", 2)
    names = [f"file-{number}.csv" for number in range(5)]
    for name in names:
        person.upload(name, f"Id\n{name}\n".encode())
    seen, path = [], "/ui?file=file-"
    while path:
        page = person.get(path)
        seen.append([name for name in names if name in page.text])
        after = page.html.partition('rel="next" href="')[2].partition('"')[0]
        path = after.replace("&amp;", "&")
    assert [sorted(found) for found in seen] == [names[3:], names[1:3], names[:1]]
    assert "Newest" in page.text


def test_a_cursor_that_was_not_made_here_is_refused(person):
    page = person.get("/ui?before=forged")
    assert (page.status, "no such page of this list" in page.text) == (404, True)


def test_the_page_loads_itself_anew_without_javascript_while_something_moves(person):
    assert "http-equiv" not in person.get("/ui").html
    person.upload("march.csv", b"Id\n1\n")
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in person.get("/ui").html


def test_whoever_is_of_another_tenant_or_may_use_another_definition_sees_none_of_it(person, visit, define):
    person.imported("march.csv")
    define("zeta")
    assert "march.csv" not in visit(whose="zeta").get("/ui").text
    limited = visit(definitions=["others"])
    page = limited.get("/ui")
    assert "march.csv" not in page.text
    assert ">things<" not in page.html


def test_a_key_is_led_to_what_it_may_do(visit, define):
    define()
    bringer = visit(Scope.IMPORTS_CREATE)
    page = bringer.get("/ui")
    assert page.path == "/ui/upload"
    assert 'href="/ui">Imports' not in page.html
    reader = visit(Scope.IMPORTS_READ)
    assert "Upload" not in reader.get("/ui").text
    refused = reader.get("/ui/upload")
    assert (refused.status, "lacks the scope imports:create" in refused.text) == (403, True)
    assert visit(Scope.DEFINITIONS_WRITE).get("/ui").path == "/ui/definitions"
