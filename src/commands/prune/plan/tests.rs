use super::*;
use crate::core::Error;
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
fn aged(number: u128, days: i64) -> Candidate {
    Candidate {
        id: id(number),
        place: Place::Own,
        status: Status::Ok,
        last_access: Some(days_ago(days)),
        signature: None,
        unseen: false,
        bytes: Some(10),
        failure: None,
    }
}

fn of_status(number: u128, status: Status) -> Candidate {
    let last_access = (status == Status::Future).then(|| days_ago(-1));
    Candidate { status, last_access, ..aged(number, 0) }
}

fn unreadable(number: u128, category: Category) -> Candidate {
    let failure = Some(Box::new(Error::new(category, "cannot read it")));
    Candidate { failure, ..of_status(number, Status::Denied) }
}

/// Workspaces 1 to 5, last accessed 50, 40, 30, 20 and 10 days ago.
fn five() -> Vec<Candidate> {
    (1..=5).map(|number| aged(number, 60 - 10 * i64::try_from(number).expect("small"))).collect()
}

fn set(numbers: &[u128]) -> HashSet<WorkspaceId> {
    numbers.iter().map(|number| id(*number)).collect()
}

fn older_than(days: i64) -> Rules {
    Rules { cutoff: Some(days_ago(days)), ..Rules::default() }
}

/// One letter a workspace: o(lder-than), t(otal size), f(ree), i(d), l(eftover), K(eep), S(kip), F(ail), I(gnore).
fn fates(candidates: &[Candidate], rules: &Rules) -> String {
    let letter = |fate: &Fate| match fate {
        Fate::Prune(Rule::OlderThan) => 'o',
        Fate::Prune(Rule::MaxTotalSize) => 't',
        Fate::Prune(Rule::MinFree) => 'f',
        Fate::Prune(Rule::Id) => 'i',
        Fate::Prune(Rule::Leftover) => 'l',
        Fate::Keep => 'K',
        Fate::Skip => 'S',
        Fate::Fail => 'F',
        Fate::Ignore => 'I',
    };
    decide(candidates, rules).iter().map(letter).collect()
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
        assert_eq!(fates(&five(), &rules), expected, "{what}");
    }
}

#[test]
fn what_is_not_known_is_pruned_by_its_id_alone() {
    let unknown = [
        of_status(1, Status::Missing),
        of_status(2, Status::Corrupt),
        of_status(3, Status::Future),
        unreadable(4, Category::PermissionDenied),
        unreadable(5, Category::Io),
        unreadable(6, Category::Busy),
    ];
    let named = Rules { ids: Some(set(&[1, 2, 3, 4, 5, 6])), ..Rules::default() };
    assert_eq!(fates(&unknown, &named), "iiiiii");
    assert_eq!(fates(&unknown, &older_than(0)), "SSSSFF");
    assert_eq!(fates(&unknown, &Rules { max_total_size: Some(0), ..Rules::default() }), "SSSSFF");
    assert_eq!(fates(&unknown, &Rules { cutoff: Some(days_ago(0)), ..named }), "SSSSFF");
    assert_eq!(fates(&unknown, &Rules { exclude: set(&[1, 5]), ..older_than(0) }), "KSSSKF");
}

#[test]
fn future_ones_do_not_count_among_the_last_that_are_kept() {
    let mut candidates = five();
    candidates.push(of_status(6, Status::Future));
    assert_eq!(fates(&candidates, &Rules { keep_last: 1, ..older_than(0) }), "ooooKS");
}

#[test]
fn sizes_of_those_that_must_stay_count_too() {
    let candidates = [of_status(1, Status::Missing), aged(2, 20), aged(3, 10)];
    assert_eq!(fates(&candidates, &Rules { max_total_size: Some(20), ..Rules::default() }), "StK");
}

#[test]
fn what_was_doomed_goes_and_what_was_claimed_is_decided_on_afresh() {
    let doomed = Candidate { place: Place::Doomed(1), ..aged(1, 1) };
    let claimed_old = Candidate { place: Place::Claimed(1), ..aged(2, 40) };
    let claimed_new = Candidate { place: Place::Claimed(1), ..aged(3, 1) };
    let candidates = [doomed, claimed_old, claimed_new];
    assert_eq!(fates(&candidates, &older_than(25)), "loK");
    assert_eq!(fates(&candidates, &Rules { exclude: set(&[1, 2, 3]), ..older_than(25) }), "lKK");
    assert_eq!(fates(&candidates, &Rules { ids: Some(set(&[9])), ..Rules::default() }), "lII");
    // Only the 20 bytes of those that are not doomed count.
    assert_eq!(fates(&candidates, &Rules { max_total_size: Some(20), ..Rules::default() }), "lKK");
}

#[test]
fn ties_go_by_id_and_ages_by_time() {
    let candidates = [aged(3, 10), aged(1, 10), aged(2, 10)];
    assert_eq!(fates(&candidates, &Rules { max_total_size: Some(20), ..Rules::default() }), "KtK");
}
