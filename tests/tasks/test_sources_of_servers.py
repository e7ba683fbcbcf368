"""Files of FTP, SFTP and S3 servers are fetched with what the definition says of the place."""

import pytest

from destinations.places import opened_place
from schemas.errors import FatalError
from schemas.import_request import ImportRequest
from schemas.place import Place
from store.database import Store
from store.definitions import put_definition
from store.uploads import get_upload
from tasks.bringing import bring
from tasks.sources import list_files

SERVERS = ("ftp", "sftp", pytest.param("s3", marks=pytest.mark.slow))


@pytest.fixture
def server(request):
    return request.getfixturevalue(f"{request.param}_files")


def put(server, path, content, tmp_path):
    (tmp_path / "source").write_text(content)
    place = Place.model_validate(server.place(path))
    with opened_place(place) as opened:
        opened.put(tmp_path / "source", place.address.path, "job")


@pytest.mark.parametrize("server", SERVERS, indirect=True)
def test_each_file_of_a_pattern_is_fetched_once_and_again_when_it_changed(
    lading, make_definition, server, tmp_path
):
    for name in ("b", "a"):
        put(server, f"orders/{name}.csv", f"Id,Name\n{name},A\n", tmp_path)
    source = server.place("orders/*.csv")
    with Store.opened(lading.settings) as store, store.write() as session:
        put_definition(session, "local", make_definition(source=source))
    wanted = ImportRequest(None, "things", only_changed=True)
    urls = list_files.fn(lading.settings, wanted).sources
    assert urls == tuple(server.place(f"orders/{name}.csv")["url"] for name in ("a", "b"))
    for url in urls:
        taken = bring(lading.settings, ImportRequest(url, "things", only_changed=True))
        lading.finish(taken.job_id)
        with Store.opened(lading.settings) as store, store.read() as session:
            assert get_upload(session, lading.job(taken.job_id).upload_id).file_name == url.rpartition("/")[2]
        assert bring(lading.settings, ImportRequest(url, "things", only_changed=True)).skipped is not None
    assert list_files.fn(lading.settings, wanted).unchanged == 2
    put(server, "orders/b.csv", "Id,Name\nb,another\n", tmp_path)
    assert list_files.fn(lading.settings, wanted).sources == (urls[1],)
    small = lading.settings.model_copy(update={"upload_limit_bytes": 5})
    with pytest.raises(FatalError, match="more than the 5 bytes of LADING_UPLOAD_LIMIT_BYTES"):
        bring(small, ImportRequest(urls[1], "things"))
    assert lading.table().rows() == [("a", "A", None), ("b", "A", None)]
