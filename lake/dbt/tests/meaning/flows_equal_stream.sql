-- Entries, exits, cuts, rises and sales of each market and day are as many as the stream counted.
with happened as (
    select market, changed_on as day, case kind when 'entry' then 1 else 0 end as entries,
        case kind when 'exit' then 1 else 0 end as exits, 0 as cuts, 0 as rises, 0 as sold
    from {{ ref('fct_stock_change') }}
    union all
    select market, changed_on, 0, 0, case kind when 'cut' then 1 else 0 end, case kind when 'rise' then 1 else 0 end, 0
    from {{ ref('fct_price_change') }}
    where not is_reported
    union all
    select market, sold_on, 0, 0, 0, 0, 1 from {{ ref('fct_sale') }}
),
counted as (
    select market, day, sum(entries) as entries, sum(exits) as exits, sum(cuts) as cuts, sum(rises) as rises,
        sum(sold) as sold
    from happened
    group by market, day
)
select coalesce(stream.market, counted.market) as market, coalesce(stream.day, counted.day) as day, counted.entries,
    stream.entries as entries_by_stream, counted.exits, stream.exits as exits_by_stream, counted.cuts, stream.price_cuts,
    counted.rises, stream.price_rises, counted.sold, stream.sold as sold_by_stream
from {{ ref('stg_market_days') }} as stream
full outer join counted on counted.market = stream.market and counted.day = stream.day
left join {{ ref('stg_markets') }} as markets on markets.market = counted.market
-- What sources report of the time before a market was watched is in no day of the stream.
where stream.market is null and counted.day >= markets.first_day
    or stream.market is not null and (
        coalesce(counted.entries, 0) <> stream.entries
        or coalesce(counted.exits, 0) <> stream.exits
        or coalesce(counted.cuts, 0) <> stream.price_cuts
        or coalesce(counted.rises, 0) <> stream.price_rises
        or coalesce(counted.sold, 0) <> stream.sold
    )
