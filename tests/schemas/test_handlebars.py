import re
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from schemas.handlebars import Scope, Template, TemplateError

RECORD = {
    "a": '<b>&"',
    "first": "Hillary-Ann",
    "o": {"b": 1.5, "c": [{"x": 1}, {"x": 2}], "list price": 3},
    "x.y": 5,
    "empty": "",
    "zero": 0,
    "qty": "50",
    "words": ["p", "q"],
    "big": 10**25,
    "day": "2025-03-26T12:34:56Z",
    "replace": "a field",
}


def filled(text, record=RECORD, **more):
    return Template(text).fill(Scope(record, record, **more))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{a}} {{{a}}} {{&a}}", '<b>&" <b>&" <b>&"'),
        ("{{o.b}} {{o/b}} {{o.[list price]}} {{x.y}}", "1.5 1.5 3 5"),
        ("{{o.c.[1].x}}{{o.c.0.x}}{{o.c.length}}{{first.length}}", "21211"),
        ("|{{missing}}|{{missing.more}}|{{empty}}|{{o.c.9.x}}|", "|||||"),
        ("{{big}} {{words}} {{o.c}}", '10000000000000000000000000 p,q [{"x":1},{"x":2}]'),
        ("{{record.qty}} {{data.0.qty}} {{this.qty}} {{@root.qty}} {{settings.s}}", "50 50 50 50 S"),
        ("{{replace}}", "a field"),
        ("a {{~first~}} b{{! said }}{{!-- {{more}} --}}", "aHillary-Annb"),
        ("{{uppercase (split first '-' 1)}}", "ANN"),
        ("{{uppercase first}} {{lowercase first}}", "HILLARY-ANN hillary-ann"),
        ("{{capitalize 'it is'}} {{capitalizeAll 'it is'}} {{trim '  x '}}.", "It is It Is x."),
        ('{{replace a "&" "and"}} {{replace a "" "x"}}', '<b>and" <b>&"'),
        ("{{substring 'Celigo' 1 4}} {{substring 'Celigo' 4}} {{substring 'Celigo' 9 99}}.", "eli go ."),
        ("{{split first '-'}} {{split first '-' 1}} {{split first '-' 5}}.", "Hillary Ann ."),
        ("{{join '/' qty words zero}}", "50/p/q/0"),
        ("{{add 0.1 '0.2'}} {{add qty 1 -2}} {{sum words.length o.c.0.x}}", "0.3 49 3"),
        ("{{subtract qty 6}} {{multiply qty 19.99}} {{divide 10 4}}", "44 999.5 2.5"),
        ("{{divide 10 3}} {{multiply 25 4}}", "3.333333333333333 100"),
        ("{{round 29.5}} {{round -2.5}} {{floor -2.8}} {{ceil '45.02'}} {{abs '-1.5'}}", "30 -2 -3 46 1.5"),
        ("{{toFixed 29.7777 2}} {{toFixed 2 2}}", "29.78 2.00"),
        ('{{dateFormat "MM-DD-YYYY hh:mm A" day}}', "03-26-2025 12:34 PM"),
        ('{{dateFormat "YYYY-MM-DDTHH:mm:ssZ" day "" "Asia/Hong_Kong"}}', "2025-03-26T20:34:56+08:00"),
        ('{{dateFormat "YYYY-MM-DD HH" day "US/Eastern"}}', "2025-03-26 08"),
        ('{{dateFormat "MM-DD-YYYY" "1966-25-05 18:36" "YYYY-DD-MM HH:mm"}}', "05-25-1966"),
        ('{{dateFormat "L" empty}}{{dateAdd missing}}.', "."),
        ("{{dateAdd day}} {{dateAdd day '86400000'}}", "2025-03-26T12:34:56.000Z 2025-03-27T12:34:56.000Z"),
        ("{{dateAdd day -43200000 'Asia/Hong_Kong'}}", "2025-03-26T08:34:56.000+08:00"),
        ("{{lookup 'codes' first}}", "[Hillary-Ann]"),
        ("{{#if empty}}y{{else}}n{{/if}}{{#if zero}}y{{^}}n{{/if}}{{#if missing}}y{{/if}}", "nn"),
        ("{{#unless empty}}u{{/unless}}{{#if o}}o{{/if}}{{#if 'x'}}x{{/if}}", "uox"),
        ("{{#if empty}}1{{else if qty}}2{{else}}3{{/if}}", "2"),
        ("{{#each o.c}}{{@index}}{{x}}{{#unless @last}};{{/unless}}{{/each}}", "01;12"),
        ("{{#each o.c.0}}{{@key}}={{this}}{{@first}}{{/each}}", "x=1true"),
        ("{{#each words}}{{this}}{{../qty}}{{@root.zero}}{{record}}{{/each}}", "p500q500"),
        (
            "{{#each words}}{{#each ../o.c}}{{x}}{{../this}}{{../../qty}} {{/each}}{{/each}}",
            "1p50 2p50 1q50 2q50 ",
        ),
        ("{{#each missing}}y{{else}}none{{/each}}", "none"),
        ('{{#compare qty ">" "100"}}text{{else}}number{{/compare}}', "text"),
        ('{{#compare qty ">" 100}}a{{else compare qty "==" 50}}b{{else}}c{{/compare}}', "b"),
        (
            '{{#compare qty "===" 50}}a{{else}}b{{/compare}}{{#compare qty "!==" "50"}}a{{else}}b{{/compare}}',
            "bb",
        ),
        ('{{#compare words "<" 1}}a{{else}}b{{/compare}}{{#compare words "==" "p,q"}}a{{/compare}}', "ba"),
    ],
)
def test_a_template_gives_its_text(template, text):
    assert filled(template, settings={"s": "S"}, lookups={"codes": lambda value: f"[{value}]"}) == text


