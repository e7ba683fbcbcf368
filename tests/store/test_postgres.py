"""What is true of the store only where it is a PostgreSQL database."""

import logging
import threading

import pytest
from pydantic import SecretStr, ValidationError
from sqlalchemy import make_url

from schemas.chunk import Page
from schemas.clock import utc_now
from schemas.errors import FatalError, StoreBusyError
from schemas.settings import Settings
from store.database import Store
from store.jobs import check_epoch, get_job
from store.leases import lease_clock, take_lease
from store.pages import list_pages, put_page
from store.postgres import postgres_backend

pytestmark = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
SECRET = "tell-nobody"


@pytest.fixture
def query(settings):
    """Runs SQL as anybody else would, in a transaction of its own; gives the rows."""

    def run(sql):
        with Store.opened(settings) as other, other.write() as session:
            result = session.connection().exec_driver_sql(sql)
            return result.all() if result.returns_rows else []

    return run


@pytest.mark.parametrize("url", ["postgresql://me:{}@host/db", "postgresql://me@host/db?password={}"])
def test_a_password_in_the_url_is_refused_and_not_repeated(settings, url):
    del settings
    with pytest.raises(ValidationError, match="LADING_STORE_PASSWORD") as refused:
        Settings(store_url=url.format(SECRET))
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"), [("mysql://me@host/db", "begins with mysql://"), ("my database", "no URL of a database")]
)
def test_a_url_of_something_else_is_refused(settings, url, said):
    with pytest.raises(FatalError, match=said):
        Store.open(settings.model_copy(update={"store_url": url}))


@pytest.mark.parametrize("change", [{"database": "lading_missing"}, {"username": "lading_nobody"}])
def test_who_is_not_let_in_is_told_where_and_not_the_password(settings, caplog, change):
    caplog.set_level(logging.DEBUG)
    url = make_url(settings.store_url).set(**change).render_as_string()
    wrong = Settings(home=settings.home, store_url=url, store_password=SECRET)
    # A server that asks for passwords says no more than that this one is wrong.
    with pytest.raises(FatalError, match=r"can't be opened: .*(does not exist|password)") as refused:
        Store.open(wrong)
    assert f"{url} can't" in str(refused.value)
    assert SECRET not in str(refused.value) + caplog.text + repr(wrong)


def test_the_password_is_that_of_the_settings_and_is_not_part_of_the_name(settings):
    backend = postgres_backend(settings.model_copy(update={"store_password": SecretStr(SECRET)}))
    assert backend.reader.url.password == SECRET
    assert SECRET not in backend.place + repr(backend)


def test_a_server_that_does_not_answer_may_do_so_later(settings):
    nobody = Settings(home=settings.home, store_url="postgresql://me@127.0.0.1:1/db")
    with pytest.raises(StoreBusyError, match=r"does not answer: .*refused"):
        Store.open(nobody)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("nonsense", "1", "nonsense"),
        ("options", "-csearch_path=nowhere", "can't be used: no schema"),
    ],
)
def test_what_only_a_person_can_change_is_told_as_such(settings, option, value, said):
    url = make_url(settings.store_url).update_query_dict({option: value}).render_as_string()
    with pytest.raises(FatalError, match=said):
        Store.open(settings.model_copy(update={"store_url": url}))


def test_a_store_that_only_reads_after_a_failover_may_write_later(settings):
    options = {"options": "-cdefault_transaction_read_only=on"}
    url = make_url(settings.store_url).update_query_dict(options).render_as_string()
    with pytest.raises(StoreBusyError, match=r"could not do it now: .* read-only transaction; try again"):
        Store.open(settings.model_copy(update={"store_url": url}))


def test_a_connection_that_was_cut_is_an_error_to_be_retried_and_the_next_one_works(store, query, new_job):
    job_id = new_job()
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )

    def write():
        with store.write() as session:
            check_epoch(session, job_id, 0)
            query(cut)
            put_page(session, job_id, Page(0, "C", (2,), ("a",)))

    with pytest.raises(StoreBusyError, match="try again"):
        write()
    with store.read() as session:
        assert list(list_pages(session, job_id)) == []


def test_a_worker_that_hangs_in_the_middle_of_a_write_does_not_hold_its_job(settings, new_job):
    job_id = new_job()
    hasty = settings.model_copy(update={"lease_seconds": 0.2})

    def hang():
        with Store.opened(hasty) as store, store.write() as session:
            check_epoch(session, job_id, 0)
            with Store.opened(settings) as other, other.write() as theirs:
                assert take_lease(theirs, job_id, 30) == 1  # waits until the server has ended the first
            put_page(session, job_id, Page(0, "C", (2,), ("a",)))

    with pytest.raises(StoreBusyError):
        hang()
    with Store.opened(settings) as store, store.read() as session:
        assert list(list_pages(session, job_id)) == []


def test_transactions_that_wait_for_each_other_end_with_an_error_to_be_retried(settings, new_job):
    jobs, met, ended = [new_job(), new_job("others")], threading.Barrier(2), []

    def lock(first, second):
        try:
            with Store.opened(settings) as store, store.write() as session:
                check_epoch(session, first, 0)
                met.wait()
                check_epoch(session, second, 0)
            ended.append("well")
        except StoreBusyError as error:
            ended.append("deadlock" if "deadlock" in str(error) else str(error))

    threads = [threading.Thread(target=lock, args=pair) for pair in (jobs, jobs[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended) == ["deadlock", "well"]


def test_a_reader_sees_one_moment_of_the_store(store, new_job):
    job_id = new_job()
    with store.read() as session:
        assert get_job(session, job_id).lease_epoch == 0
        with store.write() as other:
            take_lease(other, job_id, 30)
        session.expire_all()
        assert get_job(session, job_id).lease_epoch == 0


def test_leases_go_by_the_clock_of_the_server(store, new_job, monkeypatch):
    job_id = new_job()
    wrong = utc_now().replace(year=2001)
    monkeypatch.setattr("store.leases.utc_now", lambda: wrong)
    with store.write() as session:
        take_lease(session, job_id, 30)
        assert get_job(session, job_id).lease_expires_at > lease_clock(session) > wrong
