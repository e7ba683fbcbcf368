"""Checks of Starmind's users that their definition can't say."""

import pandera.polars as pa
import polars as pl

_CODES = """
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee
el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is
it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms
mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk
sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi
yo za zh zu
"""
ISO_639_1 = frozenset(_CODES.split())
"""The codes of languages that have one of two letters."""


class StarmindUsers(pa.DataFrameModel):
    """Users, as `connectors/starmind/definitions/starmind-users.yaml` declares them."""

    language_id: str = pa.Field(nullable=True)

    @pa.check("language_id", description="a language is named by its code of ISO 639-1, such as en")
    def is_a_language(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805 - pandera passes the class
        """True where the two letters, in either case, stand for a language."""
        return data.lazyframe.select(pl.col(data.key).str.to_lowercase().is_in(ISO_639_1))


RECORD = StarmindUsers
