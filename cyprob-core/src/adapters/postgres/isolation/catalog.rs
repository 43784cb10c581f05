//! What the catalogues say.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::postgres::PgRow;
use sqlx::{Error, PgConnection, Row as _};

use super::fault::Fault;
use super::rules::{self, HELD, OWN, Policy};
use super::table::{Kind, Table};

/// Rights that no policy holds.
const RIGHTS: [&str; 3] = ["TRUNCATE", "REFERENCES", "TRIGGER"];

const SERVER: &str =
    "SELECT current_user::text AS role, current_setting('server_version_num')::int AS version";

const ROLES: &str = "SELECT r.rolname::text AS name, r.rolname = current_user AS self, r.rolsuper, \
    r.rolbypassrls, r.rolcreaterole, r.rolreplication, \
    r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program') AS files \
    FROM pg_roles r WHERE pg_has_role(current_user, r.oid, 'MEMBER')";

const SCHEMAS: &str = "SELECT n.nspname::text AS name, pg_has_role(current_user, n.nspowner, 'MEMBER') AS owned, \
    has_schema_privilege(n.oid, 'CREATE') AS create FROM pg_namespace n WHERE n.nspname = ANY($1)";

const TABLES: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind, \
    c.relrowsecurity, c.relforcerowsecurity, \
    pg_has_role(current_user, c.relowner, 'MEMBER') AS owned, \
    has_table_privilege(c.oid, 'TRUNCATE') AS truncate, \
    has_table_privilege(c.oid, 'REFERENCES') AS references, \
    has_table_privilege(c.oid, 'TRIGGER') AS trigger, \
    EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' \
        AND a.atttypid = 'uuid'::regtype AND NOT a.attisdropped) AS has_org, \
    EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'org_id' \
        AND a.attnotnull AND NOT a.attisdropped) AS org_not_null, \
    EXISTS (SELECT 1 FROM pg_constraint f WHERE f.conrelid = c.oid AND f.contype = 'f' \
        AND f.confrelid = to_regclass('cyprob.organizations')) AS of_organizations \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') \
    AND n.nspname NOT LIKE 'pg_toast%' AND c.relpersistence <> 't'";

const POLICIES: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name, p.polname::text AS policy, \
    p.polcmd::text AS command, p.polpermissive, p.polroles = '{0}'::oid[] AS everyone, \
    pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check \
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace";

/// A key that the database itself numbers says nothing of what is in the rows.
const KEYS: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name, k.relname::text AS key \
    FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_class k ON k.oid = i.indexrelid \
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0] \
    WHERE i.indisunique AND a.attname IS DISTINCT FROM 'org_id' \
    AND NOT (i.indnkeyatts = 1 AND coalesce(a.attidentity, '') = 'a')";

const FOREIGN_KEYS: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name, f.conname::text AS key, \
    tn.nspname::text AS to_schema, t.relname::text AS to_name, \
    a.attname = 'org_id' AND ta.attname = 'org_id' AS by_org \
    FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_class t ON t.oid = f.confrelid JOIN pg_namespace tn ON tn.oid = t.relnamespace \
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = f.conkey[1] \
    JOIN pg_attribute ta ON ta.attrelid = t.oid AND ta.attnum = f.confkey[1] WHERE f.contype = 'f'";

const VIEWS: &str = "SELECT DISTINCT vn.nspname::text AS view_schema, v.relname::text AS view_name, \
    v.relkind::text AS kind, n.nspname::text AS schema, c.relname::text AS name, \
    coalesce(v.reloptions && ARRAY['security_invoker=true', 'security_invoker=on', 'security_invoker=1'], false) AS invoker \
    FROM pg_rewrite r JOIN pg_class v ON v.oid = r.ev_class JOIN pg_namespace vn ON vn.oid = v.relnamespace \
    JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass \
    JOIN pg_class c ON c.oid = d.refobjid JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE v.relkind IN ('v', 'm') AND c.oid <> v.oid";

const FUNCTIONS: &str = "SELECT p.oid::regprocedure::text AS function, o.rolname::text AS owner \
    FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace \
    WHERE p.prosecdef AND (o.rolsuper OR o.rolbypassrls) AND has_function_privilege(p.oid, 'EXECUTE') \
    AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

const CHILDREN: &str = "SELECT n.nspname::text AS schema, c.relname::text AS name, \
    kn.nspname::text AS child_schema, k.relname::text AS child_name \
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhparent JOIN pg_namespace n ON n.oid = c.relnamespace \
    JOIN pg_class k ON k.oid = i.inhrelid JOIN pg_namespace kn ON kn.oid = k.relnamespace \
    WHERE k.relkind IN ('r', 'p', 'f')";

/// A table, by schema and name.
type Name = (String, String);

