-- Each interval that the program calls a sale is one row of fct_sale, with its price and day, and nothing else is: also of days
-- before a market was watched. Price and day are the last ones of the closed intervals up to the next offer or sale.
with intervals as (
    select
        *,
        events like '%,sold,%' as is_sold,
        count(case when events like '%,sold,%' or status in ('Active', 'ActiveUnderContract', 'Pending') then 1 end)
            over (partition by listing_id order by interval_no) as part
    from {{ ref('stg_listing_history') }}
),
sold as (
    select
        sale.home_key,
        sale.market,
        sale.valid_from_day,
        (select more.close_price from intervals as more
            where more.listing_id = sale.listing_id and more.part = sale.part and more.status = 'Closed'
                and more.purpose = sale.purpose and more.currency = sale.currency and more.close_price is not null
            order by more.interval_no desc limit 1) as close_price,
        (select more.close_date from intervals as more
            where more.listing_id = sale.listing_id and more.part = sale.part and more.status = 'Closed'
                and more.purpose = sale.purpose and more.currency = sale.currency
                and more.close_date between date '1990-01-01' and cast(more.valid_from as date) + 1
            order by more.interval_no desc limit 1) as close_date
    from intervals as sale
    where sale.is_sold
)
select coalesce(sold.home_key, sale.home_key) as home_key, sale.market, sale.sold_on, sale.close_price,
    sold.close_price as close_price_of_history
from sold
full outer join {{ ref('fct_sale') }} as sale on sale.home_key = sold.home_key
where sold.home_key is null
    or sale.home_key is null
    or sale.market <> sold.market
    or sale.close_price is distinct from sold.close_price
    or sale.is_dated_by_source <> (sold.close_date is not null)
    or sale.sold_on <> coalesce(sold.close_date, sold.valid_from_day)
