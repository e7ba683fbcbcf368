from hypothesis import given, strategies as st

from schemas.chunk import LETTERS, Page
from schemas.row_error import RowError
from store.pages import clear_errors, list_errors, list_pages, put_errors, put_page

ERRORS = st.builds(
    RowError,
    code=st.text(max_size=10),
    message=st.text(max_size=20),
    ordinal=st.integers(0, 5000),
    row=st.none() | st.integers(1),
    value=st.none() | st.text(max_size=20),
)
ROWS = st.tuples(st.sampled_from(sorted(LETTERS)), st.integers(1), st.none() | st.text())


def page_of(rows, errors):
    letters, numbers, ids = zip(*rows, strict=True)
    return Page(7, "".join(letters), numbers, ids, tuple(errors))


PAGES = st.builds(page_of, st.lists(ROWS, min_size=1, max_size=50), st.lists(ERRORS, max_size=3))


@given(PAGES)
def test_a_page_is_read_back_as_it_was_written(page):
    assert Page.from_bytes(page.chunk, page.to_bytes()) == page


@given(PAGES)
def test_the_counts_of_a_page_account_for_each_of_its_rows(page):
    assert page.counts.rows == len(page.letters)


def test_pages_come_back_in_order_and_a_second_copy_changes_nothing(store, new_job):
    job_id = new_job()
    pages = [Page(chunk, "CU", (2, 3), ('["a"]', '["b"]')) for chunk in (2, 0, 1, 1)]
    with store.write() as session:
        for page in pages:
            put_page(session, job_id, page)
    with store.read() as session:
        assert [page.chunk for page in list_pages(session, job_id)] == [0, 1, 2]


def test_errors_come_back_in_the_order_of_the_file_whoever_found_them(store, new_job):
    job_id = new_job()
    with store.write() as session:
        put_errors(session, job_id, "import", [RowError("d", "m", 1500)])
        assert put_errors(session, job_id, "validate", [RowError("b", "m", 1500), RowError("a", "m", 3)]) == 2
        put_errors(session, job_id, "duplicates", [RowError("c", "m", 1500), RowError("f", "m")])
    with store.read() as session:
        assert [error.code for error in list_errors(session, job_id)] == ["f", "a", "b", "c", "d"]


def test_a_stage_that_runs_again_replaces_what_it_said(store, new_job):
    job_id = new_job()
    with store.write() as session:
        put_errors(session, job_id, "validate", [RowError("a", "m", 1), RowError("b", "m", 2)])
        put_errors(session, job_id, "validate", [RowError("c", "m", 1)])
        assert [error.code for error in list_errors(session, job_id)] == ["c"]
        clear_errors(session, job_id)
        assert list(list_errors(session, job_id)) == []
