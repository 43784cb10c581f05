use super::*;
use crate::domain::{Aal, Epoch, Id, RefreshState, SessionSeed, UserId};

const GRACE: Duration = Duration::from_secs(10);

fn keys() -> RefreshKeys {
    RefreshKeys::new(RefreshKeyId::new(1), RefreshKey::new([1; 32]))
}

fn start() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

fn session(generation: u32) -> Session {
    let at = start();
    Session {
        id: SessionId::from_random(at, [2; 10]),
        user: UserId::from_random(at, [3; 10]),
        seed: SessionSeed::new([4; 32]),
        refresh: RefreshState {
            generation,
            key: RefreshKeyId::new(1),
            previous_key: Some(RefreshKeyId::new(1)),
            rotated_at: at,
        },
        credential_epoch: Epoch::FIRST,
        auth_time: at,
        aal: Aal::One,
        created_at: at,
        last_used_at: at,
        idle_expires_at: at.after(Duration::from_secs(100)),
        absolute_expires_at: at.after(Duration::from_secs(1_000)),
        ended_at: None,
        client: None,
        ip_address: None,
    }
}

fn token(generation: u32) -> PresentedRefresh {
    PresentedRefresh::parse(&mint_refresh_token(&keys(), &session(generation)).unwrap()).unwrap()
}

fn judge(shown: &PresentedRefresh, at: Timestamp) -> RefreshVerdict {
    judge_refresh(&keys(), &session(5), shown, GRACE, at)
}

#[test]
fn the_table_of_outcomes() {
    let just_inside = start().after(GRACE).before(Duration::from_micros(1));
    assert_eq!(judge(&token(5), start()), RefreshVerdict::Rotate);
    assert_eq!(judge(&token(4), just_inside), RefreshVerdict::Repeat);
    assert_eq!(
        judge(&token(4), start().after(GRACE)),
        RefreshVerdict::Theft
    );
    assert_eq!(judge(&token(3), start()), RefreshVerdict::Theft);
    assert_eq!(judge(&token(6), start()), RefreshVerdict::Forged);
    assert_eq!(
        judge(&token(5), start().after(Duration::from_secs(100))),
        RefreshVerdict::Over
    );
}

#[test]
fn an_old_token_of_a_dead_session_is_over_and_not_theft() {
    let mut dead = session(5);
    dead.ended_at = Some(start());
    assert_eq!(
        judge_refresh(&keys(), &dead, &token(3), GRACE, start()),
        RefreshVerdict::Over
    );
}

#[test]
fn every_ingredient_is_bound() {
    let mut forged = token(5);
    forged.mac[31] ^= 1;
    assert_eq!(judge(&forged, start()), RefreshVerdict::Forged);

    let mut other_epoch = session(5);
    other_epoch.credential_epoch = Epoch::FIRST.next();
    let mut other_seed = session(5);
    other_seed.seed = SessionSeed::new([9; 32]);
    let mut other_id = session(5);
    other_id.id = SessionId::from_random(start(), [8; 10]);
    for other in [other_epoch, other_seed, other_id] {
        let verdict = judge_refresh(&keys(), &other, &token(5), GRACE, start());
        assert_eq!(verdict, RefreshVerdict::Forged);
    }
    let other_key = RefreshKeys::new(RefreshKeyId::new(1), RefreshKey::new([7; 32]));
    let verdict = judge_refresh(&other_key, &session(5), &token(5), GRACE, start());
    assert_eq!(verdict, RefreshVerdict::Forged);
}

#[test]
fn a_rotated_server_key_splits_no_race() {
    let ring = RefreshKeys::new(RefreshKeyId::new(2), RefreshKey::new([2; 32]))
        .with_accepted(RefreshKeyId::new(1), RefreshKey::new([1; 32]));
    let mut moved = session(6);
    moved.refresh.key = RefreshKeyId::new(2);
    assert_eq!(
        judge_refresh(&ring, &moved, &token(5), GRACE, start()),
        RefreshVerdict::Repeat
    );
    let current = PresentedRefresh::parse(&mint_refresh_token(&ring, &moved).unwrap()).unwrap();
    assert_eq!(
        judge_refresh(&ring, &moved, &current, GRACE, start()),
        RefreshVerdict::Rotate
    );
}

#[test]
fn one_spelling_only() {
    let text = mint_refresh_token(&keys(), &session(5))
        .unwrap()
        .expose_secret()
        .to_owned();
    assert!(PresentedRefresh::parse(&text.clone().into()).is_ok());
    for bad in [
        text.replace("cyr1_", "cyr2_"),
        text.replace("cyr1_1.", "cyr1_01."),
        text.replace("cyr1_1.", "cyr1_+1."),
        format!("{text}."),
        format!("{text}="),
        format!(" {text}"),
        text.replace('.', ":"),
        "cyr1_".to_owned(),
        String::new(),
        "x".repeat(10_000),
    ] {
        assert!(
            PresentedRefresh::parse(&bad.clone().into()).is_err(),
            "{bad}"
        );
    }
}
