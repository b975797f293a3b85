-- The least weight that an operator may give, 0.01, as the column holds it: a real. Compared with the double precision of the
-- check before, the real 0.01 is less than 0.01, and the least weight was refused.
alter table client_controls
    drop constraint client_controls_weight_check,
    add constraint client_controls_weight_check check (weight between 0.01::real and 100::real);
