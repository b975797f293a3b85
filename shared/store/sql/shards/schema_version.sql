-- both: shards/schema_version
-- The version of the schema: that of its newest migration.

select coalesce(max(version), 0) from _sqlx_migrations where success
