-- One row for each alert of the ledger, sent or suspect.
select
    alert_id,
    rule,
    verdict,
    listing_id,
    seen_at,
    from_price,
    to_price,
    drop_bp,
    market
from {{ source('lake', 'alerts') }}
