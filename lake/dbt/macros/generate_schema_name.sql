-- The schemas are `staging` and `gold`; dbt would call them `main_staging` and `main_gold`.
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
