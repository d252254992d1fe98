DROP INDEX IF EXISTS idx_users_last_name;
DROP TABLE IF EXISTS users;