fn name(row: &PgRow, schema: &str, name: &str) -> Result<Name, Error> {
    Ok((row.try_get(schema)?, row.try_get(name)?))
}

fn text(name: &Name) -> String {
    format!("{}.{}", name.0, name.1)
}

/// The catalogues of one database, held against what is declared.
pub(super) struct Catalog<'c> {
    connection: &'c mut PgConnection,
    declared: BTreeMap<Name, Table>,
    role: String,
    faults: BTreeSet<Fault>,
}

impl<'c> Catalog<'c> {
    pub(super) fn new(connection: &'c mut PgConnection, declared: Vec<Table>) -> Self {
        let by_name = |table: Table| {
            let name = (table.schema().to_owned(), table.name().to_owned());
            (name, table)
        };
        Self {
            connection,
            declared: declared.into_iter().map(by_name).collect(),
            role: String::new(),
            faults: BTreeSet::new(),
        }
    }

    /// Every fault, in order.
    pub(super) async fn faults(mut self) -> Result<Vec<Fault>, Error> {
        self.server().await?;
        self.roles().await?;
        self.schemas().await?;
        self.tables().await?;
        self.policies().await?;
        self.keys().await?;
        self.foreign_keys().await?;
        self.views().await?;
        self.functions().await?;
        self.children().await?;
        Ok(self.faults.into_iter().collect())
    }

    async fn rows(&mut self, statement: &'static str) -> Result<Vec<PgRow>, Error> {
        sqlx::query(statement)
            .fetch_all(&mut *self.connection)
            .await
    }

    fn add(&mut self, fault: Fault) {
        self.faults.insert(fault);
    }

    /// The declaration of a table whose rows are of organizations.
    fn tenant(&self, name: &Name) -> Option<Table> {
        self.declared
            .get(name)
            .filter(|table| table.kind != Kind::Global)
            .copied()
    }

    async fn server(&mut self) -> Result<(), Error> {
        for row in self.rows(SERVER).await? {
            self.role = row.try_get("role")?;
            let found = row.try_get("version")?;
            let needed = rules::needed(found);
            if found < needed {
                self.add(Fault::OldServer { found, needed });
            }
        }
        Ok(())
    }

    async fn roles(&mut self) -> Result<(), Error> {
        for row in self.rows(ROLES).await? {
            let powers = [
                ("rolsuper", "a superuser"),
                ("rolbypassrls", "BYPASSRLS"),
                ("rolcreaterole", "CREATEROLE"),
                ("rolreplication", "REPLICATION"),
                ("files", "one that reads or writes the server's files"),
            ];
            for (column, what) in powers {
                if !row.try_get::<bool, _>(column)? {
                    continue;
                }
                let role = self.role.clone();
                self.add(if row.try_get("self")? {
                    Fault::Role { role, what }
                } else {
                    let other = row.try_get("name")?;
                    Fault::Membership {
                        role,
                        other,
                        why: what,
                    }
                });
            }
        }
        Ok(())
    }

    async fn schemas(&mut self) -> Result<(), Error> {
        let schemas: BTreeSet<String> = self
            .declared
            .keys()
            .map(|(schema, _)| schema.clone())
            .collect();
        let rows = sqlx::query(SCHEMAS)
            .bind(schemas.into_iter().collect::<Vec<_>>())
            .fetch_all(&mut *self.connection)
            .await?;
        for row in rows {
            let (role, thing) = (
                self.role.clone(),
                format!("schema {}", row.try_get::<String, _>("name")?),
            );
            if row.try_get("owned")? {
                self.add(Fault::Owner { role, thing });
            } else if row.try_get("create")? {
                let right = "CREATE";
                self.add(Fault::Right { role, right, thing });
            }
        }
        Ok(())
    }

