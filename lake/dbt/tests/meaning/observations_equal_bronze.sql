-- Each observation of the files of bronze that were taken is one row, with its prices, status and agency, and each row is one of
-- them or was in the laptop's outbox: of what was in the outbox before the newest of these files was taken, a file has it.
{{ config(enabled=env_var('STOOP_BRONZE', '') != '') }}
with newest as (
    select max(taken_at) as taken_at from {{ source('lake', 'bronze') }}
),
silver as (
    select
        listing_id,
        timezone('UTC', observed_at) as observed_at,
        timezone('UTC', seen_at) as seen_at,
        seq,
        count(*) as observations,
        sum(case
            when ingested_from = 'outbox' and (newest.taken_at is null or ingested_at >= newest.taken_at)
                or ingested_from <> 'outbox' and ingested_from not in (select object from {{ source('lake', 'bronze') }})
                then 1
            else 0
        end) as not_in_a_file,
        cast(sum(list_price) as double precision) as list_prices,
        cast(sum(close_price) as double precision) as close_prices,
        max(status) as status,
        max(agency) as agency
    from {{ ref('stg_observations') }}
    cross join newest
    group by listing_id, observed_at, seen_at, seq
)
select
    coalesce(silver.listing_id, bronze.listing_id) as listing_id,
    coalesce(silver.observed_at, bronze.observed_at) as observed_at,
    silver.observations as in_silver,
    bronze.observations as in_bronze
from silver
full outer join {{ ref('stg_bronze') }} as bronze
    on bronze.listing_id = silver.listing_id
    and bronze.observed_at = silver.observed_at
    and bronze.seen_at = silver.seen_at
    and bronze.seq = silver.seq
where coalesce(silver.observations, 0) < coalesce(bronze.observations, 0)
    or coalesce(silver.observations, 0) - coalesce(silver.not_in_a_file, 0) > coalesce(bronze.observations, 0)
    -- What they say, where a file has all.
    or silver.observations = bronze.observations and (
        abs(coalesce(silver.list_prices, 0) - coalesce(bronze.list_prices, 0)) > 0.0001
        or abs(coalesce(silver.close_prices, 0) - coalesce(bronze.close_prices, 0)) > 0.0001
        or silver.status is distinct from bronze.status
        or silver.agency is distinct from bronze.agency
    )
