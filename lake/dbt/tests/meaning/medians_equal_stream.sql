-- The median price of each market and day is the stream's, which knows each price to 0.1 % (docs/adr/0002) and rounds the median
-- to the minor unit. The mean is the stream's, which sums exactly and leaves out the prices of 10 or more that are 50 times
-- above or below their median (docs/METRICS.md); it takes out their sum as it knows them, to 0.1 %.
with prices as (
    select market, day, cast(figure_price as double precision) as price
    from {{ ref('fct_listing_day') }}
    where figure_price is not null
),
counted as (
    select
        market,
        day,
        count(*) as priced,
        sum(price) as total,
        percentile_cont(0.5) within group (order by price) as median_price
    from prices
    group by market, day
),
usual as (
    select counted.market, counted.day, count(*) as homes, sum(prices.price) as total
    from prices
    inner join counted on counted.market = prices.market and counted.day = prices.day
    where counted.priced < 10 or prices.price between counted.median_price / 50 and counted.median_price * 50
    group by counted.market, counted.day
)
select stream.market, stream.day, counted.priced, stream.priced as priced_by_stream, counted.median_price,
    stream.median_price as median_by_stream, usual.total / usual.homes as mean_price, stream.mean_price as mean_by_stream
from {{ ref('stg_market_days') }} as stream
left join counted on counted.market = stream.market and counted.day = stream.day
left join usual on usual.market = stream.market and usual.day = stream.day
where coalesce(counted.priced, 0) <> stream.priced
    or (counted.median_price is null) <> (stream.median_price is null)
    or abs(counted.median_price - cast(stream.median_price as double precision)) > counted.median_price * 0.001 + 0.01
    or (usual.total is null) <> (stream.mean_price is null)
    or abs(usual.total / usual.homes - cast(stream.mean_price as double precision))
        > 0.011 + 0.001 * (counted.total - usual.total) / usual.homes
