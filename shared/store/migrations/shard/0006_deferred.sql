-- How many of a shard's open jobs wait for a time further ahead than any retry: they are no work yet, and do not fill the
-- shard for those who have some. A release before this one leaves 0 here, and so counts them as work.
alter table backlogs add column deferred bigint not null default 0;
