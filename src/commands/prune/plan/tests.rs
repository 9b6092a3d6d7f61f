use super::*;
use crate::core::Error;
use crate::core::workspace::Seen;
use std::num::NonZero;
use uuid::Uuid;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn id(number: u128) -> WorkspaceId {
    WorkspaceId::parse(Uuid::from_u128(number).to_string().as_bytes()).expect("an ID")
}

fn days_ago(days: i64) -> Timestamp {
    Timestamp::from_unix(NOW - days * DAY, 0)
}

/// Workspace `number`, of 10 bytes, last accessed so many days ago.
fn aged(number: u128, days: i64) -> Found {
    Found {
        id: id(number),
        place: Place::Own,
        tag: 0,
        status: Status::Ok,
        last_access: Some(days_ago(days)),
        may_be_later: false,
        seen: Seen::Unknown(None),
        size: NonZero::new(10),
        unknown: None,
        unmeasured: None,
    }
}

fn of_status(number: u128, status: Status) -> Found {
    let last_access = (status == Status::Future).then(|| days_ago(-1));
    Found { status, last_access, ..aged(number, 0) }
}

fn unreadable(number: u128, category: Category) -> Found {
    let unknown = Some(Box::new(Error::new(category, "cannot read it")));
    Found { unknown, ..of_status(number, Status::Denied) }
}

/// Workspaces 1 to 5, last accessed 50, 40, 30, 20 and 10 days ago.
fn five() -> Vec<Found> {
    (1..=5).map(|number| aged(number, 60 - 10 * i64::try_from(number).expect("small"))).collect()
}

fn set(numbers: &[u128]) -> HashSet<WorkspaceId> {
    numbers.iter().map(|number| id(*number)).collect()
}

fn older_than(days: i64) -> Rules {
    Rules { cutoff: Some(days_ago(days)), ..Rules::default() }
}

/// One letter a workspace: o(lder-than), t(otal size), f(ree), i(d), l(eftover), K(eep), S(kip), F(ail), I(gnore).
fn decisions(found: &[Found], rules: &Rules) -> String {
    let letter = |decision: Decision| match decision {
        Decision::Prune(Rule::OlderThan) => 'o',
        Decision::Prune(Rule::MaxTotalSize) => 't',
        Decision::Prune(Rule::MinFree) => 'f',
        Decision::Prune(Rule::Id) => 'i',
        Decision::Prune(Rule::Leftover) => 'l',
        Decision::Keep => 'K',
        Decision::Skip => 'S',
        Decision::Fail => 'F',
        Decision::Ignore => 'I',
    };
    let facts = Survey { found: found.to_vec(), ..Survey::default() };
    decide(facts, rules).iter().map(|(_, decision)| letter(decision)).collect()
}

#[test]
fn rules_and_protections_decide_as_the_contract_says() {
    let free = |wanted| Some(Free { wanted, available: 100 });
    let ids = |numbers: &[u128]| Rules { ids: Some(set(numbers)), ..Rules::default() };
    for (what, rules, expected) in [
        ("older than 25 days", older_than(25), "oooKK"),
        ("exactly as old is not older", older_than(30), "ooKKK"),
        ("keep the last 3", Rules { keep_last: 3, ..older_than(25) }, "ooKKK"),
        ("keep more than there are", Rules { keep_last: 9, ..older_than(25) }, "KKKKK"),
        ("exclude", Rules { exclude: set(&[2]), ..older_than(25) }, "oKoKK"),
        ("at most 30 bytes", Rules { max_total_size: Some(30), ..Rules::default() }, "ttKKK"),
        ("at most what there is", Rules { max_total_size: Some(50), ..Rules::default() }, "KKKKK"),
        ("at most nothing", Rules { max_total_size: Some(0), ..Rules::default() }, "ttttt"),
        (
            "at most 30, but keep the oldest",
            Rules { max_total_size: Some(30), exclude: set(&[1]), ..Rules::default() },
            "KttKK",
        ),
        ("stale ones count as gone", Rules { max_total_size: Some(20), ..older_than(35) }, "ootKK"),
        ("15 bytes more free", Rules { free: free(115), ..Rules::default() }, "ffKKK"),
        ("enough free once the stale are gone", Rules { free: free(115), ..older_than(35) }, "ooKKK"),
        ("size first, then free", Rules { max_total_size: Some(40), free: free(125), ..Rules::default() }, "tffKK"),
        ("just these", ids(&[2, 5]), "IiIIi"),
        ("just these, protected", Rules { exclude: set(&[2]), keep_last: 1, ..ids(&[2, 3, 5]) }, "IKiIK"),
        ("of these, the stale", Rules { cutoff: Some(days_ago(25)), ..ids(&[2, 5]) }, "IoIIK"),
        ("of these, while too much", Rules { max_total_size: Some(20), ..ids(&[2, 5]) }, "ItIIt"),
        ("none at all were named", ids(&[]), "IIIII"),
        ("none named, though stale", Rules { cutoff: Some(days_ago(25)), ..ids(&[]) }, "IIIII"),
    ] {
        assert_eq!(decisions(&five(), &rules), expected, "{what}");
    }
}

