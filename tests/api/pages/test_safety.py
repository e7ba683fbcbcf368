import re

import pytest

from api.pages.static import FOLDER
from api.pages.words import inert, size

HOSTILE = "<script>alert(1)</script>\u202efdp.csv"
"""A name that is markup, and that an override of direction shows as another one."""


def test_hostile_names_headers_and_values_are_shown_and_do_nothing(person, define):
    define(
        name="hostile",
        key=["id"],
        fields=[
            {"name": "id", "header": "Id", "type": "string"},
            {"name": "amount", "header": "<img src=x onerror=alert(2)>", "type": "integer"},
        ],
        destination={"table": "hostile"},
    )
    values = ['"<script>alert(3)</script>"', "=1+cmd|'/c calc'!A0", "\u202e321", "a\x1b[31mb", "\u2066x"]
    lines = [f"{number},{value}" for number, value in enumerate(values)]
    content = "\n".join(["Id,<img src=x onerror=alert(2)>,\u200f<b>", *(f"{line},z" for line in lines)])
    job_id = person.imported(HOSTILE.replace("/", "\u2215"), content.encode(), "hostile")
    for path in (f"/ui/jobs/{job_id}", "/ui", "/ui/definitions", "/ui?file=<script>"):
        page = person.get(path)
        assert page.status == 200
        for markup in ("<script>", "<img", "<b>x", "onerror=alert(2)>,", "\u202e", "\u200f", "\u2066", "\x1b"):
            assert markup not in page.html.replace('<script src="', "")
    page = person.get(f"/ui/jobs/{job_id}")
    for shown in (
        "<script>alert(3)</script>",
        "=1+cmd|'/c calc'!A0",
        "[U+202E]321",
        "a[U+001B][31mb",
        "[U+2066]x",
    ):
        assert shown in page.text
    assert "<script>alert(1)<\u2215script>[U+202E]fdp.csv" in page.text
    assert "<img src=x onerror=alert(2)>" in page.text


def test_what_a_refusal_quotes_is_inert_too(person):
    page = person.get("/ui/jobs/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert page.status == 404
    assert "<script>alert" not in page.html
    page = person.get("/ui/%3Cscript%3E%E2%80%AE")
    assert (page.status, "<script>'" in page.text, "\u202e" in page.html) == (404, False, False)


@pytest.mark.parametrize("path", ["/ui/sign-in", "/ui", "/ui/upload", "/ui/definitions", "/ui/nowhere"])
def test_every_page_says_what_a_browser_may_do_with_it(person, path):
    headers = person.http.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_has_script_or_style_in_it_or_anything_from_another_host(person):
    job_id = person.imported("march.csv")
    for path in ("/ui", f"/ui/jobs/{job_id}", "/ui/upload", "/ui/definitions", "/ui/sign-in"):
        html = person.get(path).html
        assert not re.search(r"<script(?! src=\"/ui/)|<style|\sstyle=|\son\w+=|javascript:", html)
        assert not re.search(r"(?:src|href|action)=\"(?!/ui|#)", html)


def test_the_files_of_the_pages_are_small_and_kept_by_browsers(person):
    sizes = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert sizes["lading.css"] < 15_000
    assert sizes["lading.js"] < 5_000
    html = person.get("/ui").html
    addresses = set(re.findall(r"/ui/static/[^\"]+", html))
    assert len(addresses) == 3
    for address in addresses:
        answer = person.http.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert {p.rpartition(".")[2] for p in addresses} == {"css", "js", "svg"}
    assert person.get("/ui/static/000000000000/lading.css").status == 404
    assert person.get("/ui/static/000000000000/..%2Fwords.py").status == 404


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00e9 \u4e2d \U0001f600", "plain \u00e9 \u4e2d \U0001f600"),
        ("a\nb\tc\0", "a⏎b⇥c␀"),
        ("\u200b\ufeff\ud800", "[U+200B][U+FEFF][U+D800]"),
        ("x" * 1_234, "x" * 200 + "… (1,234 characters)"),
    ],
)
def test_what_a_reader_would_misread_is_made_visible(text, shown):
    assert inert(text) == shown


def test_sizes_are_told_as_people_say_them():
    told = [size(n) for n in (0, 999, 1_024, 1_536, 2**20, 20 * 2**20, 2**30, 5_000 * 2**30)]
    assert told == ["0 bytes", "999 bytes", "1 KiB", "1.5 KiB", "1 MiB", "20 MiB", "1 GiB", "5,000 GiB"]
