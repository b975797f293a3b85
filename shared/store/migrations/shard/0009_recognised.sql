-- Entities that recognisers found beside the model: the source of each, the recogniser that knows its form, and its value. A
-- release before this one writes none of it and reads none of it: a null source is the model.
alter table entities
    add column source text,
    add column recogniser text,
    add column value jsonb;
