# What an application that embeds cyprob needs of Vault or OpenBao, and no more.
#
# Its role has no default policy: so its token is also told here that it may look at,
# renew and end itself.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self"  { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

# Its own secrets, and nobody else's.
path "kv/data/app/*" { capabilities = ["read"] }

# Credentials of its database: borrowed, renewed, and given back.
path "database/creds/app" { capabilities = ["read"] }
path "sys/leases/renew"   { capabilities = ["update"] }
path "sys/leases/revoke"  { capabilities = ["update"] }

# What only the doctor asks: what the token may do, and which version the engine has.
path "sys/capabilities-self"     { capabilities = ["update"] }
path "sys/internal/ui/mounts/kv" { capabilities = ["read"] }
