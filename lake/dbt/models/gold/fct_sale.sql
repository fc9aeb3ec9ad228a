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
            over (partition by home.listing_id order by home.version_no) as offer_no
    from {{ ref('dim_home') }} as home
    inner join {{ ref('stg_history_by_lead') }} as by_lead
        on by_lead.listing_id = home.listing_id and by_lead.interval_no = home.version_no
),
closed as (
    select
        *,
        row_number() over offer as closed_no,
        last_value(closed_on ignore nulls) over (
            offer rows between unbounded preceding and 1 preceding
        ) as closed_before
    from versions
    where status = 'Closed'
    window offer as (partition by listing_id, offer_no order by version_no)
),
sales as (
    select *
    from closed
    where (closed_no = 1 or closed_on > closed_before + 30)
        -- Of a home that was never seen unsold, only the source knows when it was sold.
        and (version_no > 1 or closed_on is not null)
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
