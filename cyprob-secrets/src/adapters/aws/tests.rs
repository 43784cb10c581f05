mod over_moto;
mod over_moto_checkup;
mod over_moto_faults;
mod over_moto_identity;
mod over_moto_traces;
mod stand;

use super::*;

#[test]
fn a_region_is_part_of_a_host() {
    for good in ["eu-central-1", "us-gov-west-1", "local", "aa"] {
        assert_eq!(good.parse::<AwsRegion>().unwrap().to_string(), good);
    }
    let long = "a".repeat(33);
    for bad in [
        "",
        "a",
        "EU",
        "eu.evil.example",
        "eu/",
        "eu-",
        "-eu",
        "1-eu",
        "eu central",
        &long,
    ] {
        let refused = bad.parse::<AwsRegion>();
        assert_eq!(refused.unwrap_err(), AwsConfigError::Region, "{bad}");
    }
}

#[test]
fn an_endpoint_in_the_clear_is_this_machine_s_or_dangerous() {
    for good in [
        "https://vpce-0.secretsmanager.eu-central-1.vpce.amazonaws.com",
        "https://10.0.0.1:8443",
        "http://127.0.0.1:5000",
        "http://[::1]:5000",
        "http://localhost",
    ] {
        assert_eq!(good.parse::<AwsEndpoint>().unwrap().as_str(), good);
    }
    for clear in [
        "http://10.0.0.1",
        "http://localhost.evil.example",
        "http://aws:80",
    ] {
        let refused = clear.parse::<AwsEndpoint>().unwrap_err();
        assert_eq!(refused, AwsConfigError::Cleartext, "{clear}");
        assert_eq!(AwsEndpoint::dangerous(clear).unwrap().as_str(), clear);
    }
    for bad in [
        "",
        "https://",
        "aws.example",
        "HTTPS://a.example",
        "ftp://a.example",
        "https://a.example/",
        "https://a.example/path",
        "https://user@a.example",
        "https://a.example?x",
        "https://a.example#x",
        "https://a.example:0",
        "http://http://a.example",
    ] {
        let refused = bad.parse::<AwsEndpoint>().unwrap_err();
        assert_eq!(refused, AwsConfigError::Endpoint, "{bad}");
        assert!(AwsEndpoint::dangerous(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_role_is_named_by_its_arn_and_taken_under_a_name() {
    let new = |role: &str, session: &str| AwsWebIdentity::new(role, session, "/token".into());
    let role = "arn:aws:iam::123456789012:role/cyprob";
    assert!(new(role, "node-1").is_ok());
    assert!(new("arn:aws-cn:iam::123456789012:role/a/b+c", "a@b").is_ok());
    for bad in [
        "",
        "cyprob",
        "arn:aws:iam::1:user/a",
        "arn:aws:iam::1:role/a b",
        "arn:role/\n",
    ] {
        assert_eq!(new(bad, "node-1").unwrap_err(), AwsConfigError::Role);
    }
    let long = "a".repeat(65);
    for bad in ["", "a", "a b", "a/b", &long] {
        assert_eq!(new(role, bad).unwrap_err(), AwsConfigError::Session);
    }
}

#[test]
fn no_configuration_prints_a_key() {
    let keys = AwsKeys::new("AKIDEXAMPLE", "s3cr3t-k3y".into());
    let keys = keys.with_session_token("s3ss10n-t0k3n".into());
    let region = "eu-central-1".parse().unwrap();
    let provider = AwsProvider::new(AwsConfig::new(region, AwsCredentials::Keys(keys)));
    let shown = format!("{provider:?} {provider:#?} {:?}", provider.client);
    assert!(shown.contains("AKIDEXAMPLE"));
    assert!(!shown.contains("s3cr3t-k3y") && !shown.contains("s3ss10n-t0k3n"));
}
