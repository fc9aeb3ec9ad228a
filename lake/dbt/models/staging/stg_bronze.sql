-- What the files of bronze that were taken say was observed, read without the program: one row for each listing and sighting, with
-- the number of different observations and what they say. Lines that the program refused are in quarantine and not here. Left out
-- where there are no files of bronze beside the tables (STOOP_BRONZE).
{{ config(enabled=env_var('STOOP_BRONZE', '') != '', materialized='table') }}
with lines as (
    -- One column: no line has the separator. Lines that are not UTF-8 are in quarantine as bytes.
    select line
    from read_csv(
        '{{ env_var("STOOP_BRONZE", "") }}/dt=*/*.jsonl*', columns = {'line': 'varchar'}, delim = chr(1), quote = '',
        escape = '', header = false, auto_detect = false, max_line_size = 16777216, buffer_size = 33554432, filename = true,
        ignore_errors = true
    )
    -- The name of a file and that of its day are the end of its path.
    where list_slice(string_split(filename, '/'), -2, -1)
        in (select list_slice(string_split(object, '/'), -2, -1) from {{ source('lake', 'bronze') }})
),
accepted as (
    select cast(line as json) as line
    from lines
    where not exists (select 1 from {{ source('lake', 'quarantine') }} as refused where refused.line = lines.line)
),
fields as (
    -- Each line once; the same observation in an older format is no second one. Only this number of a line stays in memory.
    select distinct on (md5_number(regexp_replace(cast(line as varchar), '^{"v":[0-9]+,', '')))
        line ->> '$.source' as source,
        line ->> '$.native_id' as native_id,
        cast(line ->> '$.at' as bigint) as observed_ms,
        cast(coalesce(line ->> '$.seen', line ->> '$.at') as bigint) as seen_ms,
        cast(coalesce(line ->> '$.seq', '0') as integer) as seq,
        -- Decimals of the minor unit, ISO 4217.
        pow(10, case
            when line ->> '$.listing.currency' in (
                'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF', 'XOF', 'XPF'
            ) then 0
            when line ->> '$.listing.currency' in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
            else 2
        end) as minor_units,
        cast(line ->> '$.listing.list_price' as double) / minor_units as list_price,
        cast(line ->> '$.listing.close_price' as double) / minor_units as close_price,
        line ->> '$.listing.status' as status,
        line ->> '$.listing.details.agency' as agency
    from accepted
)
select
    source || '/' || native_id as listing_id,
    make_timestamp(observed_ms * 1000) as observed_at,
    make_timestamp(seen_ms * 1000) as seen_at,
    seq,
    count(*) as observations,
    sum(list_price) as list_prices,
    sum(close_price) as close_prices,
    max(status) as status,
    max(agency) as agency
from fields
group by all
