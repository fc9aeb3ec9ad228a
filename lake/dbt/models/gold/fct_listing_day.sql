-- One row for each home and civil day (of its market's zone) at whose close it was active.
--
-- Late observations change past days, so days alone cannot say what is new. A run writes anew the homes whose history is not
-- the one that their rows were made of, and those still active on days that have come since.
{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='listing_id',
    on_schema_change='fail'
) }}
with versions as (
    select
        home.*,
        markets.last_day,
        -- Of all versions, active or not: a changed past shows, and a home that was never active has no rows to change.
        md5(string_agg(
            concat_ws('|', home.version_no, home.valid_from, home.valid_to, home.market, home.status, home.list_price,
                home.price_is_doubtful, home.property_type, home.bedrooms, home.living_area_m2, home.agency)
            || case when home.is_active and home.valid_to is null then '|' || markets.last_day else '' end,
            ';'
        ) over (
            partition by home.listing_id order by home.version_no rows between unbounded preceding and unbounded following
        )) as history_hash
    from {{ ref('dim_home') }} as home
    inner join {{ ref('stg_markets') }} as markets on markets.market = home.market
),
touched as (
    select * from versions
    where is_active
    {% if is_incremental() %}
        and history_hash not in (select distinct history_hash from {{ this }})
    {% endif %}
),
days as (
    select
        *,
        -- A home that leaves on a day is not in the stock at its close; one that came on that day is.
        cast(unnest(generate_series(
            valid_from_day,
            least(last_day, coalesce(valid_to_day - 1, last_day)),
            interval 1 day
        )) as date) as day
    from touched
)
select
    listing_id,
    day,
    home_key,
    market,
    area,
    purpose,
    currency,
    source,
    agency,
    list_price,
    price_is_doubtful,
    -- Figures of prices leave out unknown and doubtful ones.
    case when not price_is_doubtful then list_price end as figure_price,
    property_type,
    bedrooms,
    living_area_m2,
    history_hash
from days
