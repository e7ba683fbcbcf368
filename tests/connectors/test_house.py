from io import BytesIO
from uuid import UUID

import pytest

from api.context import Context
from api.faces.house import House
from api.health_check import HealthCheck
from api.keys import KnownKeys
from connectors.face import Submission
from schemas.errors import BusyError, NotAllowedError, NotFoundError
from schemas.job import JobState
from schemas.principal import Principal, Scope
from schemas.signing import signer_of
from store.database import Store

ACME = Principal("k1", "acme", frozenset({Scope.IMPORTS_CREATE, Scope.IMPORTS_READ}))
OTHER = Principal("k2", "globex", ACME.scopes)
CSV = b"Id,Name,Amount\na,Ann,1\nb,Bob,2\nc,Cyd,x\n"


@pytest.fixture
def house(service):
    with Store.opened(service.settings) as store:
        health = HealthCheck(service.settings, store)
        context = Context(service.settings, store, signer_of(service.settings), KnownKeys(), health)
        yield House(lambda: context)


@pytest.fixture
def submit(house, apply):
    apply(faces={"teamtracks": {"track_id": "T1"}, "learningbuilder": {"import_process_id": 7}})

    def with_(content: bytes = CSV, **changes):
        submission = {"definition": "things", "file_name": "a.csv", "creation_path": "TEST", **changes}
        return house.submit(ACME, Submission(file=BytesIO(content), **submission))

    return with_


@pytest.mark.usefixtures("submit")
def test_a_definition_is_found_by_the_address_of_a_face_whatever_type_it_has_on_the_wire(house):
    assert house.definition_at(ACME, "teamtracks", {"track_id": "T1"}) == "things"
    assert house.definition_at(ACME, "learningbuilder", {"import_process_id": "7"}) == "things"
    with pytest.raises(NotFoundError):
        house.definition_at(ACME, "teamtracks", {"track_id": "T2"})
    with pytest.raises(NotFoundError):
        house.definition_at(OTHER, "teamtracks", {"track_id": "T1"})


@pytest.mark.usefixtures("submit")
def test_a_key_for_other_definitions_is_not_allowed_at_the_address(house):
    limited = Principal("k3", "acme", ACME.scopes, frozenset({"others"}))
    with pytest.raises(NotAllowedError):
        house.definition_at(limited, "teamtracks", {"track_id": "T1"})


def test_a_job_is_seen_by_its_tenant_alone_and_tells_what_became_of_its_rows(house, submit, finish):
    job_id = submit()
    assert house.job(ACME, job_id).state is JobState.RECEIVED
    finish()
    view = house.job(ACME, job_id)
    assert (view.state, view.counts.created, view.counts.failed) == (JobState.FINISHED, 2, 1)
    assert house.failed_to_update(ACME, job_id) == 0
    assert [error.row for error in house.errors(ACME, job_id)] == [4]
    assert house.headers(ACME, job_id) == {"A": "Id", "B": "Name", "C": "Amount"}
    asked = (
        house.job,
        house.failed_to_update,
        lambda *a: list(house.errors(*a)),
        lambda *a: list(house.created_ids(*a)),
    )
    for ask in asked:
        with pytest.raises(NotFoundError):
            ask(OTHER, job_id)


def test_a_failed_row_of_a_record_that_is_there_failed_to_update(house, submit, finish):
    submit()
    finish()
    job_id = submit(b"Id,Name,Amount\na,Ann,x\nd,Dan,y\n,Eve,1\n")
    finish()
    assert (house.job(ACME, job_id).counts.failed, house.failed_to_update(ACME, job_id)) == (3, 1)


def test_who_takes_a_long_list_slowly_holds_nothing_of_the_store(house, submit, finish):
    lines = [f"{n},Ann,{'x' if n % 2 else n}\n" for n in range(12_000)]
    job_id = submit(("Id,Name,Amount\n" + "".join(lines)).encode())
    finish()
    taking = [house.errors(ACME, job_id), house.created_ids(ACME, job_id)]
    begun = [[next(items)] for items in taking]
    held = house._context().store._backend.reader.pool.checkedout()
    errors, ids = (first + list(rest) for first, rest in zip(begun, taking, strict=True))
    assert held == 0
    assert [error.row for error in errors] == list(range(3, 12_003, 2))
    assert len(set(ids)) == len(ids) == 6_000


def test_a_record_keeps_its_id_through_every_job(house, submit, finish):
    first = submit()
    finish()
    ids = list(house.created_ids(ACME, first))
    assert len(set(ids)) == 2
    assert all(isinstance(found, UUID) for found in ids)
    again = house.submit_again(ACME, first, "TEST")
    finish()
    assert list(house.created_ids(ACME, again)) == []
    assert house.job(ACME, again).counts.unchanged == 2
    assert house.job(ACME, again).source_job_id == first


def test_an_exclusive_import_is_refused_while_another_is_not_terminal(submit, finish):
    first = submit(is_exclusive=True)
    with pytest.raises(BusyError) as caught:
        submit(is_exclusive=True)
    assert caught.value.job_id == first
    finish()
    submit(is_exclusive=True)


def test_numbers_of_jobs_are_theirs_for_good_and_the_tenants_alone(house, submit):
    jobs = [submit(), submit()]
    numbers = house.numbers(jobs)
    assert house.numbers(jobs[::-1]) == numbers
    assert house.numbered(ACME, numbers[jobs[0]]).job_id == jobs[0]
    with pytest.raises(NotFoundError):
        house.numbered(OTHER, numbers[jobs[0]])


@pytest.mark.usefixtures("submit")
def test_templates_have_the_headers_of_the_definition(house):
    assert house.template(ACME, "things", "csv") == b"Id,Name,Amount\r\n"
    assert house.template(ACME, "things", "xlsx").startswith(b"PK")