def test_the_names_that_a_template_reads_are_known():
    text = (
        "{{a}}{{record.b}}{{c.d}}{{join ',' (trim e) settings.x}}{{#each l}}{{m}}{{/each}}{{#if f}}{{g}}{{/if}}"
    )
    assert Template(text).names == ("a", "b", "c.d", "e", "l", "f", "g")
    text = "{{[First Name]}}{{this.a}}{{#each l}}{{this.m}}{{../b}}{{@root.c}}{{@index}}"
    text += "{{#each n}}{{../o}}{{/each}}{{/each}}"
    assert Template(text).names == ("First Name", "a", "l", "b", "c")


def test_the_time_now_is_told_to_the_millisecond(monkeypatch):
    now = datetime(2026, 11, 28, 5, 6, 7, 891_234, UTC)
    monkeypatch.setattr("schemas.handlebars.dates.utc_now", lambda: now)
    assert filled("{{timestamp}}") == "2026-11-28T05:06:07.891Z"
    assert filled('{{timestamp "YYYYMMDD-HHmm" "Asia/Tokyo"}}') == "20261128-1406"
    assert filled('{{timestamp "" "Asia/Tokyo"}}') == "2026-11-28T14:06:07.891+09:00"


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{a", "the braces of '{{a' are not closed"),
        ("{{a}}}", "the braces around 'a' don't match"),
        ("{{}}", "names nothing"),
        ("\\{{a}}", "with a backslash"),
        ("{{> part}}", "partials are not served"),
        ("{{pluck o 'b'}}", "the helper 'pluck' is not served"),
        ("{{uppercase (pluck o 'b')}}", "the helper 'pluck' is not served"),
        ("{{uppercase a a}}", "the helper 'uppercase' takes 1 value(s)"),
        ("{{#with o}}{{/with}}", "the block 'with' is not served; served are if, unless, each, compare"),
        ("{{#if}}{{/if}}", "the block 'if' takes 1 value(s)"),
        ("{{#if a}}", "the block 'if' is not ended by {{/if}}"),
        ("{{#if a}}{{/each}}", "the block 'if' is not ended by {{/if}}"),
        ("{{#if a}}{{else}}{{else}}{{/if}}", "the block 'if' is not ended by {{/if}}"),
        ("{{/if}}", "ends a block that was not begun"),
        ("{{#each words as |w|}}{{/each}}", "can't be read at '|w|'"),
        ("{{uppercase x=1}}", "can't be read at 'x=1'"),
        ("{{'text' a}}", "names no helper"),
        ("{{uppercase (a}}", "a bracket is not closed"),
        ("{{uppercase a)}}", "closes a bracket that is not open"),
        ("{{@../index}}", "'@../index' is not served"),
        ("{{#compare a '<>' 1}}{{/compare}}", "'compare' compares by one of"),
        ("{{lookup a 'x'}}", "takes the name of the lookup in quotes first"),
        ("{{#if a}}" * 30 + "{{/if}}" * 30, "more than 20 deep"),
        ("{{uppercase " + "(uppercase " * 30 + "a" + ")" * 30 + "}}", "more than 20 deep"),
    ],
)
def test_what_is_not_served_is_refused_when_the_template_is_read(template, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        Template(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{#each l}}{{#each @root.l}}{{#each @root.l}}{{/each}}{{/each}}{{/each}}",
        "{{text}}{{text}}{{text}}",
        "{{#if (uppercase text)}}{{text}}{{text}}{{/if}}",
        "{{replace text 'a' '" + "b" * 5_000 + "'}}",
        "{{join text l}}",
        "{{sum l l l l l l l l l l l l l l l l l l l l l l l l l l l l l l}}",
        "{{#compare text '===' text}}{{text}}{{/compare}}",
    ],
)
def test_a_template_that_would_make_too_much_is_stopped(template):
    record = {"l": list(range(5_000)), "text": "a" * 800_000}
    with pytest.raises(TemplateError, match="make too much of this record"):
        filled(template, record)


PIECES = (
    """{{ }} {{{ }}} {{#if {{/if}} {{else}} {{#each {{/each}} a ( ) ' " [ ] . / ../ @index # ^ > ~ add 1 | ="""
)


@given(st.lists(st.sampled_from([*PIECES.split(), " ", "\n", "\\"]), max_size=12).map("".join) | st.text())
def test_any_text_is_a_template_or_refused_and_gives_text_or_says_why_not(text):
    try:
        template = Template(text)
    except ValueError:
        return
    with suppress(TemplateError):
        assert isinstance(template.fill(Scope(RECORD, RECORD)), str)
