-- The least weight that an operator may give, 0.01, as the column holds it: a real. Compared with the double precision of the
-- check before, the real 0.01 is less than 0.01, and the least weight was refused.
alter table client_controls
    drop constraint client_controls_weight_check,
    add constraint client_controls_weight_check check (weight between 0.01::real and 100::real);

-- A document's metadata as they were sent: jsonb keeps neither the order of fields nor their spelling, and the release that wrote
-- metadata alone had rounded numbers before. metadata is still written, for the release before this one, which runs beside
-- it during an upgrade and reads no other; a later release drops it.
alter table documents add column metadata_sent text;
