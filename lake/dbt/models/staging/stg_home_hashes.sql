-- One row for each home with a hash of all its versions: what its rows of fct_listing_day are made of, but for the newest day.
{{ config(materialized='table') }}
select
    listing_id,
    md5(string_agg(
        cast(row(
            listing_id, version_no, valid_from_day, valid_to_day, market, is_active, list_price, price_is_doubtful, purpose,
            currency, source, agency, property_type, bedrooms, living_area_m2
        ) as varchar),
        ';' order by version_no
    )) as history_hash
from {{ ref('dim_home') }}
group by listing_id
