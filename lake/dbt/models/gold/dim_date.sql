-- One row for each civil day, from 1990 (no sale or reported change counts before it), or from the oldest interval, to the end
-- of the year of the newest day or run.
with ends as (
    select
        least(date '1990-01-01', min(valid_from_day)) as first_day,
        greatest(
            max(valid_from_day),
            (select max(last_day) from {{ ref('stg_markets') }}),
            (select max(cast(began_at as date)) from {{ ref('stg_runs') }})
        ) as last_day
    from {{ ref('stg_listing_history') }}
),
days as (
    select cast(unnest(generate_series(
        date_trunc('year', first_day),
        date_trunc('year', last_day) + interval 1 year - interval 1 day,
        interval 1 day
    )) as date) as day
    from ends
)
select
    day,
    cast(extract(year from day) as integer) as year,
    cast(extract(quarter from day) as integer) as quarter,
    extract(year from day) || '-Q' || extract(quarter from day) as year_quarter,
    strftime(day, '%Y-%m') as month,
    strftime(day, '%G-W%V') as iso_week,
    cast(extract(isodow from day) as integer) as iso_weekday,
    extract(isodow from day) >= 6 as is_weekend
from days
