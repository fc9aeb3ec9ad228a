-- One row for each area, narrowest or around one. `-` stands for a level that a path leaves out; areas around skip it. The
-- narrowest level is always there: `.../meknes/-` has the homes of which only the city is known.
with narrowest as (
    select distinct area, string_split(area, '/') as names from {{ ref('stg_markets') }}
),
levels as (
    select area, names, unnest(generate_series(1, len(names))) as level_no
    from narrowest
),
paths as (
    select distinct
        array_to_string(names[1:level_no], '/') as area,
        names[1:level_no] as names,
        level_no
    from levels
    where names[level_no] <> '-' or level_no = len(names)
),
parents as (
    select
        *,
        list_max(list_filter(generate_series(1, level_no - 1), lambda n: names[n] <> '-')) as parent_level
    from paths
)
select
    area,
    -- `~` marks a name that only the source gives. Homes of a city alone have its name.
    ltrim(case when names[level_no] <> '-' then names[level_no] else names[parent_level] end, '~') as name,
    cast(level_no as integer) as level_no,
    (['country', 'region', 'county', 'city', 'narrowest'])[level_no] as level,
    case when parent_level is not null then array_to_string(names[1:parent_level], '/') end as parent_area,
    names[1] as country,
    nullif(names[2], '-') as region,
    nullif(names[3], '-') as county,
    nullif(names[4], '-') as city
from parents
