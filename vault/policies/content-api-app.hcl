# The app content-api: reads its own connection string, and nothing else.
path "secret/data/content-api/app" {
  capabilities = ["read"]
}
