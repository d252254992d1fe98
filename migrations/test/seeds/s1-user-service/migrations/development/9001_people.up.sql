INSERT INTO user_service.users (email) VALUES ('dev@example.test');
