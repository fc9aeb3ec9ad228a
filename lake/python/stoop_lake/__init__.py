"""SQL over the Delta tables that `stoop-lake` writes, the star schema made of them, and the checks of both.

Everything works offline, with an empty HOME: DuckDB's delta extension comes from the environment that `lake/setup`
makes.
Nothing here writes to a table of the lake.
"""
