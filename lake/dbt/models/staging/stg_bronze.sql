-- What bronze says was observed, read from its files without the program: one row for each listing and sighting, with the number
-- of different observations. Lines that the program refused are in quarantine and not here. Left out where there are no files
-- of bronze beside the tables (STOOP_BRONZE).
{{ config(enabled=env_var('STOOP_BRONZE', '') != '', materialized='table') }}
with lines as (
    -- One column: no line has the separator.
    select distinct line
    from read_csv(
        '{{ env_var("STOOP_BRONZE", "") }}/dt=*/*.jsonl*', columns = {'line': 'varchar'}, delim = chr(1), quote = '',
        escape = '', header = false, auto_detect = false, max_line_size = 16777216
    )
),
accepted as (
    select cast(line as json) as line
    from lines
    where not exists (select 1 from {{ source('lake', 'quarantine') }} as refused where refused.line = lines.line)
),
fields as (
    select
        line ->> '$.source' as source,
        line ->> '$.native_id' as native_id,
        cast(line ->> '$.at' as bigint) as observed_ms,
        cast(coalesce(line ->> '$.seen', line ->> '$.at') as bigint) as seen_ms,
        cast(coalesce(line ->> '$.seq', '0') as integer) as seq,
        -- The same observation in an older format is no second one.
        md5(regexp_replace(cast(line as varchar), '^{"v":[0-9]+,', '')) as line_hash
    from accepted
)
select
    source || '/' || native_id as listing_id,
    make_timestamp(observed_ms * 1000) as observed_at,
    make_timestamp(seen_ms * 1000) as seen_at,
    seq,
    count(distinct line_hash) as observations
from fields
group by all
