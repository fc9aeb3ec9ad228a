-- One row for each home and civil day (of its market's zone) at whose close it was active.
--
-- Late observations change past days, so days cannot say what is new. A run makes anew the homes whose versions are not those
-- that their rows were made of, in one transaction: the hook deletes their rows, the model adds them.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="
        {% if is_incremental() %}
        delete from {{ this }}
        where history_hash not in (select history_hash from {{ ref('stg_home_hashes') }})
        {% endif %}"
) }}
with touched as (
    select home.*, hashes.history_hash, markets.last_day
    from {{ ref('dim_home') }} as home
    inner join {{ ref('stg_home_hashes') }} as hashes on hashes.listing_id = home.listing_id
    inner join {{ ref('stg_markets') }} as markets on markets.market = home.market
    where home.is_active
    {% if is_incremental() %}
        and hashes.history_hash not in (select history_hash from {{ this }})
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
