"""Wrong rows, one for each test of the star schema, and which other tests see them too."""

from __future__ import annotations

from dataclasses import dataclass

from stoop_lake.compiled import Test

# Wrong rows for the tests of meaning: each is the mistake that the test is there for.
MEANING = {
    # The program missed a change of price.
    "history_equals_lead": "update staging.stg_listing_history set list_price = list_price + 1 where {one}",
    # Two versions of a home overlap by a second.
    "versions_follow_each_other": """
        update gold.dim_home set valid_to = valid_to + interval 1 second
        where rowid = (select min(rowid) from gold.dim_home where valid_to is not null)""",
    # An exit was counted on the wrong day.
    "stock_balances": "update gold.fct_stock_change set changed_on = changed_on - 1 where {one}",
    # A home was left out on one day.
    "listing_days_equal_stream": "delete from gold.fct_listing_day where {one}",
    # One market's median is off by a fifth of a percent.
    "medians_equal_stream": """
        update staging.stg_market_days set median_price = median_price * 1.0021
        where rowid = (select min(rowid) from staging.stg_market_days where median_price is not null)""",
    # A cut was lost.
    "flows_equal_stream": "delete from gold.fct_price_change where {one}",
    # A sale has another price.
    "sales_equal_history": "update gold.fct_sale set close_price = coalesce(close_price, 0) + 1 where {one}",
    # A change begins at a price that was never asked.
    "price_changes_equal_history": "update gold.fct_price_change set from_price = from_price + 0.001 where {one}",
    # The days of a home have another currency than its version.
    "listing_days_are_of_their_version": "update gold.fct_listing_day set currency = 'XXX' where {one}",
    # The days of a market end too early.
    "days_reach_the_newest_observation": "update staging.stg_markets set last_day = date '2000-01-01' where {one}",
    # An alert tells of a price that the home never had.
    "alerts_are_in_history": "update staging.stg_alerts set to_price = to_price - 0.001 where {one}",
    # An observation is there twice under two names.
    "observations_equal_bronze": """
        insert into staging.stg_observations by name
        select * replace ('planted' as observation_id) from staging.stg_observations where {one}""",
}

# Which row is made wrong: one of which it is known what else shows it, whatever the data.
PICK = {
    "gold.dim_agency": "homes = (select max(homes) from gold.dim_agency)",
    "gold.dim_area": "level_no = 1",
    "gold.dim_home": "is_active and version_no = 1 and valid_to_day > valid_from_day",
    "gold.fct_listing_day": "figure_price is not null",
    "gold.fct_poll": "run_id in (select run_id from gold.fct_raw_page)",
    "gold.fct_price_change": "not is_reported",
}

