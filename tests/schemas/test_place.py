"""A place: how its URL is read, which keys it knows, and that no secret stands in it."""

import pytest
from pydantic import ValidationError

from schemas.place import Address, Place


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("/srv/out/a.csv", Address("file", "", None, None, "/srv/out/a.csv")),
        ("in/*.csv", Address("file", "", None, None, "in/*.csv")),
        ("file:///srv/a#1?.csv", Address("file", "", None, None, "/srv/a#1?.csv")),
        ("FTP://h/a b.csv", Address("ftp", "h", None, None, "/a b.csv")),
        ("sftp://me@host.example:2222/out/*.csv", Address("sftp", "host.example", "me", 2222, "/out/*.csv")),
        ("ftp://[::1]:21/a", Address("ftp", "::1", None, 21, "/a")),
        ("s3://bucket/a/[0-9].csv", Address("s3", "bucket", None, None, "/a/[0-9].csv")),
    ],
)
def test_a_url_is_read_as_it_stands_with_its_stars_and_marks(url, address):
    assert Place(url=url).address == address


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({"url": "ftp://u:geheim@h/x"}, "the URL has a password in it"),
        ({"url": "gopher://h/x"}, "no places of the kind gopher://; known are a path, file://, ftp://, s3://"),
        ({"url": "https://h/x"}, "no places of the kind https://"),
        ({"url": "memory://x"}, "none of the form memory://host/folder/name"),
        ({"url": "ftps://h/x"}, "options: {tls: true}"),
        ({"url": "file://srv/x"}, "with three slashes"),
        ({"url": "sftp://host"}, "none of the form sftp://host/folder/name"),
        ({"url": "ftp://a@b@c/x"}, "none of the form"),
        ({"url": "/srv/../etc/x"}, "'..'"),
        ({"url": "/srv/x\0.csv"}, "has a NUL in it"),
        ({"url": "ftp://h/x", "options": {"password": "geheim"}}, "'password' is a secret"),
        ({"url": "ftp://h/x", "options": {"passive": True}}, "no option 'passive'; known: encoding, tls"),
        ({"url": "ftp://h/x", "options": {"tls": "no"}}, "the option 'tls' is true or false"),
        ({"url": "/srv/x", "secrets": {"password": "env:P"}}, "no secret 'password'; known: none"),
        ({"url": "s3://b/x", "options": {"key": "k"}, "secrets": {"key": "env:K"}}, "and among the secrets"),
        (
            {"url": "s3://b/x", "secrets": {"secret": "env:geheim-er"}},
            "'secret' is no reference such as env:NAME",
        ),
        ({"url": "s3://b/x", "secrets": {"secret": "geheim\n"}}, "secrets.secret"),
    ],
)
def test_what_no_place_can_be_is_refused_with_what_would_be_right(document, says):
    with pytest.raises(ValidationError) as caught:
        Place.model_validate(document)
    assert says in str(caught.value)
    assert "geheim" not in str(caught.value)


def test_a_kind_of_place_may_take_more_schemes_than_others():
    class Anywhere(Place):
        other_schemes = frozenset({"https"})

    assert Anywhere(url="https://host/x.csv").address.scheme == "https"
    with pytest.raises(ValidationError, match="https:// has no option 'tls'"):
        Anywhere(url="https://host/x.csv", options={"tls": True})
