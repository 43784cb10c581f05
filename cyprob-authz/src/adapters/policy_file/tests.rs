use super::*;

fn read(text: &str) -> Result<RoleCatalog, String> {
    read_policy(text.as_bytes(), RoleCatalog::builtin()).map_err(|error| {
        let told = error.to_string();
        told.split_once('\n').unwrap().1.to_owned()
    })
}

const DESK: &str = "\
version: 1
roles:
  # Names come in any order.
  night:
    includes: [desk, auditor]
  desk:
    includes: [viewer]
    grants:
      - permissions: [runs:create, plugins:write]
        when:
          aal: 2
          addresses: [10.0.0.0/8, '2001:db8::/32']
          hours: [mon-fri 08:00-18:00, 'sat,sun 10:00-16:00']
";

#[test]
fn a_policy_reads_as_it_is_written() {
    let catalog = read(DESK).unwrap();
    let night = catalog.rights(&"night".parse().unwrap());
    let [grant] = night.conditional() else {
        panic!("{night:?}");
    };
    assert_eq!(
        grant.when.to_string(),
        "signed in with two factors, from 10.0.0.0/8 or 2001:db8::/32, \
         on mon-fri 08:00-18:00 or sat,sun 10:00-16:00"
    );
    assert_eq!(
        format!("{:?}", grant.permissions),
        r#"{"plugins:write", "runs:create"}"#
    );
    // JSON is YAML, and a byte order mark is skipped.
    let json = "\u{feff}{\"version\": 1, \"roles\": {\"desk\": {\"includes\": [\"viewer\"]}}}";
    assert!(read(json).is_ok());
}

