-- The civil day of a moment in a market's time zone, on which METRICS.md counts events. PostgreSQL reads it alike.
{% macro civil_day(moment, zone) -%}
    cast(timezone({{ zone }}, {{ moment }}) as date)
{%- endmacro %}
