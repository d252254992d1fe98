# The app services-api: reads its own connection string, and nothing else.
path "secret/data/services-api/app" {
  capabilities = ["read"]
}
