-- shard: read/bound
-- Lets the transaction only read, and bounds each of its statements.
--
-- $1 statement_max, text: longest statement, such as '4000ms'

select set_config('statement_timeout', $1, true), set_config('transaction_read_only', 'on', true)
