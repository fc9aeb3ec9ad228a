-- Each observation of bronze is one row, and each row is one of bronze or still in the laptop's outbox.
{{ config(enabled=env_var('STOOP_BRONZE', '') != '') }}
with silver as (
    select
        listing_id,
        timezone('UTC', observed_at) as observed_at,
        timezone('UTC', seen_at) as seen_at,
        seq,
        count(*) as observations,
        sum(case when ingested_from = 'outbox' then 1 else 0 end) as from_outbox
    from {{ ref('stg_observations') }}
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
-- What was taken from the outbox may be in a file by now, or not yet.
where coalesce(silver.observations, 0) < coalesce(bronze.observations, 0)
    or coalesce(silver.observations, 0) - coalesce(silver.from_outbox, 0) > coalesce(bronze.observations, 0)
