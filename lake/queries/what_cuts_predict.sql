-- Does a cut in the first 30 days say that a home leaves soon?
--
-- All homes that are still on offer 30 days after they came are compared from that day on (a landmark). To count from the cut
-- itself would favour cuts: a home has to stay to be cut.
with first_entries as (
    select listing_id, split_part(listing_id, '/', 1) as source, min(changed_on) as entered_on
    from fct_stock_change
    where kind = 'entry'
    group by listing_id
),
at_landmark as (
    select first_entries.*, entered_on + 30 as landmark
    from first_entries
    join fct_listing_day as still on still.listing_id = first_entries.listing_id and still.day = entered_on + 30
    join dim_source on dim_source.source = first_entries.source
    -- Only homes whose next 30 days were watched, by a source that shows that homes leave.
    where entered_on + 60 <= last_seen_on and exits >= 100
),
cuts as (
    select
        at_landmark.listing_id,
        -- The last price against the first.
        1 - arg_max(to_price, changed_at) / arg_min(from_price, changed_at) as cut_share
    from at_landmark
    join fct_price_change as change
        on change.listing_id = at_landmark.listing_id
        and change.changed_on between entered_on and landmark
        and not is_reported
    group by at_landmark.listing_id
),
outcomes as (
    select
        at_landmark.listing_id,
        case
            when cut_share is null or cut_share <= 0 then '1: no cut'
            when cut_share < 0.05 then '2: below 5 %'
            when cut_share < 0.1 then '3: 5 to 10 %'
            else '4: 10 % or more'
        end as cut,
        exists (
            select 1 from fct_stock_change as exit
            where exit.listing_id = at_landmark.listing_id
                and exit.kind = 'exit'
                and exit.changed_on > landmark
                and exit.changed_on <= landmark + 30
        ) as has_left
    from at_landmark
    left join cuts on cuts.listing_id = at_landmark.listing_id
)
select
    cut,
    count(*) as homes,
    avg(case when has_left then 1.0 else 0.0 end) as left_within_30_days,
    -- Two standard errors on both sides.
    2 * sqrt(left_within_30_days * (1 - left_within_30_days) / count(*)) as give_or_take
from outcomes
group by cut
order by cut
