//! An upgrade that nobody would end is refused.

use crate::support::Site;

#[tokio::test]
async fn an_upgrade_without_a_connection_is_refused() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    for path in ["/orgs/acme/careless", "/orgs/acme/dropped"] {
        let mut refused = site.get(path, &token).await;
        assert_eq!(refused.status(), 500, "{path}");
        assert_eq!(refused.header("upgrade"), None);
        assert!(!refused.echoes().await, "{path}");
    }
    site.empty().await;
    let mut socket = site.get("/orgs/acme/socket", &token).await;
    assert_eq!(socket.status(), 101);
    assert!(socket.echoes().await);
    // a session and its person
    assert_eq!(site.holders(), 2);
    drop(socket);
    site.empty().await;
}

#[tokio::test]
async fn who_may_not_call_upgrades_nothing() {
    let site = Site::new().await;
    let token = site.stand.mint(&site.claims());
    for (path, token, status) in [
        ("/orgs/acme/socket", None, 401),
        ("/orgs/globex/socket", Some(&*token), 404),
    ] {
        assert_eq!(site.send("GET", path, token).await.status(), status);
    }
    assert_eq!(site.holders(), 0);
}
