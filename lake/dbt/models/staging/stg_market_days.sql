-- What the stream counted: one row for each market and day. Tests compare the star schema with it; nothing is built of it.
select
    market,
    day,
    active,
    priced,
    median_price,
    mean_price,
    initial + "new" + relisted + back_on_market + moved_in as entries,
    pending + closed + gone + moved_out + expired as exits,
    price_cuts,
    price_rises,
    sold
from {{ source('lake', 'market_days') }}
