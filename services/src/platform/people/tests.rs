use super::PeopleStore;
use super::draft::Role;

fn choices(store: &PeopleStore, user: i64) -> Vec<(i64, Vec<i64>)> {
    let people = store.now();
    people
        .choices(people.user(user).unwrap())
        .into_iter()
        .map(|party| {
            let units = party.child_parties.unwrap_or_default();
            (party.party_id, units.iter().map(|unit| unit.party_id).collect())
        })
        .collect()
}

#[test]
fn the_public_people_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = PeopleStore::new(folder.path());
    let people = store.now();
    assert_eq!(people.faults, Vec::<String>::new());
    let sophie = people.user(1337).unwrap();
    assert_eq!((sophie.party_id, sophie.name().as_str()), (501_337, "Sophie Salt"));
    assert_eq!(people.by_ssn("01039012345").unwrap().user(), 1337);
    assert!(sophie.roles(500_000).iter().any(|role| role.value == "DAGL"));
    for (user, parties) in [
        (1337, &[501_337, 500_000, 500_004, 500_600, 500_700, 500_800, 500_801, 500_802][..]),
        (12345, &[512_345]),
        (1001, &[510_001, 500_000]),
        (1004, &[510_004]),
        (2001, &[512_001, 500_000, 500_700]),
    ] {
        let found: Vec<i64> = choices(&store, user).into_iter().map(|(party, _)| party).collect();
        assert_eq!(found, parties, "{user}");
    }
    assert_eq!(choices(&store, 1337)[1].1, [500_001, 500_002, 500_003]);
    assert_eq!(people.party(510_004).unwrap().party_type_name, 3);
    assert_eq!(people.service_owner("TTD").unwrap().org_number, "405003309");
    assert_eq!(
        people
            .system_user("d111dbab-d619-4f15-bf29-58fe570a9ae6".parse().unwrap())
            .unwrap()
            .1
            .actions
            .len(),
        7
    );
}

#[test]
fn files_add_at_once_and_broken_ones_do_no_harm() {
    let folder = tempfile::tempdir().unwrap();
    let store = PeopleStore::new(folder.path());
    assert!(store.now().user(4242).is_none());
    let app = folder.path().join("apps/ttd/demo");
    std::fs::create_dir_all(&app).unwrap();
    // The forms that apps in the wild have: Pascal case, numbers as text, roles as objects.
    let text = r#"{"persons":[{"PartyId":"504242","Ssn":"01010112345","FirstName":"Ny","LastName":"Person","UserId":4242,
        "partyRoles":{"504243":[{"Type":"altinn","Value":"DAGL"},{"Type":"urn:altinn:accesspackage","Value":"skatt"}]}},
        {"partyId":501337,"ssn":"01039012345","firstName":"Sophie","lastName":"Salt","partyRoles":{"504243":["REGNA"]}}],
        "orgs":[{"partyId":"504243","orgNumber":123456789,"parentPartyId":null,"name":"Ny AS"},
                {"partyId":504244,"orgNumber":"123456780","parentPartyId":504243,"name":"Ny enhet"}]}"#;
    std::fs::write(app.join("testData.json"), text).unwrap();
    let people = store.now();
    let new = people.user(4242).unwrap();
    assert_eq!(new.roles(504_243).len(), 2);
    assert_eq!(new.roles(504_243)[0], Role { kind: "altinn".to_owned(), value: "DAGL".to_owned() });
    let sophie = people.user(1337).unwrap();
    assert!(!sophie.roles(500_000).is_empty() && !sophie.roles(504_243).is_empty());
    assert_eq!(people.with_units(people.party(504_243).unwrap()).child_parties.unwrap().len(), 1);

    std::fs::create_dir(folder.path().join("people")).unwrap();
    for broken in ["{", "[]", "7", "persons: 7", "persons: [{partyId: x}]", "a: &a [*a, *a]", "\0"]
    {
        std::fs::write(folder.path().join("people/mine.yaml"), broken).unwrap();
        let people = store.now();
        assert_eq!(people.faults.len(), 1, "{broken}");
        assert!(people.user(1337).is_some() && people.user(4242).is_some());
    }
    std::fs::remove_file(app.join("testData.json")).unwrap();
    assert!(store.now().user(4242).is_none());
}

#[test]
fn a_unit_alone_stands_under_its_parent() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("people")).unwrap();
    std::fs::write(
        folder.path().join("people/a.yaml"),
        "persons: [{partyId: 7, ssn: '1', firstName: A, lastName: B, partyRoles: {500001: [DAGL]}}]",
    )
    .unwrap();
    let store = PeopleStore::new(folder.path());
    assert_eq!(choices(&store, 7), [(7, vec![]), (500_000, vec![500_001])]);
    let people = store.now();
    assert!(people.choices(people.user(7).unwrap())[1].only_hierarchy_element_with_no_access);
}

proptest::proptest! {
    #[test]
    fn any_text_is_judged(text in ".{0,200}") {
        let _ = super::draft::read(&text);
    }
}
