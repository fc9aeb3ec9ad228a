-- One row for each sale or letting, on its CloseDate where that is possible. The rules are those of docs/METRICS.md, Sales,
-- written anew.
with versions as (
    select
        home.*,
        by_lead.close_price,
        case
            when by_lead.close_date between date '1990-01-01' and cast(by_lead.valid_from as date) + 1
                then by_lead.close_date
        end as closed_on,
        -- An offer ends what was sold before: the next closed version is another sale.
        count(case when home.status in ('Active', 'ActiveUnderContract', 'Pending') then 1 end)
            over (partition by home.listing_id order by home.version_no) as offer_no,
        first_value(home.status) over (partition by home.listing_id order by home.version_no) as first_status
    from {{ ref('dim_home') }} as home
    inner join {{ ref('stg_history_by_lead') }} as by_lead
        on by_lead.listing_id = home.listing_id and by_lead.interval_no = home.version_no
),
closed as (
    select
        *,
        -- The first one after an offer gives the day on which it was seen. Of a home that was first seen closed, only the
        -- source knows when it was sold.
        coalesce(closed_on, case
            when row_number() over (partition by listing_id, offer_no order by version_no) = 1
                and not (offer_no = 0 and first_status = 'Closed')
                then valid_from_day
        end) as day_given
    from versions
    where status = 'Closed'
),
beginnings as (
    select
        *,
        day_given is not null and coalesce(day_given > max(day_given) over (
            partition by listing_id, offer_no order by version_no rows between unbounded preceding and 1 preceding
        ) + 30, true) as begins
    from closed
),
numbered as (
    select *, count(case when begins then 1 end) over (partition by listing_id, offer_no order by version_no) as sale_no
    from beginnings
),
sales as (
    -- Later closed versions on the same terms say more about the sale.
    select
        sale.* exclude (close_price, closed_on),
        arg_max(version.close_price, version.version_no) filter (where version.close_price is not null) as close_price,
        arg_max(version.closed_on, version.version_no) filter (where version.closed_on is not null) as closed_on
    from numbered as sale
    inner join numbered as version
        on version.listing_id = sale.listing_id
        and version.offer_no = sale.offer_no
        and version.sale_no = sale.sale_no
        and version.purpose = sale.purpose
        and version.currency = sale.currency
    where sale.begins
    group by all
),
asked as (
    -- For each sale the last price asked since the sale before it, on the same terms.
    select
        sales.home_key,
        arg_max(versions.list_price, versions.version_no) as last_list_price
    from sales
    inner join versions
        on versions.listing_id = sales.listing_id
        and versions.version_no < sales.version_no
        and versions.offer_no > coalesce((
            select max(earlier.offer_no) from sales as earlier
            where earlier.listing_id = sales.listing_id and earlier.version_no < sales.version_no
        ), -1)
        and versions.purpose = sales.purpose
        and versions.currency = sales.currency
    where versions.status in ('Active', 'ActiveUnderContract', 'Pending')
        and versions.list_price is not null
        and not versions.price_is_doubtful
    group by sales.home_key
)
select
    sales.home_key,
    sales.listing_id,
    coalesce(sales.closed_on, sales.valid_from_day) as sold_on,
    sales.closed_on is not null as is_dated_by_source,
    sales.market,
    sales.area,
    sales.purpose,
    sales.currency,
    sales.source,
    sales.agency,
    sales.close_price,
    coalesce(asked.last_list_price, sales.list_price) as last_list_price,
    sales.living_area_m2,
    sales.first_observation_id,
    sales.first_ingested_from
from sales
left join asked on asked.home_key = sales.home_key
