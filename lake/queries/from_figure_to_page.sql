-- From a figure to what the portal said: a market's median price on a day, the homes nearest to it, and for each the observation
-- that began its version, the file of bronze with that line, and the raw page that showed it (`zstdcat` prints it). Here: the
-- first market by name of which a page is kept, on its last day with observations. `stoop prune` removes runs and pages after
-- some months, and a replay has a file instead.
with pages as (
    -- Two pages of one millisecond: both may have shown it.
    select home.home_key, page.run_id, page.path
    from dim_home as home
    inner join fct_raw_page as page on page.source = home.source and page.seen_at = home.first_seen_at
),
chosen as (
    select day.market, max(day.day) as day
    from fct_listing_day as day
    inner join pages on pages.home_key = day.home_key
    inner join dim_source as source on source.source = day.source
    where day.figure_price is not null and day.day <= source.last_seen_on
    group by day.market
    order by day.market
    limit 1
),
stock as (
    select day.*, median(day.figure_price) over () as median_price
    from fct_listing_day as day
    inner join chosen on chosen.market = day.market and chosen.day = day.day
    where day.figure_price is not null
)
select
    stock.market,
    stock.day,
    stock.median_price,
    stock.listing_id,
    stock.figure_price as list_price,
    home.first_observation_id,
    home.first_ingested_from,
    pages.run_id,
    pages.path as raw_page
from stock
inner join dim_home as home on home.home_key = stock.home_key
left join pages on pages.home_key = stock.home_key
order by abs(stock.figure_price - stock.median_price), stock.listing_id, pages.path
limit 10
