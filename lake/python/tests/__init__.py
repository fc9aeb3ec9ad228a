"""Tests of lake/python and lake/dbt; lake/check runs them."""
