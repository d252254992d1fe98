DROP TABLE user_service.user_profiles;
