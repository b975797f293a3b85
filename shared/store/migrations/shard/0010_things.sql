-- Things that a document names: each mention says which thing it is of, by the ordinal of the thing's first mention, and the first
-- mention says what the mentions are together. A release before this one writes none of it and reads none of it.
alter table entities
    add column canonical integer,
    add column carried_from integer,
    add column thing jsonb;
