CREATE TABLE user_service.user_profiles (
    user_id uuid PRIMARY KEY REFERENCES user_service.users (id),
    display text NOT NULL
);
