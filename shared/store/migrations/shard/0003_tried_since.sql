-- When the first of a job's tries began that ended with an error or were put off: its retries are limited by the time since
-- then, however long it waited before. An operator who redrives it makes a new row, and so the time begins anew.
alter table dispatch add column tried_since timestamptz;
