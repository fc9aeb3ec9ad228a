-- One row for each agency, by the name that the source writes. Sources that name none have 'not stated'.
select
    agency,
    agency = 'not stated' as is_unknown,
    count(distinct listing_id) as homes,
    min(valid_from) as first_seen_at
from {{ ref('dim_home') }}
group by agency
