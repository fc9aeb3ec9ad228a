-- One row for each raw page that a kept poll read. Its observations have its source and seen_at; dim_home has those of the
-- observation that began a version.
select
    run_id,
    page_no,
    source,
    seen_at,
    path
from {{ source('lake', 'raw_pages') }}
