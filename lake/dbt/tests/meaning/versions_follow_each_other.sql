-- The versions of a home have numbers without holes and do not overlap; only the newest is current.
with pairs as (
    select
        listing_id,
        version_no,
        valid_from,
        valid_to,
        is_current,
        lag(version_no, 1, 0) over home as version_before,
        lead(version_no) over home as version_after,
        lag(valid_from) over home as from_before,
        lag(valid_to) over home as to_before
    from {{ ref('dim_home') }}
    window home as (partition by listing_id order by version_no)
)
select *
from pairs
where version_no <> version_before + 1
    or valid_to < valid_from
    or is_current <> (version_after is null)
    or version_no > 1 and (to_before is null or to_before > valid_from or from_before > valid_from)
