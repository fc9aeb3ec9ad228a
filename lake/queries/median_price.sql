-- The median asking price of homes for sale by ZIP and month, with DuckDB alone and the path of the tables: each home counts once
-- in each month in which it was seen on offer, at the last price of the month.
select area, city, area_name as zip, month, currency, count(*) as homes, median(price) as median_price
from (
    select area, city, area_name, currency, listing_id,
        strftime(timezone('UTC', seen_at), '%Y-%m') as month, arg_max(list_price, (seen_at, seq)) as price
    from delta_scan('stoop-data/tables/observations')
    where status = 'Active' and purpose = 'sale' and list_price is not null
    group by all
)
group by all
order by all
