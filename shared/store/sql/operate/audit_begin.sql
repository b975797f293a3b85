-- catalog: operate/audit_begin
-- Writes down what an operator is about to do.
--
-- $1 id, uuid
-- $2 actor, text: who does it
-- $3 action, text: what is done
-- $4 target, jsonb: to what

insert into audit (id, actor, action, target) values ($1, $2, $3, $4)
