-- One row for each home with a hash of all its versions, and for a home that is still active of the newest day: what the rows
-- of fct_listing_day are made of.
{{ config(materialized='table') }}
select
    home.listing_id,
    md5(home.listing_id || string_agg(
        concat_ws('|', home.version_no, home.valid_from, home.valid_to, home.market, home.status, home.list_price,
            home.price_is_doubtful, home.property_type, home.bedrooms, home.living_area_m2, home.agency)
        || case when home.is_active and home.valid_to is null then '|' || markets.last_day else '' end,
        ';' order by home.version_no
    )) as history_hash
from {{ ref('dim_home') }} as home
inner join {{ ref('stg_markets') }} as markets on markets.market = home.market
group by home.listing_id
