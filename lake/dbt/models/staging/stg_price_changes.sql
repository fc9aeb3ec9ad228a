-- One row for each cut or rise, with the civil day on which it counts.
select
    changes.listing_id,
    split_part(changes.listing_id, '/', 1) as source,
    changes.changed_at,
    {{ civil_day('changes.changed_at', 'markets.zone') }} as changed_on,
    changes.market,
    split_part(changes.market, ':', 1) as area,
    changes.currency,
    changes.from_price,
    changes.to_price,
    changes.reported
from {{ source('lake', 'price_changes') }} as changes
left join {{ ref('stg_markets') }} as markets on markets.market = changes.market
