import pytest

from schemas.definition import Mode
from schemas.job import JobKind
from schemas.principal import Scope
from schemas.settings import Settings
from store.database import Store
from store.definitions import put_definition
from store.jobs import get_job
from store.uploads import get_upload
from tests.api.conftest import running
from tests.api.pages.conftest import Person


def job_of(service, page):
    with Store.opened(service.settings) as store, store.read() as session:
        job = get_job(session, page.path.rpartition("/")[2])
        return job, get_upload(session, job.upload_id)


def test_a_file_is_uploaded_and_its_jobs_page_shown(person, service, tenant):
    page = person.upload("march.csv", b"Id\n1\n", mode="insert", validate_only="true")
    assert (page.status, "march.csv" in page.text, "waiting for a worker" in page.text.lower()) == (
        200,
        True,
        True,
    )
    job, upload = job_of(service, page)
    assert (job.tenant, job.key_id, job.creation_path, job.is_queued) == (tenant, person.key.key_id, "UI", True)
    assert (job.mode, job.kind, upload.file_name) == (Mode.INSERT, JobKind.VALIDATE, "march.csv")
    assert service.settings.upload_path(upload.sha256).read_bytes() == b"Id\n1\n"


def test_the_same_file_uploaded_again_is_another_job(person):
    assert person.upload("march.csv", b"Id\n1\n").path != person.upload("march.csv", b"Id\n1\n").path


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"definition": ""}, 422, "choose a definition"),
        ({"definition": "nowhere"}, 404, "there is no definition named 'nowhere'"),
        ({"mode": "upsort"}, 422, "there is no mode 'upsort'"),
        ({"csrf": "forged"}, 403, "the form is not one of this session"),
    ],
)
def test_a_refused_upload_says_why_and_keeps_what_was_chosen(person, define, fields, status, said):
    define(name="others", destination={"table": "others"})
    page = person.upload("march.csv", b"Id\n1\n", **{"mode": "sync", "validate_only": "true", **fields})
    assert (page.status, page.path) == (status, "/ui/upload")
    assert f"Not taken: {said}" in page.text
    if "definition" not in fields:
        assert '<option value="things" selected>' in page.html
    if "mode" not in fields:
        assert 'name="mode" value="sync" checked' in page.html
    assert 'name="validate_only" value="true" checked' in page.html
    assert "march.csv" not in person.get("/ui").text


def test_an_upload_without_a_file_is_refused(person):
    token = person.get("/ui/upload").fields["csrf"]
    fields = {"csrf": token, "definition": "things", "mode": ""}
    answer = person.http.post("/ui/upload", data=fields, files={"file": ("", b"")})
    assert (answer.status_code, "choose a file" in answer.text) == (422, True)
    assert person.http.post("/ui/upload", data=fields).status_code == 415


def test_a_mode_that_the_definition_can_not_have_is_refused(person, define):
    define(name="keyless", key=[], mode="insert", destination={"table": "keyless"})
    page = person.upload("march.csv", b"Id\n1\n", "keyless", mode="upsert")
    assert (page.status, "needs a &#39;key&#39;" in page.html) == (422, True)


def test_a_file_that_is_too_large_is_refused_and_leaves_nothing_behind(settings, make_definition):
    small = Settings(home=settings.home, upload_limit_bytes=20_000)
    with running(small) as service:
        with Store.opened(small) as store, store.write() as session:
            put_definition(session, "acme", make_definition())
        person = Person(service, service.key("acme"))
        assert 'data-limit="20000"' in person.get("/ui/upload").html
        page = person.upload("large.csv", b"x" * 30_000)
        person.http.close()
    assert (page.status, "Not taken: the body has more than the 20,000 bytes" in page.text) == (413, True)
    assert list(small.uploads_path.rglob("*")) == []


def test_the_form_offers_what_the_key_may_use_and_says_what_each_mode_does(person, visit, define):
    define(name="others", destination={"table": "others"})
    page = person.get("/ui/upload?definition=others")
    assert '<option value="others" selected>' in page.html
    assert "sync like upsert, and delete at last what the file lacks" in page.text
    limited = visit(definitions=["others"])
    assert 'value="things"' not in limited.get("/ui/upload").html
    assert limited.upload("march.csv", b"Id\n1\n", "things").status in {403, 404}


def test_without_a_definition_there_is_nothing_to_upload(visit):
    limited = visit(definitions=["nothing"])
    assert "There is no definition yet" in limited.get("/ui/upload").text


def test_a_key_that_may_not_bring_files_is_refused(visit):
    reader = visit(Scope.IMPORTS_READ)
    answer = reader.http.post(
        "/ui/upload", data={"definition": "things"}, files={"file": ("a.csv", b"Id\n1\n")}
    )
    assert (answer.status_code, "imports:create" in answer.text) == (403, True)
