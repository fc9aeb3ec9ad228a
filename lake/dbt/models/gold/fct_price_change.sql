-- One row for each cut or rise of an asking price. Reported ones, which only a source tells of, enter no figure.
select
    changes.listing_id,
    changes.changed_at,
    changes.changed_on,
    changes.market,
    changes.area,
    changes.source,
    changes.currency,
    case when changes.to_price < changes.from_price then 'cut' else 'rise' end as kind,
    changes.reported as is_reported,
    changes.from_price,
    changes.to_price,
    (changes.to_price - changes.from_price) / changes.from_price as change_share,
    home.home_key,
    coalesce(home.agency, 'not stated') as agency,
    home.first_observation_id,
    home.first_ingested_from
from {{ ref('stg_price_changes') }} as changes
-- The version that the change began. A reported change may be older than all of them.
left join {{ ref('dim_home') }} as home
    on home.listing_id = changes.listing_id
    and home.valid_from <= changes.changed_at
    and (home.valid_to is null or home.valid_to > changes.changed_at)
