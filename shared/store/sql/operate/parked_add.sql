-- catalog: operate/parked_add
-- Keeps a message that names no job.
--
-- $1 id, uuid
-- $2 queue, text: the queue that the message was taken from
-- $3 body, bytea
-- $4 reason, text: why it names no job

insert into parked_messages (id, queue, body, reason) values ($1, $2, $3, $4)
