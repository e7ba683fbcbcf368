"""Writes a large workbook quickly, in the shape that Excel saves: shared strings, dates as styled numbers."""

import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import polars as pl

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/>'
        f'<Override PartName="/xl/sharedStrings.xml" ContentType="{_TYPES}.sharedStrings+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_TYPES}.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        f'<workbook {_MAIN} xmlns:r="{_RELATED}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{_RELATED}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELATED}/sharedStrings" Target="sharedStrings.xml"/>'
        f'<Relationship Id="rId3" Type="{_RELATED}/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        f'<styleSheet {_MAIN}><fonts count="1"><font><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="1"><fill><patternFill patternType="none"/></fill></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
        '<xf numFmtId="22" applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}
_DATE_STYLE, _DATETIME_STYLE = ' s="1"', ' s="2"'
_EPOCH = date(1899, 12, 30)
"""Day 0 of the numbers that a workbook keeps for dates."""

_DAY_MICROSECONDS = 86_400_000_000


def write_workbook(path: Path, slices: Iterable[pl.DataFrame]) -> None:
    """Write the rows of all slices, with a header, as the one sheet of a workbook; up to 26 columns."""
    strings: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, text in _PARTS.items():
            archive.writestr(name, _HEAD + text)
        with archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet:
            sheet.write(f"{_HEAD}<worksheet {_MAIN}><sheetData>".encode())
            row = 1
            for frame in slices:
                if row == 1:
                    sheet.write(_sheet_rows(pl.DataFrame([frame.columns], orient="row"), 1, strings))
                    row += 1
                sheet.write(_sheet_rows(frame, row, strings))
                row += frame.height
            sheet.write(b"</sheetData></worksheet>")
        with archive.open("xl/sharedStrings.xml", "w", force_zip64=True) as shared:
            shared.write(f'{_HEAD}<sst {_MAIN} uniqueCount="{len(strings)}">'.encode())
            items = _escaped(pl.Series("text", list(strings), dtype=pl.String))
            shared.write(items.select(pl.format("<si><t>{}</t></si>", "text").str.join()).item().encode())
            shared.write(b"</sst>")


def _sheet_rows(frame: pl.DataFrame, first_row: int, strings: dict[str, int]) -> bytes:
    """The frame as `<row>` elements from the 1-based `first_row` on; new texts are added to `strings`."""
    numbers = pl.int_range(first_row, first_row + frame.height, eager=True).alias("row")
    cells = [_cells(series, chr(ord("A") + place), strings) for place, series in enumerate(frame)]
    rows = pl.format('<row r="{}">{}</row>', "row", pl.concat_str(pl.exclude("row"), ignore_nulls=True))
    xml: str = (
        pl.DataFrame([numbers, *cells])
        .with_columns(pl.exclude("row").str.replace("@", pl.col("row").cast(pl.String), literal=True))
        .select(rows.str.join())
        .item()
    )
    return xml.encode()


def _cells(series: pl.Series, letter: str, strings: dict[str, int]) -> pl.Series:
    """Each value as a `<c>` element whose row number is still `@`; null where there is none."""
    style, kind = "", ""
    column = pl.col("value")
    if series.dtype == pl.String:
        kind = ' t="s"'
        series = _shared(series, strings)
    elif series.dtype == pl.Date:
        style, column = _DATE_STYLE, (column - pl.lit(_EPOCH)).dt.total_days()
    elif isinstance(series.dtype, pl.Datetime):
        since = (column - pl.lit(_EPOCH).cast(pl.Datetime("us"))).dt.total_microseconds()
        style, column = _DATETIME_STYLE, since / _DAY_MICROSECONDS
    element = pl.format(f'<c r="{letter}@"{style}{kind}><v>{{}}</v></c>', column)
    return series.alias("value").to_frame().select(element.alias(letter)).to_series()


def _shared(series: pl.Series, strings: dict[str, int]) -> pl.Series:
    """The place of each text among the shared strings; null stays null."""
    distinct = series.drop_nulls().unique(maintain_order=True)
    places = pl.Series([strings.setdefault(text, len(strings)) for text in distinct], dtype=pl.UInt32)
    return series.replace_strict(distinct, places, return_dtype=pl.UInt32)


def _escaped(texts: pl.Series) -> pl.DataFrame:
    marks = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
    for mark, entity in marks:
        texts = texts.str.replace_all(mark, entity, literal=True)
    return texts.to_frame()
