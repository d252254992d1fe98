DELETE FROM user_service.users WHERE email = 'dev@example.test';
