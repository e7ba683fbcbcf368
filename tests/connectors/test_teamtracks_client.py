"""The client of TeamTracks: against our own face, and where the vendor has ways of its own."""

import pytest

from connectors import known_connectors
from connectors.client import Refused
from connectors.teamtracks.client import look_of
from connectors.teamtracks.wire import JobAnswer
from schemas.errors import FatalError, OutcomeUnknownError
from tests.connectors.driving import Driver, write_part
from tests.connectors.scripted.vendor import Fault, scripted
from tests.connectors.scripted.ways import WAYS
from tests.connectors.test_teamtracks_wire import FINISHED, RUNNING

WAY = WAYS["teamtracks"]
CONNECTOR = known_connectors()["teamtracks"]
HEADER = ["Id", "Name", "Amount"]
ROWS = [("a", "A", "1"), ("b", "B, quoted", "-2"), ("c", "", "3")]


def driver_at(url, **changes):
    return Driver(CONNECTOR, url, WAY.container, **({"secrets": WAY.secrets, "options": WAY.options} | changes))


@pytest.mark.parametrize("file_kind", ["csv", "xlsx"])
def test_our_own_face_takes_the_file_and_tells_the_row_that_failed(service, apply, finish, tmp_path, file_kind):
    apply("acme", faces={"teamtracks": {"track_id": "7d1c"}})
    key = service.key("acme")
    secrets = {"subscription_key": key.subscription_key, "token": key.token}
    options = {"tenant": "acme", "file_kind": file_kind}
    driver = driver_at(f"{service.url}/teamtracks", secrets=secrets, options=options)
    part = write_part(tmp_path, file_kind, HEADER, ROWS)
    with driver.client() as client:
        assert client.file_kind == file_kind
        handle = client.submit(part, client.prepare(part, {}, driver.keep))
        assert not client.look(handle).done
        finish()
        look = client.look(handle)
    assert (look.done, look.failed) == (True, None)
    assert look.counts == {"created": 2, "updated": 0, "unchanged": 0, "failed": 1, "total": 3}
    assert look.refused == (Refused(3, "amount", "less than the minimum 0"),)


def test_a_file_that_our_face_could_not_import_at_all_is_given_up(service, apply, finish, tmp_path):
    apply("acme", faces={"teamtracks": {"track_id": "7d1c"}})
    key = service.key("acme")
    secrets = {"subscription_key": key.subscription_key, "token": key.token}
    driver = driver_at(f"{service.url}/teamtracks", secrets=secrets, options={"tenant": "acme"})
    part = write_part(tmp_path, "csv", ["Other", "Name", "Amount"], ROWS)
    with driver.client() as client:
        handle = client.submit(part, {})
        finish()
        look = client.look(handle)
    assert (look.done, look.counts["total"]) == (True, 0)
    assert "Id" in look.failed


def test_our_face_gives_a_token_for_the_password_and_it_is_kept(service, apply, tmp_path):
    apply("acme", faces={"teamtracks": {"track_id": "7d1c"}})
    key = service.key("acme")
    secrets = {"subscription_key": key.subscription_key, "password": key.token}
    options = {"tenant": "acme", "client_id": key.key_id, "email": "api@acme.example"}
    driver = driver_at(f"{service.url}/teamtracks", secrets=secrets, options=options)
    with driver.client() as client:
        assert client.submit(write_part(tmp_path, "csv", HEADER, ROWS), {})["job_id"]
    assert driver.kept == {"token": key.token}


def test_an_older_status_path_is_found_once_and_kept_to(tmp_path):
    with scripted(WAY.script(looks=4, has_new_path=False)) as vendor:
        driver = driver_at(vendor.url)
        part = write_part(tmp_path, "csv", HEADER, ROWS)
        with driver.client() as client:
            handle = client.submit(part, {})
            looks = [client.look(handle) for _ in range(4)]
    assert [look.done for look in looks] == [False, False, False, True]
    assert [asked.path.split("/")[2] == "objectimport" for asked in vendor.asked if asked.call == "look"] == [
        True,
        *[False] * 4,
    ]


def test_a_job_that_neither_path_knows_is_an_error():
    with (
        scripted(WAY.script()) as vendor,
        driver_at(vendor.url).client() as client,
        pytest.raises(FatalError, match="404"),
    ):
        client.look({"job_id": "none/of ours"})
    assert [asked.path for asked in vendor.asked] == [
        "/job/objectimport/none%2Fof%20ours",
        "/job/none%2Fof%20ours",
    ]


def test_a_token_that_runs_out_in_the_middle_is_fetched_anew_and_kept(tmp_path):
    options, secrets = WAY.renewing
    with scripted(WAY.script(looks=4, token_looks=2)) as vendor:
        driver = driver_at(vendor.url, options=options, secrets=secrets)
        end = driver.deliver(write_part(tmp_path, "csv", HEADER, ROWS))
    assert (end.how, end.look.counts["created"]) == ("done", 3)
    assert vendor.count("token") == 2
    assert (vendor.count("submit"), vendor.script.taken) == (1, [ROWS])
    assert driver.kept == {"token": vendor.script.token}


def test_a_token_that_cannot_be_fetched_anew_ends_it(tmp_path):
    with scripted(WAY.script(looks=4, token_looks=2)) as vendor:
        end = driver_at(vendor.url).deliver(write_part(tmp_path, "csv", HEADER, ROWS))
    assert (end.how, vendor.count("submit")) == ("failed", 1)
    assert "set the secrets of the connection anew" in str(end.error)


def test_a_file_whose_answer_was_lost_is_not_sent_again(tmp_path):
    with scripted(WAY.script(), {"submit": [Fault.CUT]}) as vendor:
        end = driver_at(vendor.url).deliver(write_part(tmp_path, "csv", HEADER, ROWS))
    assert (end.how, type(end.error), vendor.count("submit")) == ("lost", OutcomeUnknownError, 1)


def test_a_kind_of_file_that_is_none_is_refused():
    with (
        pytest.raises(FatalError, match="the option file_kind of the connection to http://h: "),
        driver_at("http://h", options=WAY.options | {"file_kind": "pdf"}).client(),
    ):
        pass


def test_the_documents_samples_are_told_in_our_words():
    assert look_of(JobAnswer.decode(RUNNING)).done is False
    look = look_of(JobAnswer.decode(FINISHED))
    assert (look.done, look.failed, look.refused) == (True, None, ())
    answer = JobAnswer.decode(FINISHED)
    assert look.counts["created"] == answer.successfully_created > 0
    assert look.counts["total"] == sum(look.counts.values()) - look.counts["total"]


@pytest.mark.parametrize(
    ("entry", "refused"),
    [
        ('"row 3 is wrong"', Refused(None, None, "row 3 is wrong")),
        ('{"row": 3, "field": "Name", "message": "wrong"}', Refused(3, "Name", "wrong")),
        ('{"message": "wrong"}', Refused(None, None, "wrong")),
        ('{"code": 7, "text": "wrong"}', Refused(None, None, '{"code": 7, "text": "wrong"}')),
    ],
)
def test_errors_are_understood_in_whatever_shape_they_come(entry, refused):
    body = f'{{"finished": true, "failedToCreate": 1, "objectsCreated": [], "errors": [{entry}]}}'
    look = look_of(JobAnswer.decode(body.encode()))
    assert (look.refused, look.counts["failed"], look.failed) == ((refused,), 1, None)
