-- catalog: operate/parked_count
-- How many messages are parked.

select count(*) from parked_messages
