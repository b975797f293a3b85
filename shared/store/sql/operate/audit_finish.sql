-- catalog: operate/audit_finish
-- Writes down what came of an operator's action.
--
-- $1 id, uuid: the action's
-- $2 outcome, jsonb

update audit set outcome = $2 where id = $1
