-- The resolved history is what lead() makes of the observations, row for row.
with resolved as (
    select
        listing_id, interval_no, valid_from, valid_to, last_confirmed_at, market, status, is_active, list_price,
        original_list_price, close_price, close_date, property_type, bedrooms, living_area_m2
    from {{ ref('stg_listing_history') }}
),
recomputed as (
    select
        listing_id, interval_no, valid_from, valid_to, last_confirmed_at, market, status, is_active, list_price,
        original_list_price, close_price, close_date, property_type, bedrooms, living_area_m2
    from {{ ref('stg_history_by_lead') }}
)
(select 'only resolved' as found, resolved.* from resolved except select 'only resolved', recomputed.* from recomputed)
union all
(select 'only recomputed' as found, recomputed.* from recomputed except select 'only recomputed', resolved.* from resolved)
