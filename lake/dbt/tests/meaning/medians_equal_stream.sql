-- The median price of each market and day is the stream's, which knows each price to 0.1 % (docs/adr/0002) and rounds the median
-- to the minor unit; the mean is the stream's, which sums exactly.
with counted as (
    select
        market,
        day,
        count(figure_price) as priced,
        cast(avg(figure_price) as double precision) as mean_price,
        percentile_cont(0.5) within group (order by cast(figure_price as double precision)) as median_price
    from {{ ref('fct_listing_day') }}
    group by market, day
)
select stream.market, stream.day, counted.priced, stream.priced as priced_by_stream, counted.median_price,
    stream.median_price as median_by_stream, counted.mean_price, stream.mean_price as mean_by_stream
from {{ ref('stg_market_days') }} as stream
left join counted on counted.market = stream.market and counted.day = stream.day
where coalesce(counted.priced, 0) <> stream.priced
    or (counted.median_price is null) <> (stream.median_price is null)
    or abs(counted.median_price - cast(stream.median_price as double precision)) > counted.median_price * 0.001 + 0.01
    or (counted.mean_price is null) <> (stream.mean_price is null)
    or abs(counted.mean_price - cast(stream.mean_price as double precision)) > 0.011
