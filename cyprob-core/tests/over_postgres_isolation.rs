//! ISO-2 on PostgreSQL: the runtime role sees nothing that it is not bound to, and a database
//! in which that does not hold is refused by name. Each way past the isolation is made on purpose.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test reports by panicking"
)]

mod over_postgres {
    use cyprob_core::adapters::postgres::{Component, Fault, IsolationError, Table};
    use cyprob_core::testkit::postgres::{AUDITOR, Database, OWNER, RUNTIME, Template};
    use sqlx::{AssertSqlSafe, PgConnection, Row as _};

    static EMPTY: Template = Template::new(|| vec![Component::CORE]);

    /// The tables with rows of organizations.
    const TENANT: [&str; 8] = [
        "memberships",
        "invitations",
        "grants",
        "revocations",
        "audit_outbox",
        "roles",
        "service_accounts",
        "service_keys",
    ];

    async fn run(connection: &mut PgConnection, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(connection)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn count(connection: &mut PgConnection, table: &str) -> i64 {
        let sql = AssertSqlSafe(format!("SELECT count(*) AS n FROM {table}"));
        let row = sqlx::query(sql).fetch_one(connection).await.unwrap();
        row.get("n")
    }

    async fn faults(database: &Database, host: &[Table]) -> Vec<Fault> {
        let store = database.store().await;
        match store.verify_isolation(&[&Component::CORE], host).await {
            Ok(()) => Vec::new(),
            Err(IsolationError::Faults(faults)) => faults,
            Err(other) => panic!("{other}"),
        }
    }

    /// Two organizations with a row in each tenant table.
    async fn filled() -> Database {
        let database = EMPTY.database().await;
        let mut superuser = database.superuser().await;
        run(
            &mut superuser,
            "SET search_path = cyprob;
             INSERT INTO users SELECT gen_random_uuid(), 'p' || n, true, 'p', NULL, 1, false, NULL, 0 FROM generate_series(1, 2) n;
             INSERT INTO organizations SELECT gen_random_uuid(), 'o' || n, 'o', NULL, 0 FROM generate_series(1, 2) n;
             INSERT INTO sessions SELECT gen_random_uuid(), id, decode(repeat('00', 32), 'hex'), 0, 1, NULL, 0, 1, 0, 1, 0, 0, 9, 9 FROM users;
             INSERT INTO memberships SELECT o.id, u.id, 'owner', 1, 0 FROM organizations o, users u;
             INSERT INTO invitations SELECT id, gen_random_uuid(), 'x', 'viewer', NULL, decode(repeat('0' || substr(slug, 2), 32), 'hex'), 0, 9 FROM organizations;
             INSERT INTO grants SELECT o.id, s.id, 0 FROM organizations o, sessions s;
             INSERT INTO revocations (kind, subject, org_id, epoch, expires_at) SELECT 4, gen_random_uuid(), id, 1, 9 FROM organizations;
             INSERT INTO audit_outbox (org_id, id, body) SELECT id, gen_random_uuid(), '{}' FROM organizations;
             INSERT INTO roles SELECT id, gen_random_uuid(), 'triage', 'org:read', 1, 0, 0 FROM organizations;
             INSERT INTO service_accounts SELECT o.id, gen_random_uuid(), 'm', 'triage', (SELECT id FROM users LIMIT 1), 1, 0 FROM organizations o;
             INSERT INTO service_keys SELECT org_id, gen_random_uuid(), id, decode(repeat('00', 32), 'hex'), 0, 9 FROM service_accounts;",
        )
        .await;
        database
    }

    /// ISO-2: without an organization the runtime role sees no row and writes none.
    #[tokio::test]
    async fn without_an_organization_there_are_no_rows() {
        let database = filled().await;
        for role in [RUNTIME, OWNER, AUDITOR] {
            let mut connection = database.connect(role).await;
            for table in TENANT {
                assert_eq!(count(&mut connection, table).await, 0, "{role} {table}");
            }
        }
        let mut runtime = database.connect(RUNTIME).await;
        for sql in [
            "UPDATE memberships SET role = 'owner'",
            "DELETE FROM grants",
            "DELETE FROM audit_outbox",
        ] {
            let done = sqlx::query(sql).execute(&mut runtime).await.unwrap();
            assert_eq!(done.rows_affected(), 0, "{sql}");
        }
        for sql in [
            "INSERT INTO memberships SELECT id, gen_random_uuid(), 'owner', 1, 0 FROM organizations LIMIT 1",
            "INSERT INTO audit_outbox (org_id, id, body) SELECT id, gen_random_uuid(), '' FROM organizations LIMIT 1",
        ] {
            let refused = sqlx::query(sql).execute(&mut runtime).await;
            let text = refused.unwrap_err().to_string();
            assert!(text.contains("row-level security"), "{text}");
        }
    }

    /// ISO-2: bound to one organization it sees that one's rows, and the setting ends with the transaction.
    #[tokio::test]
    async fn a_binding_is_to_one_organization_and_ends_with_its_transaction() {
        let database = filled().await;
        let mut runtime = database.connect(RUNTIME).await;
        let org: String =
            sqlx::query("SELECT replace(id::text, '-', '') AS id FROM organizations LIMIT 1")
                .fetch_one(&mut runtime)
                .await
                .unwrap()
                .get("id");
        run(
            &mut runtime,
            &format!("BEGIN; SELECT set_config('cyprob.org', '{org}', true)"),
        )
        .await;
        for (table, rows) in TENANT.into_iter().zip([2, 1, 2, 1, 1, 1, 1, 1]) {
            assert_eq!(count(&mut runtime, table).await, rows, "{table}");
        }
        let moved = "UPDATE memberships SET org_id = (SELECT id FROM organizations WHERE replace(id::text, '-', '') <> current_setting('cyprob.org'))";
        let text = sqlx::query(moved)
            .execute(&mut runtime)
            .await
            .unwrap_err()
            .to_string();
        assert!(text.contains("row-level security"), "{text}");
        run(&mut runtime, "ROLLBACK").await;
        for table in TENANT {
            assert_eq!(count(&mut runtime, table).await, 0, "{table}");
        }
    }

    #[tokio::test]
    async fn what_the_migrations_make_is_sound() {
        let database = EMPTY.database().await;
        assert_eq!(faults(&database, &[]).await, []);
    }

    /// A way past the isolation, and the fault that must name it.
    struct Bypass {
        made_by: &'static str,
        named: fn(&Fault) -> bool,
    }

    const BYPASSES: &[Bypass] = &[
        Bypass {
            made_by: "CREATE TABLE cyprob.forgotten (org_id UUID NOT NULL)",
            named: |fault| matches!(fault, Fault::Forgotten { table } if table == "cyprob.forgotten"),
        },
        Bypass {
            made_by: "CREATE TABLE public.elsewhere (tenant UUID REFERENCES cyprob.organizations (id))",
            named: |fault| matches!(fault, Fault::Forgotten { table } if table == "public.elsewhere"),
        },
        Bypass {
            made_by: "ALTER TABLE cyprob.users ADD COLUMN org_id UUID",
            named: |fault| matches!(fault, Fault::Forgotten { table } if table == "cyprob.users"),
        },
        Bypass {
            made_by: "DROP TABLE cyprob.bootstrap",
            named: |fault| matches!(fault, Fault::Missing { table } if table == "cyprob.bootstrap"),
        },
        Bypass {
            made_by: "ALTER TABLE cyprob.grants DISABLE ROW LEVEL SECURITY",
            named: |fault| matches!(fault, Fault::NotEnabled { table } if table == "cyprob.grants"),
        },
        Bypass {
            made_by: "ALTER TABLE cyprob.grants NO FORCE ROW LEVEL SECURITY",
            named: |fault| matches!(fault, Fault::NotForced { table } if table == "cyprob.grants"),
        },
        Bypass {
            made_by: "CREATE POLICY open ON cyprob.grants USING (true)",
            named: |fault| matches!(fault, Fault::Policy { policy, .. } if policy == "open"),
        },
        Bypass {
            made_by: "ALTER POLICY held ON cyprob.invitations USING (org_id IS NOT NULL)",
            named: |fault| matches!(fault, Fault::Policy { table, policy } if table == "cyprob.invitations" && policy == "held"),
        },
        Bypass {
            made_by: "DROP POLICY held ON cyprob.invitations",
            named: |fault| matches!(fault, Fault::NoPolicy { table, policy: "held" } if table == "cyprob.invitations"),
        },
        Bypass {
            made_by: "DROP POLICY own ON cyprob.memberships",
            named: |fault| matches!(fault, Fault::NoPolicy { policy: "own", .. }),
        },
        Bypass {
            made_by: "ALTER TABLE cyprob.memberships DROP CONSTRAINT memberships_pkey; ALTER TABLE cyprob.memberships ALTER org_id DROP NOT NULL",
            named: |fault| matches!(fault, Fault::NoOrganization { table } if table == "cyprob.memberships"),
        },
        Bypass {
            made_by: "CREATE UNIQUE INDEX by_token ON cyprob.invitations (token)",
            named: |fault| matches!(fault, Fault::Key { key, .. } if key == "by_token"),
        },
        Bypass {
            made_by: "CREATE UNIQUE INDEX by_text ON cyprob.invitations (lower(email))",
            named: |fault| matches!(fault, Fault::Key { key, .. } if key == "by_text"),
        },
        Bypass {
            made_by: "CREATE UNIQUE INDEX i ON cyprob.invitations (org_id, id); ALTER TABLE cyprob.users ADD COLUMN i UUID, ADD COLUMN o UUID, ADD CONSTRAINT tells FOREIGN KEY (o, i) REFERENCES cyprob.invitations (org_id, id)",
            named: |fault| matches!(fault, Fault::ForeignKey { table, key } if table == "cyprob.users" && key == "tells"),
        },
        Bypass {
            made_by: "CREATE MATERIALIZED VIEW public.all_grants AS SELECT * FROM cyprob.grants",
            named: |fault| matches!(fault, Fault::MaterializedView { view, table } if view == "public.all_grants" && table == "cyprob.grants"),
        },
        Bypass {
            made_by: "CREATE VIEW cyprob.v AS SELECT * FROM cyprob.grants",
            named: |fault| matches!(fault, Fault::View { view, .. } if view == "cyprob.v"),
        },
        Bypass {
            made_by: "CREATE VIEW public.a WITH (security_invoker = true) AS SELECT * FROM cyprob.grants; CREATE VIEW public.b AS SELECT * FROM public.a",
            named: |fault| matches!(fault, Fault::View { view, table } if view == "public.b" && table == "public.a"),
        },
        Bypass {
            made_by: "CREATE FUNCTION public.peek() RETURNS bigint SECURITY DEFINER LANGUAGE sql AS 'SELECT count(*) FROM cyprob.grants'",
            named: |fault| matches!(fault, Fault::Function { function, .. } if function == "peek()" || function == "public.peek()"),
        },
        Bypass {
            made_by: "CREATE TABLE public.child () INHERITS (cyprob.grants)",
            named: |fault| matches!(fault, Fault::Child { child, table } if child == "public.child" && table == "cyprob.grants"),
        },
        Bypass {
            made_by: "GRANT TRUNCATE ON cyprob.grants TO cyprob_runtime",
            named: |fault| matches!(fault, Fault::Right { right: "TRUNCATE", thing, .. } if thing == "cyprob.grants"),
        },
        Bypass {
            made_by: "GRANT REFERENCES ON cyprob.grants TO PUBLIC",
            named: |fault| {
                matches!(
                    fault,
                    Fault::Right {
                        right: "REFERENCES",
                        ..
                    }
                )
            },
        },
        Bypass {
            made_by: "GRANT TRIGGER ON cyprob.grants TO cyprob_runtime",
            named: |fault| {
                matches!(
                    fault,
                    Fault::Right {
                        right: "TRIGGER",
                        ..
                    }
                )
            },
        },
        Bypass {
            made_by: "GRANT CREATE ON SCHEMA cyprob TO cyprob_runtime",
            named: |fault| matches!(fault, Fault::Right { right: "CREATE", thing, .. } if thing == "schema cyprob"),
        },
        Bypass {
            made_by: "ALTER TABLE cyprob.sessions OWNER TO cyprob_runtime",
            named: |fault| matches!(fault, Fault::Owner { thing, .. } if thing == "cyprob.sessions"),
        },
        Bypass {
            made_by: "ALTER SCHEMA cyprob OWNER TO cyprob_runtime",
            named: |fault| matches!(fault, Fault::Owner { thing, .. } if thing == "schema cyprob"),
        },
    ];

    #[tokio::test]
    async fn each_way_past_it_is_named() {
        for bypass in BYPASSES {
            let database = EMPTY.database().await;
            run(&mut database.superuser().await, bypass.made_by).await;
            let faults = faults(&database, &[]).await;
            assert!(
                faults.iter().any(bypass.named),
                "{}: {faults:?}",
                bypass.made_by
            );
            let found = faults.iter().find(|fault| (bypass.named)(fault)).unwrap();
            println!("{}\n  -> {found}", bypass.made_by);
        }
    }

    /// Roles are the whole server's, so each of these has one of its own.
    #[tokio::test]
    async fn a_role_that_is_not_held_to_policies_is_named() {
        let database = EMPTY.database().await;
        let mut superuser = database.superuser().await;
        for (kind, made_by, named) in [
            ("bypass", "CREATE ROLE ROLE LOGIN BYPASSRLS", "BYPASSRLS"),
            ("super", "CREATE ROLE ROLE LOGIN SUPERUSER", "a superuser"),
            ("maker", "CREATE ROLE ROLE LOGIN CREATEROLE", "CREATEROLE"),
            (
                "copier",
                "CREATE ROLE ROLE LOGIN REPLICATION",
                "REPLICATION",
            ),
            (
                "files",
                "CREATE ROLE ROLE LOGIN; GRANT pg_read_server_files TO ROLE",
                "may become pg_read_server_files",
            ),
            (
                "heir",
                "CREATE ROLE ROLE LOGIN; GRANT cyprob_owner TO ROLE",
                "owns cyprob.grants",
            ),
            (
                "changer",
                "CREATE ROLE ROLE LOGIN NOINHERIT; GRANT cyprob_owner TO ROLE",
                "owns cyprob.grants",
            ),
        ] {
            let role = format!("cyprob_{kind}_{}", std::process::id());
            run(
                &mut superuser,
                &made_by
                    .replace("ROLE ROLE", &format!("ROLE {role}"))
                    .replace("TO ROLE", &format!("TO {role}")),
            )
            .await;
            let grant = format!("SELECT cyprob.grant_roles('{role}', '{role}')");
            run(&mut superuser, &grant).await;
            let options = database.options().with_role(&role);
            let store = cyprob_core::adapters::postgres::PostgresStore::open(&options)
                .await
                .unwrap();
            let verified = store.verify_isolation(&[&Component::CORE], &[]).await;
            let text = verified.unwrap_err().to_string();
            assert!(text.contains(named), "{kind}: {text}");
            store.close().await;
            run(
                &mut superuser,
                &format!("DROP OWNED BY {role}; DROP ROLE {role}"),
            )
            .await;
        }
    }

    /// A host's own table takes part, by its declaration and one call.
    #[tokio::test]
    async fn a_hosts_own_table_takes_part() {
        const SCANS: Table = Table::tenant("public.scans");
        let database = EMPTY.database().await;
        let mut superuser = database.superuser().await;
        run(
            &mut superuser,
            "CREATE TABLE public.scans (org_id UUID NOT NULL REFERENCES cyprob.organizations (id), id UUID NOT NULL, PRIMARY KEY (org_id, id))",
        )
        .await;
        let without = faults(&database, &[SCANS]).await;
        assert!(
            without.iter().any(
                |fault| matches!(fault, Fault::NotEnabled { table } if table == "public.scans")
            ),
            "{without:?}"
        );
        run(
            &mut superuser,
            "SELECT cyprob.hold_to_organization('public.scans', false)",
        )
        .await;
        assert_eq!(faults(&database, &[SCANS]).await, []);
        let undeclared = faults(&database, &[]).await;
        assert!(
            matches!(undeclared.as_slice(), [Fault::Forgotten { .. }]),
            "{undeclared:?}"
        );
    }
}
