-- One row for each entry of a home into the stock of its market and each exit from it, with the civil day on which it counts.
with steps as (
    select
        listing_id,
        version_no,
        home_key,
        valid_from,
        valid_from_day,
        is_active,
        market,
        lag(is_active, 1, false) over home as was_active,
        lag(market) over home as market_before,
        lag(home_key) over home as home_key_before,
        lag(valid_to) over home as expired_at,
        lag(valid_to_day) over home as expired_on
    from {{ ref('dim_home') }}
    window home as (partition by listing_id order by version_no)
)
select listing_id, 'entry' as kind, home_key, market, valid_from as changed_at, valid_from_day as changed_on
from steps
where is_active and not (was_active and market = market_before and expired_at = valid_from)
union all
-- Most exits are the next version's beginning; a home that nobody saw again expired before it.
select listing_id, 'exit', home_key_before, market_before, expired_at, expired_on
from steps
where was_active and not (is_active and market = market_before and expired_at = valid_from)
union all
select listing_id, 'exit', home_key, market, valid_to, valid_to_day
from {{ ref('dim_home') }} as newest
where is_active and valid_to is not null
    and version_no = (select max(version_no) from {{ ref('dim_home') }} as all_versions
        where all_versions.listing_id = newest.listing_id)
