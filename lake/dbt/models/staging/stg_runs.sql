-- One row for each run: a poll, replay, rebuild or verification.
select
    run_id,
    kind,
    subject,
    began_at,
    ended_at,
    outcome,
    -- A replay reads rows, a poll listings.
    cast(coalesce(counts ->> '$.rows', counts ->> '$.listings') as bigint) as rows_read,
    cast(counts ->> '$.new' as bigint) as new_homes,
    cast(counts ->> '$.changed' as bigint) as changed_homes,
    cast(counts ->> '$.gone' as bigint) as gone_homes,
    cast(counts ->> '$.rejects' as bigint) as rejects
from {{ source('lake', 'runs') }}
