-- One row for each version of a home (type 2): from valid_from until before valid_to it looked like this. The current version of
-- a home that has expired, or will unless somebody sees it, has a valid_to too. is_on_offer is the question that most ask.
select
    history.home_key,
    history.listing_id,
    history.source,
    history.interval_no as version_no,
    history.valid_from,
    history.valid_to,
    history.is_newest as is_current,
    history.is_newest and history.is_active and (history.valid_to_day is null or history.valid_to_day > markets.last_day)
        as is_on_offer,
    history.expires,
    history.valid_from_day,
    history.valid_to_day,
    history.last_confirmed_at,
    history.status,
    history.is_active,
    history.list_price,
    history.price_is_doubtful,
    history.currency,
    history.purpose,
    history.market,
    history.area,
    history.property_type,
    history.bedrooms,
    history.living_area_m2,
    -- No agency is a member of dim_agency too, so that a join loses no home.
    coalesce(by_lead.agency, 'not stated') as agency,
    by_lead.first_observation_id,
    by_lead.first_seen_at,
    by_lead.first_ingested_from
from {{ ref('stg_listing_history') }} as history
left join {{ ref('stg_markets') }} as markets on markets.market = history.market
left join {{ ref('stg_history_by_lead') }} as by_lead
    on by_lead.listing_id = history.listing_id and by_lead.interval_no = history.interval_no
