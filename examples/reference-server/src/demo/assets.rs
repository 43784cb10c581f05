//! What the demo brings along: plugins and a scan of the project's own making.

/// The plugin files, by name.
pub(super) const PLUGINS: [(&str, &[u8]); 8] = [
    (
        "ftp-anonymous.yaml",
        include_bytes!("../../assets/plugins/ftp-anonymous.yaml"),
    ),
    (
        "http-missing-hsts.yaml",
        include_bytes!("../../assets/plugins/http-missing-hsts.yaml"),
    ),
    (
        "redis-open.yaml",
        include_bytes!("../../assets/plugins/redis-open.yaml"),
    ),
    (
        "ssh-regresshion.yaml",
        include_bytes!("../../assets/plugins/ssh-regresshion.yaml"),
    ),
    (
        "ssh-weak-algorithms.yaml",
        include_bytes!("../../assets/plugins/ssh-weak-algorithms.yaml"),
    ),
    (
        "telnet-open.yaml",
        include_bytes!("../../assets/plugins/telnet-open.yaml"),
    ),
    (
        "tls-certificate.yaml",
        include_bytes!("../../assets/plugins/tls-certificate.yaml"),
    ),
    (
        "tls-old-version.yaml",
        include_bytes!("../../assets/plugins/tls-old-version.yaml"),
    ),
];

/// A scan of two hosts, as Nmap writes it.
pub(super) const SCAN: &[u8] = include_bytes!("../../assets/demo/scan.xml");
