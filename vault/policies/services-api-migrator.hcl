# The init container of services-api: reads the owner's connection string, and nothing else.
path "secret/data/services-api/migrator" {
  capabilities = ["read"]
}
