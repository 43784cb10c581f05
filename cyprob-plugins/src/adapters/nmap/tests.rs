use super::*;
use crate::domain::Value;

fn scan(ports: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE nmaprun>\n<?xml-stylesheet href=\"file:///x\" type=\"text/xsl\"?>\n<!-- n -->\n\
         <nmaprun start=\"1700000000\"><host><address addr=\"AA:BB\" addrtype=\"mac\"/><address addr=\"10.0.0.1\" addrtype=\"ipv4\"/>\
         <ports>{ports}</ports></host><runstats><finished time=\"1735689600\"/></runstats></nmaprun>"
    )
}

fn one(port: &str) -> FactSet {
    read(&scan(port), &Limits::facts()).unwrap().remove(0)
}

fn text<'a>(set: &'a FactSet, key: &str) -> &'a str {
    match set.get(key) {
        Some(Value::String(text)) => text,
        other => panic!("{key}: {other:?}"),
    }
}

#[test]
fn ssh_by_the_table() {
    let set = one(
        "<port protocol=\"tcp\" portid=\"22\"><state state=\"open\"/><service name=\"ssh\" product=\"OpenSSH\" version=\"9.2p1 Debian 2\"/>\
         <script id=\"ssh2-enum-algos\" output=\"x\"><table key=\"kex_algorithms\"><elem>a</elem><elem>b</elem></table>\
         <table key=\"mac_algorithms\"><elem>m</elem></table><table key=\"encryption_algorithms\"><elem>e</elem></table></script>\
         <script id=\"ssh-hostkey\" output=\"\n key &amp; more\"/></port>",
    );
    assert_eq!((set.target(), set.port()), ("10.0.0.1", Some(22)));
    assert_eq!(text(&set, "ssh.version"), "OpenSSH_9.2p1");
    assert_eq!(text(&set, "ssh.banner"), "SSH-2.0-OpenSSH_9.2p1");
    assert_eq!(text(&set, "service.version"), "9.2p1 Debian 2");
    assert_eq!(set.get("service.port"), Some(&Value::Int(22)));
    assert_eq!(
        set.get("ssh.kex_algorithms"),
        Some(&Value::texts(["a", "b"]))
    );
    assert_eq!(text(&set, "nmap.ssh-hostkey"), "key & more");
}

#[test]
fn http_and_tls_by_the_table() {
    let set = one(
        "<port portid=\"443\"><state state=\"open\"/><service name=\"http\" tunnel=\"ssl\"/>\
         <script id=\"http-headers\" output=\"&#xa;  HTTP/1.1 200 OK&#xa;  Server: nginx&#xa;  X-A: 1&#xa;  x-a: 2&#xa;  (Request type: HEAD)&#xa;\"/>\
         <script id=\"http-title\" output=\"T\"><elem key=\"title\">Welcome</elem></script>\
         <script id=\"ssl-enum-ciphers\" output=\"\"><table key=\"TLSv1.2\"><table key=\"ciphers\"><table><elem key=\"name\">B</elem></table></table></table>\
         <table key=\"TLSv1.0\"><table key=\"ciphers\"><table><elem key=\"name\">A</elem></table></table></table><elem key=\"least strength\">C</elem></script>\
         <script id=\"ssl-cert\" output=\"\"><table key=\"subject\"><elem key=\"commonName\">h</elem></table><table key=\"issuer\"><elem key=\"commonName\">h</elem></table>\
         <table key=\"extensions\"><table><elem key=\"name\">X509v3 Subject Alternative Name</elem><elem key=\"value\">DNS:h, IP Address:1.2.3.4, DNS:g</elem></table></table>\
         <table key=\"validity\"><elem key=\"notBefore\">2023-01-01T00:00:00</elem><elem key=\"notAfter\">2025-01-01T00:00:00</elem></table></script></port>",
    );
    assert_eq!(set.get("http.status"), Some(&Value::Int(200)));
    assert_eq!(text(&set, "http.headers.x-a"), "1, 2");
    assert_eq!(text(&set, "http.server"), "nginx");
    assert_eq!(text(&set, "http.title"), "Welcome");
    assert_eq!(text(&set, "tls.version"), "TLSv1.0");
    assert_eq!(text(&set, "tls.cipher"), "A");
    assert_eq!(
        set.get("tls.supported_versions"),
        Some(&Value::texts(["TLSv1.0", "TLSv1.2"]))
    );
    assert_eq!(
        set.get("tls.certificate.is_self_signed"),
        Some(&Value::Bool(true))
    );
    // Valid while at < not_after: at that very second it is expired.
    assert_eq!(
        set.get("tls.certificate.is_expired"),
        Some(&Value::Bool(true))
    );
    assert_eq!(
        set.get("tls.certificate.dns_names"),
        Some(&Value::texts(["h", "g"]))
    );
    assert_eq!(
        set.get("tls.certificate.not_after").unwrap().type_name(),
        "a time"
    );
}

