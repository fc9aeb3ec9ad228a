-- Of the homes that came on the market in a month, what share is still there after 7, 14, 30 and 60 days?
--
-- A Kaplan-Meier estimate: homes that are still there count until their source was last seen, and not beyond. A stay is the
-- time from an entry to the next exit; a home that comes back has another. Sources that show hardly any exit are left out.
with moves as (
    select
        *,
        split_part(listing_id, '/', 1) as source,
        lead(kind) over home as next_kind,
        lead(changed_on) over home as left_on
    from fct_stock_change
    window home as (partition by listing_id order by version_no, kind)
),
stays as (
    select
        source,
        strftime(changed_on, '%Y-%m') as cohort,
        next_kind is not distinct from 'exit' as is_over,
        coalesce(left_on, greatest(last_seen_on, changed_on)) - changed_on as days
    from moves
    join dim_source using (source)
    where kind = 'entry' and exits >= 100
),
ages as (
    select source, cohort, days as age, count(*) filter (is_over) as gone, count(*) as leaving
    from stays
    group by all
),
at_risk as (
    select *, sum(leaving) over (partition by source, cohort order by age desc) as homes
    from ages
),
survival as (
    select
        source,
        cohort,
        age,
        -- The product of the shares that stay; ln(0) is no number, so a last home that goes makes it 0.
        case when min(homes - gone) over so_far = 0 then 0
            else exp(sum(ln(greatest(homes - gone, 1) / homes)) over so_far) end as share_left
    from at_risk
    window so_far as (partition by source, cohort order by age)
),
marks as (
    select unnest([7, 14, 30, 60]) as mark
),
sizes as (
    select source, cohort, count(*) as homes, max(days) as days_observed from stays group by all
)
select
    sizes.source,
    sizes.cohort,
    sizes.homes,
    -- Unknown where no home of the cohort was watched for so long.
    max(case when mark = 7 and days_observed >= 7 then coalesce(share_left, 1) end) as after_7_days,
    max(case when mark = 14 and days_observed >= 14 then coalesce(share_left, 1) end) as after_14_days,
    max(case when mark = 30 and days_observed >= 30 then coalesce(share_left, 1) end) as after_30_days,
    max(case when mark = 60 and days_observed >= 60 then coalesce(share_left, 1) end) as after_60_days
from sizes
cross join marks
asof left join survival
    on survival.source = sizes.source and survival.cohort = sizes.cohort and survival.age <= mark
group by all
order by sizes.source, sizes.cohort
