-- Each interval that the program calls a sale is one row of fct_sale, with its price and day, and nothing else is: also of days
-- before a market was watched.
with sold as (
    select home_key, market, close_price, close_date, valid_from_day
    from {{ ref('stg_listing_history') }}
    where events like '%,sold,%'
)
select coalesce(sold.home_key, sale.home_key) as home_key, sale.market, sale.sold_on, sale.close_price,
    sold.close_price as close_price_of_history
from sold
full outer join {{ ref('fct_sale') }} as sale on sale.home_key = sold.home_key
where sold.home_key is null
    or sale.home_key is null
    or sale.market <> sold.market
    or sale.close_price is distinct from sold.close_price
    or sale.sold_on <> case when sale.is_dated_by_source then sold.close_date else sold.valid_from_day end
