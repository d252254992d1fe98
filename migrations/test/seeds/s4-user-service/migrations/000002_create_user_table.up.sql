CREATE TABLE users (
    id         uuid PRIMARY KEY DEFAULT uuid_generate_v4(),
    first_name varchar(100) NOT NULL,
    last_name  varchar(100) NOT NULL,
    email      varchar(100) NOT NULL,
    password   varchar(255) NOT NULL,
    created_at timestamp DEFAULT now(),
    CONSTRAINT users_email_key UNIQUE (email)
);
CREATE INDEX idx_users_last_name ON users (last_name);
