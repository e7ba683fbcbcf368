"""Checks of earthquakes that go beyond one column; a model to take as an example."""

import pandera.polars as pa
import polars as pl

DEEPEST_KM = 800
"""The deepest ones known began some 750 km below ground."""


class Earthquakes(pa.DataFrameModel):
    """Events of a seismic catalogue, as `examples/earthquakes.yaml` declares them."""

    depth: float = pa.Field(nullable=True)
    type: str = pa.Field(nullable=True)
    magnitude: float = pa.Field(nullable=True)
    magnitude_error: float = pa.Field(nullable=True)

    @pa.check("depth", description=f"an earthquake begins at most {DEEPEST_KM} km below ground")
    def depth_is_possible(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805 - pandera passes the class
        """True where the depth is one that was ever measured."""
        return data.lazyframe.select(pl.col(data.key) <= DEEPEST_KM)

    @pa.dataframe_check(description="an explosion is set off at most 10 km below ground")
    def explosions_are_shallow(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805 - likewise
        """True where the event is no explosion, or not deep."""
        is_explosion = pl.col("type").str.contains("Explosion", literal=True)
        return data.lazyframe.select(~is_explosion | (pl.col("depth") <= 10))

    @pa.dataframe_check(description="the error of a magnitude is less than the magnitude")
    def magnitude_exceeds_its_error(cls, data: pa.PolarsData) -> pl.LazyFrame:  # noqa: N805 - likewise
        """True where something is left of the magnitude without its error."""
        return data.lazyframe.select(pl.col("magnitude_error") < pl.col("magnitude"))


RECORD = Earthquakes