#[test]
fn every_fault_names_its_place_and_the_remedy() {
    let refused = read(
        "version: 2
roles:
  desk:
    include: [viewer]
    grants:
      - permissions: [runs:crate, run_everything]
        when: {aal: 3, addresses: [10.0.0.1/8], hours: [mon-fri 8-18]}
      - permissions: []
      - when: {}
  Desk: {includes: [viewer]}
  empty: {}
",
    );
    let expected = "\
1:10: write `version: 1`
4:5: unknown key `include`; a role has `includes`, `grants`
6:23: there is no permission `runs:crate`; is runs:create meant?
6:35: there is no permission `run_everything`
7:21: write 1 for a person's sign-in, 2 for one with two factors
7:36: `10.0.0.1/8` is not an address range in canonical spelling, such as 10.0.0.0/8
7:57: `mon-fri 8-18` is not days and times in UTC, such as mon-fri 08:00-18:00
8:22: `permissions` is a list, of one item at least
9:9: `permissions` is missing
9:15: name a condition, or leave `when` out
10:3: `Desk` is not a role's name: 2 to 63 of a-z, 0-9, _ and -, a letter first
11:10: a role includes others, has grants, or both";
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn what_is_asked_of_an_object_reads_as_it_is_written() {
    let catalog = read(
        "version: 1
roles:
  web:
    grants:
      - permissions: [runs:read]
        when: {own: true}
      - permissions: [runs:read]
        when: {tags: ['team:web', production], aal: 2}
",
    );
    let catalog = catalog.unwrap();
    let web = catalog.rights(&"web".parse().unwrap());
    assert_eq!(
        web.extent(Permission::RunsRead).to_string(),
        "of one's own objects; or of objects tagged production or team:web if signed in with two factors"
    );
}

#[test]
fn every_fault_of_what_is_asked_of_an_object_names_its_place() {
    let many: Vec<_> = (0..17).map(|tag| format!("t{tag}")).collect();
    let refused = read(&format!(
        "version: 1
roles:
  web:
    grants:
      - permissions: [runs:read]
        when: {{own: false}}
      - permissions: [runs:create]
        when: {{own: 1, tags: [Web, web, 'a b', web]}}
      - permissions: [runs:create]
        when: {{tags: [{}]}}
      - permissions: [runs:create]
        when: {{tags: [], owner: true}}
",
        many.join(", ")
    ));
    let expected = "\
6:21: write `own: true`, or leave `own` out for the objects of everybody
8:21: write `own: true`, or leave `own` out for the objects of everybody
8:31: `Web` is not a tag: 1 to 64 of a-z, 0-9 and . _ : / -, a letter or digit first
8:41: `a b` is not a tag: 1 to 64 of a-z, 0-9 and . _ : / -, a letter or digit first
8:48: the tag web is here a second time
10:22: a condition has at most 16 tags
12:22: `tags` is a list, of one item at least
12:26: unknown key `owner`; a condition has `aal`, `addresses`, `hours`, `own`, `tags`";
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn a_grant_of_some_objects_gives_nothing_beside_one_of_all() {
    let refused = read(
        "version: 1
roles:
  web:
    includes: [viewer]
    grants:
      - permissions: [runs:read]
        when: {own: true}
      - permissions: [runs:create]
        when: {tags: [a, b]}
      - permissions: [runs:create]
        when: {own: true, tags: [b]}
      - permissions: [runs:create]
        when: {own: true}
",
    );
    let expected = "\
6:9: the role has all of this without this grant; take it out
10:9: the role has all of this without this grant; take it out";
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn what_a_policy_means_is_checked_where_it_stands() {
    let refused = read(
        "version: 1
roles:
  viewer: {includes: [admin]}
  one: {includes: [two]}
  two: {includes: [one, nobody]}
  idle:
    includes: [viewer]
    grants:
      - permissions: [runs:read]
      - permissions: [runs:create]
        when: {addresses: ['::ffff:10.0.0.0/104']}
",
    );
    let expected = "\
3:3: the name viewer is taken; choose another
5:20: one includes two includes itself; take one of these out
5:25: there is no role nobody to include
9:9: the role has all of this without this grant; take it out
10:9: this condition holds for no request; correct it or take the grant out";
    assert_eq!(refused.unwrap_err(), expected);
}

#[test]
fn hostile_texts_are_refused() {
    let many: String = (0..65)
        .map(|n| format!("  role{n}: {{includes: [viewer]}}\n"))
        .collect();
    for (text, told) in [
        (String::new(), "1:1: the file holds no document"),
        (
            "version: &v 1\nroles: *v".to_owned(),
            "1:10: anchors are not allowed",
        ),
        (
            "version: 1\nversion: 1".to_owned(),
            "2:1: the key `version` is here a second time",
        ),
        (
            "version: 1\nroles: [desk]".to_owned(),
            "2:8: `roles` is a map of names, at least one",
        ),
        (
            "[]".to_owned(),
            "1:1: a policy is a map with `version`, `roles`",
        ),
        (
            "roles: {}".to_owned(),
            "1:1: `version` is missing\n1:8: `roles` is a map",
        ),
        (
            format!("version: 1\nroles:\n{many}"),
            "3:3: a policy has at most 64 roles",
        ),
        ("[".repeat(100_000), "1:17: nested deeper than 16 levels"),
        ("x".repeat(300_000), "longer than 262144 bytes"),
        ("version: 1\0".to_owned(), "1:11: the file holds a NUL byte"),
    ] {
        let refused = read(&text).unwrap_err();
        assert!(refused.contains(told), "{refused}");
    }
    let latin = read_policy(b"version: \xe9", RoleCatalog::builtin());
    assert!(latin.unwrap_err().to_string().contains("1:10"));
}

#[test]
fn distances_are_counted_in_steps() {
    for (from, to, steps) in [
        ("runs:read", "runs:read", 0),
        ("run:read", "runs:read", 1),
        ("runs:raed", "runs:read", 2),
        ("", "abc", 3),
        ("kitten", "sitting", 3),
    ] {
        assert_eq!(distance(from, to), steps, "{from} {to}");
    }
}
