-- Each day of a home says what the version says that it names, and lies in its time.
select day.listing_id, day.day, day.home_key
from {{ ref('fct_listing_day') }} as day
inner join {{ ref('dim_home') }} as home on home.home_key = day.home_key
where not home.is_active
    or day.day < home.valid_from_day
    or day.day >= home.valid_to_day
    or day.listing_id is distinct from home.listing_id
    or day.market is distinct from home.market
    or day.area is distinct from home.area
    or day.purpose is distinct from home.purpose
    or day.currency is distinct from home.currency
    or day.source is distinct from home.source
    or day.agency is distinct from home.agency
    or day.list_price is distinct from home.list_price
    or day.figure_price is distinct from (case when not home.price_is_doubtful then home.list_price end)
    or day.property_type is distinct from home.property_type
    or day.bedrooms is distinct from home.bedrooms
    or day.living_area_m2 is distinct from home.living_area_m2
