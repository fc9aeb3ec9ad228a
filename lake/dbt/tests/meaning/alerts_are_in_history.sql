-- The price of each alert is that of the home's interval of that moment, and its drop is what its two prices make. An observation
-- that came late may have changed the past since an alert was sent: a warning.
{{ config(severity='warn') }}
select alerts.alert_id, alerts.listing_id, alerts.to_price
from {{ ref('stg_alerts') }} as alerts
where alerts.drop_bp <> floor((alerts.from_price - alerts.to_price) * 10000 / alerts.from_price)
    or not exists (
        select 1 from {{ ref('stg_listing_history') }} as history
        where history.listing_id = alerts.listing_id
            and history.list_price = alerts.to_price
            and history.valid_from <= alerts.seen_at
            and (history.valid_to is null or history.valid_to >= alerts.seen_at)
    )
