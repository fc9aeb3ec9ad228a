-- One row for each source, with the day up to which it was watched and whether it shows that homes leave: without exits, how
-- long homes stay is not known.
with seen as (
    select
        source,
        count(*) as observations,
        count(distinct listing_id) as listings,
        min(observed_at) as first_observed_at,
        max(seen_at) as last_seen_at
    from {{ ref('stg_observations') }}
    group by source
),
left_stock as (
    select split_part(listing_id, '/', 1) as source, count(*) as exits
    from {{ ref('fct_stock_change') }}
    where kind = 'exit'
    group by split_part(listing_id, '/', 1)
)
select
    seen.*,
    cast(seen.last_seen_at as date) as last_seen_on,
    coalesce(left_stock.exits, 0) as exits
from seen
left join left_stock on left_stock.source = seen.source
