-- Which agencies cut most often, and by how much? Agencies with ten homes or more.
with offered as (
    select agency, count(distinct listing_id) as homes, count(*) as home_days
    from fct_listing_day
    group by agency
),
cuts as (
    select
        agency,
        count(*) as cuts,
        count(distinct listing_id) as homes_cut,
        median(-change_share) as median_cut
    from fct_price_change
    where kind = 'cut' and not is_reported
    group by agency
)
select
    offered.agency,
    offered.homes,
    coalesce(cuts.homes_cut, 0) / offered.homes as share_of_homes_cut,
    coalesce(cuts.cuts, 0) / offered.home_days * 100 as cuts_per_100_home_days,
    cuts.median_cut
from offered
left join cuts on cuts.agency = offered.agency
where offered.homes >= 10
order by cuts_per_100_home_days desc, offered.agency
