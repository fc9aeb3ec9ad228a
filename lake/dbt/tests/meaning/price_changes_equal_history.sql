-- Each interval that begins with a cut or rise, as the program says, is one row of fct_price_change with the interval's price, and
-- nothing else is; the price before was asked earlier.
with marked as (
    select listing_id, valid_from as changed_at, case when events like '%,price_cut,%' then 'cut' else 'rise' end as kind,
        list_price as to_price, count(*) as changes
    from {{ ref('stg_listing_history') }}
    where events like '%,price_cut,%' or events like '%,price_rise,%'
    group by 1, 2, 3, 4
),
counted as (
    select listing_id, changed_at, kind, to_price, count(*) as changes
    from {{ ref('fct_price_change') }}
    where not is_reported
    group by 1, 2, 3, 4
),
never_asked as (
    select change.listing_id, change.changed_at, change.kind, change.to_price
    from {{ ref('fct_price_change') }} as change
    where not change.is_reported and not exists (
        select 1 from {{ ref('stg_listing_history') }} as earlier
        where earlier.listing_id = change.listing_id
            and earlier.list_price = change.from_price
            and earlier.valid_from <= change.changed_at
    )
)
select coalesce(marked.listing_id, counted.listing_id) as listing_id, coalesce(marked.changed_at, counted.changed_at) as changed_at,
    coalesce(marked.kind, counted.kind) as kind, coalesce(marked.to_price, counted.to_price) as to_price
from marked
full outer join counted
    on counted.listing_id = marked.listing_id
    and counted.changed_at = marked.changed_at
    and counted.kind = marked.kind
    and counted.to_price = marked.to_price
where coalesce(marked.changes, 0) <> coalesce(counted.changes, 0)
union all
select listing_id, changed_at, kind, to_price from never_asked
