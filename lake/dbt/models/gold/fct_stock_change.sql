-- One row for each entry of a home into the stock of its market and each exit from it, with the civil day on which it counts. Of
-- one moment are an exit and the entry after it, or an entry and its own exit: version_no and then kind give the order.
with steps as (
    select
        listing_id,
        home_key,
        version_no,
        valid_from,
        valid_from_day,
        is_active,
        market,
        lag(is_active, 1, false) over home as was_active,
        lag(market) over home as market_before,
        lag(expires) over home as expired,
        lag(home_key) over home as home_key_before,
        lag(version_no) over home as version_no_before,
        -- The next version's beginning, or an expiry before it.
        lag(valid_to) over home as ended_at,
        lag(valid_to_day) over home as ended_on
    from {{ ref('dim_home') }}
    window home as (partition by listing_id order by version_no)
),
moves as (
    select
        *,
        is_active and was_active and market = market_before and not expired as stays
    from steps
),
changes as (
    select listing_id, 'entry' as kind, home_key, version_no, market, valid_from as changed_at, valid_from_day as changed_on
    from moves
    where is_active and not stays
    union all
    select listing_id, 'exit', home_key_before, version_no_before, market_before, ended_at, ended_on
    from moves
    where was_active and not stays
    union all
    -- A home that nobody has seen since.
    select listing_id, 'exit', home_key, version_no, market, valid_to, valid_to_day
    from {{ ref('dim_home') }}
    where is_active and is_current and expires
)
select changes.*
from changes
inner join {{ ref('stg_markets') }} as markets on markets.market = changes.market
-- An expiry may lie in the future.
where changes.changed_on <= markets.last_day
