-- One row for each run: a poll, replay, rebuild or verification.
select
    run_id,
    kind,
    subject,
    began_at,
    ended_at,
    outcome,
    rows as rows_read,
    observations,
    rejects
from {{ source('lake', 'runs') }}