#[test]
fn a_workspace_of_unknown_age_is_pruned_only_by_id() {
    let unknown = [
        of_status(1, Status::Missing),
        of_status(2, Status::Corrupt),
        of_status(3, Status::Future),
        unreadable(4, Category::PermissionDenied),
        unreadable(5, Category::Io),
        unreadable(6, Category::Busy),
    ];
    let named = Rules { ids: Some(set(&[1, 2, 3, 4, 5, 6])), ..Rules::default() };
    assert_eq!(decisions(&unknown, &named), "iiiiii");
    assert_eq!(decisions(&unknown, &older_than(0)), "SSSSFF");
    assert_eq!(decisions(&unknown, &Rules { max_total_size: Some(0), ..Rules::default() }), "SSSSFF");
    assert_eq!(decisions(&unknown, &Rules { cutoff: Some(days_ago(0)), ..named }), "SSSSFF");
    assert_eq!(decisions(&unknown, &Rules { exclude: set(&[1, 5]), ..older_than(0) }), "KSSSKF");
}

#[test]
fn doomed_workspaces_are_removed_and_claims_are_decided_on_again() {
    let doomed = Found { place: Place::Doomed, ..aged(1, 1) };
    let claimed_old = Found { place: Place::Claimed, ..aged(2, 40) };
    let claimed_new = Found { place: Place::Claimed, ..aged(3, 1) };
    let found = [doomed, claimed_old, claimed_new];
    assert_eq!(decisions(&found, &older_than(25)), "loK");
    assert_eq!(decisions(&found, &Rules { exclude: set(&[1, 2, 3]), ..older_than(25) }), "lKK");
    assert_eq!(decisions(&found, &Rules { ids: Some(set(&[9])), ..Rules::default() }), "lII");
    // Only the 20 bytes of those that are not doomed count.
    assert_eq!(decisions(&found, &Rules { max_total_size: Some(20), ..Rules::default() }), "lKK");
}

#[test]
fn ties_are_broken_by_id() {
    let found = [aged(3, 10), aged(1, 10), aged(2, 10)];
    assert_eq!(decisions(&found, &Rules { max_total_size: Some(20), ..Rules::default() }), "KtK");
}

#[test]
fn no_rule_prunes_what_may_have_been_modified_later() {
    let unsure = |number, category| {
        let unmeasured = Some(Box::new(Error::new(category, "cannot measure it")));
        Found { may_be_later: true, unmeasured, ..aged(number, 40) }
    };
    let found =
        [unsure(1, Category::Busy), unsure(2, Category::PermissionDenied), unsure(3, Category::Io), aged(4, 40)];
    assert_eq!(decisions(&found, &older_than(25)), "FSFo");
    assert_eq!(decisions(&found, &older_than(50)), "KKKK");
    assert_eq!(decisions(&found, &Rules { max_total_size: Some(0), ..Rules::default() }), "FSFt");
    assert_eq!(decisions(&found, &Rules { ids: Some(set(&[1, 2])), ..Rules::default() }), "iiII");
}

#[test]
fn a_copy_does_not_count_as_a_workspace_and_an_id_selects_it() {
    let copy = |number, days| Found { place: Place::Copy, ..aged(number, days) };
    let found = [aged(1, 10), aged(2, 20), copy(1, 1), copy(2, 40)];
    assert_eq!(decisions(&found, &older_than(25)), "KKKo");
    assert_eq!(decisions(&found, &Rules { keep_last: 1, ..older_than(0) }), "Kooo");
    assert_eq!(decisions(&found, &Rules { ids: Some(set(&[1])), ..Rules::default() }), "KIiI");
}

#[test]
fn all_that_has_one_id_counts_once_and_leftovers_do_not_count() {
    let at = |place, number| Found { place, ..aged(number, 10) };
    let found = [
        aged(1, 10),
        aged(2, 10),
        at(Place::Copy, 2),
        at(Place::Claimed, 3),
        at(Place::Earlier, 3),
        at(Place::Earlier, 3),
        at(Place::Doomed, 4),
    ];
    assert_eq!(count_workspaces(found.iter()), 3);
}
