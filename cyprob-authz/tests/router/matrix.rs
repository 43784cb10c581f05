//! AUTHZ-1: every cell of route, caller and organization, driven against the live router.

use cyprob_authz::domain::{AccessClaims, OrgClaims};
use cyprob_authz::http::{Expected, Place};
use cyprob_core::domain::RoleName;

use crate::support::{Site, error};

#[tokio::test]
async fn authz_1_every_cell_behaves_as_the_inventory_says() {
    let site = Site::new();
    let matrix = site.inventory.matrix(site.stand.access.roles());
    let other = site.stand.org("globex", RoleName::OWNER);
    let (mut cells, mut permitted) = (0, 0);
    for row in &matrix.rows {
        let claims = match row.caller.as_str() {
            "anonymous" | "service_account" => None,
            "no_organization" => Some(site.stand.claims(None)),
            "administrator" => Some(AccessClaims {
                administrator: true,
                ..site.stand.claims(None)
            }),
            role => Some(site.claims(role.parse().unwrap())),
        };
        let token = match row.caller.as_str() {
            "service_account" => {
                let org = OrgClaims {
                    role: RoleName::ADMIN,
                    ..site.org.clone()
                };
                Some(site.stand.mint_service(&site.stand.service(org)))
            }
            _ => claims.map(|claims| site.stand.mint(&claims)),
        };
        let org = match row.place {
            Place::Own => site.org.id,
            Place::Foreign => other.id,
        };
        let path = row
            .path
            .replace("{org}", &org.to_string())
            .replace("{id}", "run_7")
            .replace("{name}", "x")
            .replace("{run}", &site.stand.job().run.to_string());
        let before = site.calls();
        let answer = site.call(row.method, &path, token.as_deref()).await;
        let ran = site.calls() > before;
        let what = format!("{} {} {} {:?}", row.method, row.path, row.caller, row.place);
        match row.expected {
            // the routes that fail on purpose count no calls
            Expected::Allowed if row.path == "/panic" || row.path == "/bare-error" => {
                assert_eq!(answer.outcome(), error(500, "internal"), "{what}");
            }
            Expected::Allowed => {
                assert!(ran && answer.status.is_success(), "{what}: {answer:?}");
                permitted += 1;
            }
            expected => {
                assert_eq!(Some(answer.status.as_u16()), expected.status(), "{what}");
                assert!(!ran, "{what}");
            }
        }
        cells += 1;
    }
    println!("AUTHZ-1: {cells} cells, {permitted} permitted");
    assert_eq!(cells, matrix.rows.len());
    assert!(
        permitted > 20 && permitted < cells / 2,
        "{permitted} of {cells}"
    );
}
