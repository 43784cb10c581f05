use super::*;

fn when(own: bool, tags: &[&str], addresses: &[&str]) -> Condition {
    Condition {
        own,
        tags: tags.iter().map(|text| text.parse().unwrap()).collect(),
        addresses: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        ..Condition::default()
    }
}

/// Which conditions hold, for each of the circumstances.
fn told(conditions: &[Condition], given: &Condition) -> BTreeSet<Holding> {
    let all = Space::of(conditions).within(given);
    let holding = |now: &Circumstances| -> Holding {
        assert!(given.holds(now), "{now}");
        conditions.iter().map(|when| when.holds(now)).collect()
    };
    let sets: BTreeSet<_> = all.iter().map(holding).collect();
    assert_eq!(sets.len(), all.len(), "two stand for the same");
    sets
}

#[test]
fn every_set_of_conditions_that_can_hold_is_met_once() {
    let conditions = [
        when(true, &[], &[]),
        when(false, &["a"], &[]),
        when(false, &[], &["10.0.0.0/8"]),
        when(true, &["a", "b"], &["10.0.0.0/9"]),
    ];
    let [t, f] = [true, false];
    let expected = BTreeSet::from([
        vec![f, f, f, f],
        vec![f, f, t, f],
        vec![f, t, f, f],
        vec![f, t, t, f],
        vec![t, f, f, f],
        vec![t, f, t, f],
        vec![t, f, t, t],
        vec![t, t, f, f],
        vec![t, t, t, f],
        vec![t, t, t, t],
    ]);
    assert_eq!(told(&conditions, &Condition::default()), expected);
    // Of one's own tagged `b`, from the second half of the range.
    let given = when(true, &["b"], &["10.128.0.0/9"]);
    assert_eq!(
        told(&conditions, &given),
        BTreeSet::from([vec![t, f, t, f]])
    );
}

#[test]
fn there_is_a_request_about_no_object() {
    let marked = [when(true, &["a"], &[])];
    let all = Space::of(&marked).circumstances();
    assert_eq!(all.len(), 2);
    let none = all.iter().filter(|now| now.object.is_none());
    assert_eq!(none.count(), 1);
    let nothing = Space::of([]).circumstances();
    assert_eq!(nothing.len(), 1);
    assert_eq!(nothing[0].object, None);
}

/// The most that a policy may ask of one role: the sets that conditions can make bound what is looked at.
#[test]
fn the_most_conditions_make_no_more_cases_than_sets() {
    let most: Vec<Condition> = (0_u8..8)
        .map(|number| {
            let tags = (0..16).map(|tag| format!("t{}", (tag * (1 + u16::from(number))) % 61));
            let ranges = (0..16).map(|range: u8| {
                let net = range * (1 + number) % 97;
                format!("10.{net}.0.0/16").parse().unwrap()
            });
            let windows = (0..8_u8).map(|window| {
                let hour = (window * (1 + number)) % 23;
                format!("mon-sun {hour:02}:0{number}-{hour:02}:5{number}")
                    .parse()
                    .unwrap()
            });
            Condition {
                own: number % 2 == 0,
                tags: tags.map(|tag| tag.parse().unwrap()).collect(),
                addresses: ranges.collect(),
                hours: super::super::Hours::new(windows).ok(),
                ..Condition::default()
            }
        })
        .collect();
    let sets = told(&most, &Condition::default());
    assert!((64..=256).contains(&sets.len()), "{}", sets.len());
}
