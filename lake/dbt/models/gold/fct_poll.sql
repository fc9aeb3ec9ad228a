-- One row for each run that read from a source: a poll or a replay.
select
    run_id,
    kind,
    subject,
    began_at,
    ended_at,
    cast(timezone('UTC', began_at) as date) as began_on,
    outcome,
    rows_read,
    new_homes,
    changed_homes,
    gone_homes,
    rejects
from {{ ref('stg_runs') }}
where kind in ('poll', 'replay')
