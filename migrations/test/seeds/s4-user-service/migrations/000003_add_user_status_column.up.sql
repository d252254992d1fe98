ALTER TABLE users ADD COLUMN status varchar(20) DEFAULT 'active';
CREATE INDEX CONCURRENTLY idx_users_status ON users (status);