# What else shows a wrong row of these tests.
ALSO = {
    "accepted_values_dim_home_purpose__sale__rent": {"listing_days_are_of_their_version"},
    "accepted_values_fct_price_change_kind__cut__rise": {"flows_equal_stream", "price_changes_equal_history"},
    "accepted_values_fct_stock_change_kind__entry__exit": {"flows_equal_stream", "stock_balances"},
    "flows_equal_stream": {"price_changes_equal_history"},
    "listing_days_equal_stream": {"medians_equal_stream", "stock_balances"},
    "not_null_dim_agency_agency": {
        "relationships_dim_home_agency__agency__ref_dim_agency_",
        "relationships_fct_listing_day_agency__agency__ref_dim_agency_",
    },
    "not_null_dim_area_area": {"relationships_dim_area_parent_area__area__ref_dim_area_"},
    "not_null_dim_home_agency": {"listing_days_are_of_their_version"},
    "not_null_dim_home_home_key": {
        "relationships_fct_listing_day_home_key__home_key__ref_dim_home_",
        "relationships_fct_stock_change_home_key__home_key__ref_dim_home_",
    },
    "not_null_dim_home_listing_id": {"listing_days_are_of_their_version", "versions_follow_each_other"},
    "not_null_dim_home_market": {"listing_days_are_of_their_version"},
    "not_null_dim_source_source": {"relationships_dim_home_source__source__ref_dim_source_"},
    "not_null_fct_listing_day_day": {"listing_days_equal_stream", "medians_equal_stream", "stock_balances"},
    "not_null_fct_poll_run_id": {"relationships_fct_raw_page_run_id__run_id__ref_fct_poll_"},
    "not_null_fct_price_change_changed_on": {"flows_equal_stream"},
    "not_null_fct_price_change_from_price": {"price_changes_equal_history"},
    "not_null_fct_price_change_to_price": {"price_changes_equal_history"},
    "not_null_fct_sale_home_key": {"sales_equal_history"},
    "not_null_fct_sale_sold_on": {"flows_equal_stream"},
    "not_null_fct_stock_change_changed_on": {"flows_equal_stream", "stock_balances"},
    "not_null_fct_stock_change_market": {"flows_equal_stream", "stock_balances"},
    "not_null_stg_markets_market": {"relationships_dim_home_market__market__ref_stg_markets_"},
    "positive_dim_home_list_price": {"listing_days_are_of_their_version"},
    "positive_fct_listing_day_figure_price": {"listing_days_are_of_their_version", "medians_equal_stream"},
    "positive_fct_price_change_from_price": {"price_changes_equal_history"},
    "positive_fct_price_change_to_price": {"price_changes_equal_history"},
    "positive_fct_sale_close_price": {"sales_equal_history"},
    "relationships_dim_home_agency__agency__ref_dim_agency_": {"listing_days_are_of_their_version"},
    "relationships_dim_home_area__area__ref_dim_area_": {"listing_days_are_of_their_version"},
    "relationships_dim_home_market__market__ref_stg_markets_": {"listing_days_are_of_their_version"},
    "relationships_dim_home_source__source__ref_dim_source_": {"listing_days_are_of_their_version"},
    "relationships_fct_listing_day_agency__agency__ref_dim_agency_": {"listing_days_are_of_their_version"},
    "relationships_fct_listing_day_area__area__ref_dim_area_": {"listing_days_are_of_their_version"},
    "relationships_fct_listing_day_day__day__ref_dim_date_": {
        "listing_days_are_of_their_version",
        "listing_days_equal_stream",
        "medians_equal_stream",
        "stock_balances",
    },
    "relationships_fct_price_change_changed_on__day__ref_dim_date_": {"flows_equal_stream"},
    "relationships_fct_sale_home_key__home_key__ref_dim_home_": {"sales_equal_history"},
    "relationships_fct_sale_sold_on__day__ref_dim_date_": {"flows_equal_stream", "sales_equal_history"},
    "relationships_fct_stock_change_changed_on__day__ref_dim_date_": {"flows_equal_stream", "stock_balances"},
    "stock_balances": {"flows_equal_stream"},
    "unique_dim_home_home_key": {"versions_follow_each_other"},
    "unique_fct_sale_home_key": {"flows_equal_stream"},
    "unique_stg_markets_market": {"stock_balances"},
    "unique_together_fct_listing_day_listing_id__market__day": {
        "listing_days_equal_stream",
        "medians_equal_stream",
        "stock_balances",
    },
}


@dataclass(frozen=True)
class Plant:
    """A wrong row."""

    sql: str
    fails: frozenset[str]
    """The tests that find it."""


def plant_for(test: Test, type_of_column: str) -> Plant:
    """The wrong row that a test is there for."""
    return Plant(_sql(test, type_of_column), frozenset(ALSO.get(test.name, set()) | {test.name}))


def _sql(test: Test, type_of_column: str) -> str:
    relation, column = test.relation, test.column
    one = _one(relation or "")
    if test.kind == "meaning":
        sql = MEANING[test.name]
        table = sql.split(" set ")[0].split()[-1] if sql.startswith("update") else sql.split(" from ")[1].split()[0]
        return sql.replace("{one}", _one(table))
    if test.kind in ("unique", "unique_together"):
        return f"insert into {relation} select * from {relation} where {one}"
    wrong = {
        "not_null": "null",
        "positive": "-1",
        "accepted_values": "'planted'",
        "relationships": "date '1001-01-01'" if type_of_column == "DATE" else "'planted'",
    }[test.kind]
    return f"update {relation} set {column} = {wrong} where {one}"


def _one(relation: str) -> str:
    return f"rowid = (select min(rowid) from {relation} where {PICK.get(relation, 'true')})"
