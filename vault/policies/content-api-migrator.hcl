# The init container of content-api: reads the owner's connection string, and nothing else.
path "secret/data/content-api/migrator" {
  capabilities = ["read"]
}
