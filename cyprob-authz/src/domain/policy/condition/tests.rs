use super::*;

fn tags(texts: &[&str]) -> BTreeSet<Tag> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn asking(own: bool, texts: &[&str]) -> Condition {
    Condition {
        own,
        tags: tags(texts),
        ..Condition::default()
    }
}

fn about(own: bool, tag: Option<&str>) -> Circumstances {
    Circumstances {
        aal: None,
        address: None,
        at: Timestamp::UNIX_EPOCH,
        object: Some(Object {
            own,
            tag: tag.map(|tag| tag.parse().unwrap()),
        }),
    }
}

#[test]
fn what_is_asked_of_an_object_holds_of_no_request_without_one() {
    let nothing = Circumstances {
        object: None,
        ..about(true, None)
    };
    for (own, texts) in [(true, &[][..]), (false, &["a"]), (true, &["a", "b"])] {
        let condition = asking(own, texts);
        assert!(condition.asks_object() && !condition.is_none());
        assert!(!condition.asks_request());
        assert_eq!(
            condition.objection(&nothing),
            Some(Rule::ConditionObject),
            "{condition}"
        );
        assert_eq!(condition.objection_to_request(&nothing), None);
    }
    assert!(Condition::default().is_none());
    assert!(Condition::default().holds(&nothing));
}

#[test]
fn the_object_is_told_before_the_request() {
    let strong = Condition {
        aal: Some(Aal::Two),
        ..asking(true, &[])
    };
    let others = about(false, None);
    assert_eq!(strong.objection(&others), Some(Rule::ConditionObject));
    let own = about(true, None);
    assert_eq!(strong.objection(&own), Some(Rule::ConditionAal));
    let all = strong.objection_to_request(&others);
    assert_eq!(all, Some(Rule::ConditionAal));
}

/// What a condition asks of an object, it asks once as circumstances and once as a scope.
#[test]
fn a_scope_admits_what_the_condition_does() {
    for own_asked in [false, true] {
        for texts in [&[][..], &["a"], &["a", "b"]] {
            let condition = asking(own_asked, texts);
            for own in [false, true] {
                for tag in [None, Some("a"), Some("b"), Some("c")] {
                    let one: Vec<Tag> = tag.map(|tag| tag.parse().unwrap()).into_iter().collect();
                    assert_eq!(
                        condition.scope().admits(own, &one),
                        condition.holds(&about(own, tag)),
                        "{condition} {own} {tag:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn conditions_read_as_a_sentence() {
    for (condition, words) in [
        (asking(true, &[]), "of one's own objects"),
        (asking(false, &["a", "b"]), "of objects tagged a or b"),
        (asking(true, &["a"]), "of one's own objects tagged a"),
        (
            Condition {
                aal: Some(Aal::Two),
                ..asking(true, &[])
            },
            "signed in with two factors, of one's own objects",
        ),
        (Condition::default(), ""),
    ] {
        assert_eq!(condition.to_string(), words);
    }
    assert_eq!(
        about(false, Some("a")).to_string(),
        "a service account, from an unknown address, on mon at 00:00, of another's object tagged a"
            .replace("mon", "thu")
    );
}