#[test]
fn the_other_services() {
    let set = one(
        "<port portid=\"6379\"><state state=\"open\"/><service name=\"redis\" product=\"Redis key-value store\" version=\"7.0\"/><script id=\"redis-info\" output=\"Version: 7\"/></port>",
    );
    assert_eq!(text(&set, "redis.banner"), "Redis key-value store 7.0");
    assert_eq!(set.get("redis.auth_required"), Some(&Value::Bool(false)));
    let set = one(
        "<port portid=\"21\"><state state=\"open\"/><service name=\"ftp\"/><script id=\"banner\" output=\"220 hi\"/><script id=\"ftp-anon\" output=\"Anonymous FTP login allowed (FTP code 230)\"/></port>",
    );
    assert_eq!(text(&set, "ftp.banner"), "220 hi");
    assert_eq!(set.get("ftp.anonymous_login"), Some(&Value::Bool(true)));
    let set = one(
        "<port portid=\"161\" protocol=\"udp\"><state state=\"open\"/><service name=\"snmp\" product=\"SNMPv1 server\"/><script id=\"snmp-brute\" output=\"&#xa;  public - Valid credentials&#xa;\"/></port>",
    );
    assert_eq!(
        (text(&set, "snmp.version"), text(&set, "snmp.community")),
        ("SNMPv1", "public")
    );
    let none = read(
        &scan("<port portid=\"1\"><state state=\"closed\"/></port>"),
        &Limits::facts(),
    )
    .unwrap();
    assert!(none.is_empty());
}

#[test]
fn hostile_xml_is_refused_with_its_place() {
    let refused = |text: &str| {
        let d = read(text, &Limits::facts()).unwrap_err();
        (d.code, d.line)
    };
    let laughs = "<?xml version=\"1.0\"?>\n<!DOCTYPE nmaprun [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>\n<nmaprun>&b;</nmaprun>";
    assert_eq!(refused(laughs), (Code::DocumentType, 2));
    assert_eq!(
        refused("<!DOCTYPE nmaprun SYSTEM \"http://x/y\"><nmaprun/>").0,
        Code::DocumentType
    );
    assert_eq!(
        refused("<!DOCTYPE nmaprun PUBLIC \"a\" \"b\"><nmaprun/>").0,
        Code::DocumentType
    );
    assert_eq!(
        refused("<!DOCTYPE nmaprun><!DOCTYPE nmaprun><nmaprun/>").0,
        Code::DocumentType
    );
    assert_eq!(refused("<!DOCTYPE html><nmaprun/>").0, Code::DocumentType);
    assert_eq!(refused("<!ENTITY a \"b\"><nmaprun/>").0, Code::DocumentType);
    assert_eq!(
        refused("<nmaprun>\n<!DOCTYPE nmaprun></nmaprun>"),
        (Code::DocumentType, 2)
    );
    assert_eq!(refused("<nmaprun>&x;</nmaprun>").0, Code::Syntax);
    assert_eq!(refused(&"<a>".repeat(1_000_000)).0, Code::TooDeep);
    assert_eq!(
        refused(&format!("<nmaprun>{}</nmaprun>", "<a/>".repeat(600_000))).0,
        Code::TooManyNodes
    );
    let wide: String = (0..100_000).map(|i| format!(" a{i}=\"\"")).collect();
    assert_eq!(refused(&format!("<nmaprun{wide}/>")).0, Code::TooManyNodes);
    assert_eq!(refused("<html/>").0, Code::BadFacts);
    assert_eq!(refused("<nmaprun>").0, Code::Syntax);
    assert_eq!(refused("<nmaprun a=\"").0, Code::Syntax);
    assert_eq!(
        refused(&scan(
            "<port portid=\"70000\"><state state=\"open\"/></port>"
        ))
        .0,
        Code::BadFacts
    );
    assert_eq!(refused("<!-- never ends").0, Code::Syntax);
}

/// Finding a place walks over the text: it must not be done for each port.
#[test]
fn many_ports_on_one_line_cost_linear_time() {
    let ports = "<port portid=\"1\"><state state=\"open\"/></port>".repeat(50_000);
    #[allow(clippy::disallowed_methods)] // measures the code under test
    let start = std::time::Instant::now();
    assert_eq!(read(&scan(&ports), &Limits::facts()).unwrap().len(), 50_000);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