    async fn tables(&mut self) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for row in self.rows(TABLES).await? {
            let name = name(&row, "schema", "name")?;
            let table = text(&name);
            there.insert(name.clone());
            let Some(declared) = self.declared.get(&name).copied() else {
                // In our schema nothing may be forgotten; elsewhere what names an organization.
                if name.0 == super::super::options::SCHEMA || row.try_get("of_organizations")? {
                    self.add(Fault::Forgotten { table });
                }
                continue;
            };
            if row.try_get("owned")? {
                let (role, thing) = (self.role.clone(), table.clone());
                self.add(Fault::Owner { role, thing });
            }
            let has_org: bool = row.try_get("has_org")?;
            match declared.kind {
                Kind::Global if has_org => self.add(Fault::Forgotten { table }),
                Kind::Global => {}
                Kind::Tenant | Kind::Mixed => {
                    let never_null: bool = row.try_get("org_not_null")?;
                    if !has_org || (declared.kind == Kind::Tenant && !never_null) {
                        let table = table.clone();
                        self.add(Fault::NoOrganization { table });
                    }
                    self.secured(&row, table)?;
                }
            }
        }
        for name in self.declared.keys().filter(|name| !there.contains(*name)) {
            self.faults.insert(Fault::Missing { table: text(name) });
        }
        Ok(())
    }

    /// What must hold of a table whose rows are of organizations.
    fn secured(&mut self, row: &PgRow, table: String) -> Result<(), Error> {
        for right in RIGHTS {
            if row.try_get(right.to_lowercase().as_str())? {
                let (role, thing) = (self.role.clone(), table.clone());
                self.add(Fault::Right { role, right, thing });
            }
        }
        if !row.try_get::<bool, _>("relforcerowsecurity")? {
            let table = table.clone();
            self.add(Fault::NotForced { table });
        }
        if !row.try_get::<bool, _>("relrowsecurity")? {
            self.add(Fault::NotEnabled { table });
        }
        Ok(())
    }

    async fn policies(&mut self) -> Result<(), Error> {
        let mut found: BTreeMap<Name, Vec<Policy>> = BTreeMap::new();
        for row in self.rows(POLICIES).await? {
            let policy = Policy {
                name: row.try_get("policy")?,
                command: row.try_get("command")?,
                permissive: row.try_get("polpermissive")?,
                everyone: row.try_get("everyone")?,
                using: row.try_get("using")?,
                check: row.try_get("check")?,
            };
            found
                .entry(name(&row, "schema", "name")?)
                .or_default()
                .push(policy);
        }
        let tenants: Vec<_> = self
            .declared
            .iter()
            .filter(|(_, table)| table.kind != Kind::Global)
            .map(|(name, table)| (name.clone(), rules::expected(table)))
            .collect();
        for (name, expected) in tenants {
            let there = found.remove(&name).unwrap_or_default();
            for policy in [HELD, OWN] {
                let wanted = expected.iter().any(|one| one.name == policy);
                if wanted && !there.iter().any(|one| one.name == policy) {
                    let table = text(&name);
                    self.add(Fault::NoPolicy { table, policy });
                }
            }
            // A restrictive policy more lets nothing through.
            for one in there {
                if one.permissive && !expected.contains(&one) {
                    let (table, policy) = (text(&name), one.name);
                    self.add(Fault::Policy { table, policy });
                }
            }
        }
        Ok(())
    }

    async fn keys(&mut self) -> Result<(), Error> {
        for row in self.rows(KEYS).await? {
            let name = name(&row, "schema", "name")?;
            if self.tenant(&name).is_some() {
                let (table, key) = (text(&name), row.try_get("key")?);
                self.add(Fault::Key { table, key });
            }
        }
        Ok(())
    }

    /// A key to a table of no organization tells nothing that its rows do not.
    async fn foreign_keys(&mut self) -> Result<(), Error> {
        for row in self.rows(FOREIGN_KEYS).await? {
            let to = name(&row, "to_schema", "to_name")?;
            if self.tenant(&to).is_some() && !row.try_get::<bool, _>("by_org")? {
                let table = text(&name(&row, "schema", "name")?);
                let key = row.try_get("key")?;
                self.add(Fault::ForeignKey { table, key });
            }
        }
        Ok(())
    }

    /// Views over tenant tables, and views over those.
    async fn views(&mut self) -> Result<(), Error> {
        let rows = self.rows(VIEWS).await?;
        let mut looked_through: BTreeSet<Name> = self
            .declared
            .iter()
            .filter(|(_, table)| table.kind != Kind::Global)
            .map(|(name, _)| name.clone())
            .collect();
        loop {
            let before = looked_through.len();
            for row in &rows {
                let (view, of) = (
                    name(row, "view_schema", "view_name")?,
                    name(row, "schema", "name")?,
                );
                if !looked_through.contains(&of) {
                    continue;
                }
                let (shown, table) = (text(&view), text(&of));
                if row.try_get::<String, _>("kind")? == "m" {
                    self.add(Fault::MaterializedView { view: shown, table });
                } else if !row.try_get::<bool, _>("invoker")? {
                    self.add(Fault::View { view: shown, table });
                }
                looked_through.insert(view);
            }
            if looked_through.len() == before {
                return Ok(());
            }
        }
    }

    async fn functions(&mut self) -> Result<(), Error> {
        for row in self.rows(FUNCTIONS).await? {
            let (function, owner) = (row.try_get("function")?, row.try_get("owner")?);
            self.add(Fault::Function { function, owner });
        }
        Ok(())
    }

    async fn children(&mut self) -> Result<(), Error> {
        for row in self.rows(CHILDREN).await? {
            let name_of = name(&row, "schema", "name")?;
            if self.tenant(&name_of).is_some() {
                let child = text(&name(&row, "child_schema", "child_name")?);
                let table = text(&name_of);
                self.add(Fault::Child { table, child });
            }
        }
        Ok(())
    }
}
