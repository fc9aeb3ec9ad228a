-- One row for each home, market and civil day (of the market's zone) at whose close it was active there.
--
-- Late observations change past days, so days cannot say what is new. A run makes anew the homes whose versions are not those
-- that their rows were made of, and adds the days since the last run to all others, in one transaction: the hook deletes rows,
-- the model adds them.
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="
        {% if is_incremental() %}
        delete from {{ this }}
        where history_hash not in (select history_hash from {{ ref('stg_home_hashes') }})
            or (market, day) in (
                -- The tables were made anew from an older database.
                select made.market, made.day from {{ this }} as made
                inner join {{ ref('stg_markets') }} as markets on markets.market = made.market
                where made.day > markets.last_day
            )
        {% endif %}"
) }}
with active as (
    select
        home.*,
        hashes.history_hash,
        -- A home that leaves on a day is not in the stock at its close; one that came on that day is.
        least(markets.last_day, coalesce(home.valid_to_day - 1, markets.last_day)) as to_day
    from {{ ref('dim_home') }} as home
    inner join {{ ref('stg_home_hashes') }} as hashes on hashes.listing_id = home.listing_id
    inner join {{ ref('stg_markets') }} as markets on markets.market = home.market
    where home.is_active and markets.last_day is not null
),
{% if is_incremental() %}
made as (
    select home_key, max(day) as until_day from {{ this }} group by home_key
),
{% endif %}
days as (
    select
        active.*,
        cast(unnest(generate_series(
            {% if is_incremental() %}
            cast(coalesce(made.until_day + 1, active.valid_from_day) as date),
            {% else %}
            active.valid_from_day,
            {% endif %}
            active.to_day,
            interval 1 day
        )) as date) as day
    from active
    {% if is_incremental() %}
    left join made on made.home_key = active.home_key
    {% endif %}
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
