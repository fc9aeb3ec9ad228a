-- For every market and day, the stock at the close is the stock at the close before, plus entries, minus exits.
with days as (
    select markets.market, dates.day
    from {{ ref('stg_markets') }} as markets
    inner join (
        select market, min(changed_on) as first_day from {{ ref('fct_stock_change') }} group by market
    ) as changes on changes.market = markets.market
    inner join {{ ref('dim_date') }} as dates on dates.day between changes.first_day and markets.last_day
),
stock as (
    select market, day, count(*) as homes from {{ ref('fct_listing_day') }} group by market, day
),
changes as (
    select market, changed_on, sum(case kind when 'entry' then 1 else -1 end) as net
    from {{ ref('fct_stock_change') }}
    group by market, changed_on
),
balances as (
    select
        days.market,
        days.day,
        coalesce(stock.homes, 0) as homes,
        lag(coalesce(stock.homes, 0), 1, 0) over (partition by days.market order by days.day) as homes_before,
        coalesce(changes.net, 0) as net
    from days
    left join stock on stock.market = days.market and stock.day = days.day
    left join changes on changes.market = days.market and changes.changed_on = days.day
)
select * from balances where homes <> homes_before + net
