"""Checks of Starmind's tags that their definition can't say."""

import pandera.polars as pa
import polars as pl

from schemas.casting import BLANKS

SHORTEST_CHARS = 2


class StarmindTags(pa.DataFrameModel):
    """Tags, as `connectors/starmind/definitions/starmind-tags.yaml` declares them."""

    tags: str = pa.Field(nullable=True)

    @pa.check("tags", description="Tag length must be between 2 and 255 characters.")
    def is_not_made_long_by_blanks(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805 - pandera passes the class
        """True where the tag is long enough without the blanks around it, or was too short with them."""
        tag = pl.col(data.key)
        visible = tag.str.strip_chars(BLANKS).str.len_chars() >= SHORTEST_CHARS
        return data.lazyframe.select(visible | (tag.str.len_chars() < SHORTEST_CHARS))


RECORD = StarmindTags
