import re
from html.parser import HTMLParser

import pytest

from api.pages.static import FOLDER

TEXT_ON_GROUND = [
    ("ink", "paper"),
    ("ink", "card"),
    ("ink", "wash"),
    ("ink", "bad-wash"),
    ("ink", "warn-wash"),
    ("ink", "busy-wash"),
    ("soft", "paper"),
    ("soft", "card"),
    ("soft", "wash"),
    ("soft", "idle-wash"),
    ("brand", "paper"),
    ("brand", "card"),
    ("on-brand", "brand"),
    ("on-brand", "brand-strong"),
    ("good", "good-wash"),
    ("bad", "bad-wash"),
    ("bad", "card"),
    ("busy", "busy-wash"),
    ("warn", "warn-wash"),
]


class Elements(HTMLParser):
    """The elements of a page, as tag and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.found if tag in tags]


def paths_of(person):
    """Every kind of page, with what may stand on it."""
    running = person.upload("april.csv", b"Id\n1\n").path
    return [
        "/ui",
        f"/ui/jobs/{person.imported('march.csv')}",
        running,
        "/ui/upload",
        "/ui/definitions",
        "/ui/none",
    ]


def test_every_page_has_its_landmarks_one_heading_and_a_title_of_its_own(person, stranger):
    pages = [*map(person.get, paths_of(person)), stranger.get("/ui/sign-in")]
    for page in pages:
        elements = Elements(page.html)
        assert [len(elements.of(tag)) for tag in ("main", "header", "footer", "h1", "title")] == [1, 1, 1, 1, 1]
        assert elements.of("html")[0]["lang"] == "en"
        assert 'class="skip" href="#main"' in page.html
    assert len({page.html.partition("<title>")[2].partition("<")[0] for page in pages}) == len(pages)


def test_every_control_has_a_label_and_every_table_its_headers(person, stranger):
    for page in [*map(person.get, paths_of(person)), stranger.get("/ui/sign-in")]:
        elements = Elements(page.html)
        labelled = {attributes.get("for") for attributes in elements.of("label")}
        for control in elements.of("input", "select"):
            is_inside = control.get("type") in {"hidden", "radio", "checkbox"}  # these stand in their label
            assert is_inside or control["id"] in labelled
        assert all("scope" in attributes for attributes in elements.of("th"))
        assert len(elements.of("table")) == len(elements.of("caption"))
        assert all("aria-label" in attributes for attributes in elements.of("progress"))
        ids = [attributes["id"] for _, attributes in elements.found if "id" in attributes]
        assert len(ids) == len(set(ids))


def test_what_changes_is_told_to_whoever_listens(person):
    page = person.upload("march.csv", b"Id\n1\n")
    assert '<p id="said" class="hidden" role="status" aria-live="polite"></p>' in page.html
    assert '<progress aria-label="Progress of the import" max="100" value="0">' in page.html


@pytest.mark.parametrize(("text", "ground"), TEXT_ON_GROUND, ids="-on-".join)
def test_text_stands_out_from_its_ground_by_day_and_by_night(text, ground):
    for colours in _palettes():
        assert _contrast(colours[text], colours[ground]) >= 4.5


def _palettes():
    day, night = re.findall(r":root \{(.*?)\}", (FOLDER / "lading.css").read_text(), re.DOTALL)
    by_day = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", day))
    return by_day, by_day | dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", night))


def _contrast(one, other):
    """The ratio that WCAG 2 defines."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
