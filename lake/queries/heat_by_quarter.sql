-- Where and when is the market hot? For each area and quarter: homes on offer, exits per home in 30 days, and the price.
with days as (
    select area, purpose, currency, year_quarter, day, count(*) as homes, count(figure_price) as priced
    from fct_listing_day
    join dim_date using (day)
    join dim_source using (source)
    -- Nobody looked later, or ever saw a home leave.
    where day <= last_seen_on and exits >= 100
    group by all
),
stock as (
    select area, purpose, currency, year_quarter, count(*) as days, sum(homes) as home_days
    from days
    group by all
),
exits as (
    select
        split_part(market, ':', 1) as area,
        split_part(market, ':', 2) as purpose,
        split_part(market, ':', 3) as currency,
        year_quarter,
        count(*) as exits
    from fct_stock_change
    join dim_date on day = changed_on
    join dim_source on source = split_part(listing_id, '/', 1)
    -- The same homes and days.
    where kind = 'exit' and changed_on <= last_seen_on and dim_source.exits >= 100
    group by all
),
prices as (
    select area, purpose, currency, year_quarter, median(figure_price) as median_price
    from fct_listing_day
    join dim_date using (day)
    join dim_source using (source)
    where day <= last_seen_on and exits >= 100
    group by all
)
select
    dim_area.name,
    stock.purpose,
    stock.currency,
    stock.year_quarter,
    stock.home_days / stock.days as mean_homes,
    coalesce(exits.exits, 0) / stock.home_days * 30 as exits_per_home_in_30_days,
    prices.median_price
from stock
left join exits using (area, purpose, currency, year_quarter)
left join prices using (area, purpose, currency, year_quarter)
join dim_area on dim_area.area = stock.area
-- Fewer homes say little.
where stock.home_days / stock.days >= 10
order by exits_per_home_in_30_days desc, stock.area, stock.year_quarter
