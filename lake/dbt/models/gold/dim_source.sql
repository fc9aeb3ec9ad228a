-- One row for each source.
select
    source,
    count(*) as observations,
    count(distinct listing_id) as listings,
    min(observed_at) as first_observed_at,
    max(seen_at) as last_seen_at
from {{ ref('stg_observations') }}
group by source
