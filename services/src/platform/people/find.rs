//! Look-ups. The lists are short, so they are walked.

use uuid::Uuid;

use super::People;
use super::draft::{Org, Person, Role, SystemUser};
use super::party::{Party, uuid_of};

impl Person {
    /// The user; files may leave it out.
    #[must_use]
    pub fn user(&self) -> i64 {
        self.user_id.unwrap_or(self.party_id)
    }

    /// Uuid of the person's party.
    #[must_use]
    pub fn uuid(&self) -> Uuid {
        self.party_uuid.unwrap_or_else(|| uuid_of(self.party_id))
    }

    /// First, middle and last name.
    #[must_use]
    pub fn name(&self) -> String {
        [Some(self.first_name.as_str()), self.middle_name.as_deref(), Some(&self.last_name)]
            .into_iter()
            .flatten()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// Whether the person registered without a national number.
    #[must_use]
    pub fn self_identified(&self) -> bool {
        self.ssn.as_deref().is_none_or(str::is_empty)
    }

    /// Whether the person may act for a party.
    #[must_use]
    pub fn represents(&self, party: i64) -> bool {
        self.party_id == party || self.party_roles.contains_key(&party.to_string())
    }

    /// The roles for a party.
    #[must_use]
    pub fn roles(&self, party: i64) -> &[Role] {
        self.party_roles.get(&party.to_string()).map(Vec::as_slice).unwrap_or_default()
    }
}

impl People {
    /// A user.
    #[must_use]
    pub fn user(&self, id: i64) -> Option<&Person> {
        self.persons.iter().find(|person| person.user() == id)
    }

    /// A person by national number.
    #[must_use]
    pub fn by_ssn(&self, ssn: &str) -> Option<&Person> {
        self.persons.iter().find(|person| person.ssn.as_deref() == Some(ssn) && !ssn.is_empty())
    }

    /// A person by the party's uuid.
    #[must_use]
    pub fn by_uuid(&self, uuid: Uuid) -> Option<&Person> {
        self.persons.iter().find(|person| person.uuid() == uuid)
    }

    /// A person by user name, in any case.
    #[must_use]
    pub fn by_user_name(&self, name: &str) -> Option<&Person> {
        let fits = |person: &&Person| {
            person.user_name.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(name))
        };
        self.persons.iter().find(fits)
    }

    /// An organisation by number.
    #[must_use]
    pub fn org(&self, number: &str) -> Option<&Org> {
        self.orgs.iter().find(|org| org.org_number == number)
    }

    /// A service owner by short name.
    #[must_use]
    pub fn service_owner(&self, org: &str) -> Option<&Org> {
        self.orgs
            .iter()
            .find(|known| known.org.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(org)))
    }

    /// A party.
    #[must_use]
    pub fn party(&self, id: i64) -> Option<Party> {
        let org = || self.orgs.iter().find(|org| org.party_id == Some(id)).and_then(Party::of_org);
        let person = self.persons.iter().find(|person| person.party_id == id);
        person.map(Party::of_person).or_else(org)
    }

    /// A party by uuid.
    #[must_use]
    pub fn party_by_uuid(&self, uuid: Uuid) -> Option<Party> {
        self.parties().find(|party| party.party_uuid == Some(uuid))
    }

    /// Every party.
    pub fn parties(&self) -> impl Iterator<Item = Party> {
        self.persons.iter().map(Party::of_person).chain(self.orgs.iter().filter_map(Party::of_org))
    }

    /// The party of an organisation, with its units.
    #[must_use]
    pub fn with_units(&self, mut party: Party) -> Party {
        let units: Vec<Party> = self
            .orgs
            .iter()
            .filter(|org| org.parent_party_id == Some(party.party_id))
            .filter_map(Party::of_org)
            .collect();
        party.child_parties = (!units.is_empty()).then_some(units);
        party
    }

    /// Whom a user may choose to act for: themselves first, then those for whom they have an entry of roles, units
    /// under the unit that they belong to.
    #[must_use]
    pub fn choices(&self, person: &Person) -> Vec<Party> {
        let mut choices = vec![Party::of_person(person)];
        let listed = |id: i64| person.party_roles.contains_key(&id.to_string());
        for org in self.orgs.iter().filter(|org| org.party_id.is_some_and(listed)) {
            let Some(party) = Party::of_org(org) else { continue };
            let parent = org.parent_party_id.and_then(|parent| self.party(parent));
            let Some(parent) = parent else {
                insert(&mut choices, party);
                continue;
            };
            // A unit whose parent the user may not act for stands under it all the same.
            let known = choices.iter().position(|choice| choice.party_id == parent.party_id);
            let at = known.unwrap_or_else(|| {
                choices.push(Party {
                    only_hierarchy_element_with_no_access: !listed(parent.party_id),
                    ..parent
                });
                choices.len() - 1
            });
            choices[at].child_parties.get_or_insert_default().push(party);
        }
        choices.extend(
            self.persons
                .iter()
                .filter(|other| other.party_id != person.party_id && listed(other.party_id))
                .map(Party::of_person),
        );
        choices
    }

    /// A system user and the system that it belongs to.
    #[must_use]
    pub fn system_user(&self, id: Uuid) -> Option<(&super::System, &SystemUser)> {
        self.systems.iter().find_map(|system| {
            system.system_users.iter().find(|user| user.id == id).map(|user| (system, user))
        })
    }
}

/// A parent that was put in for a unit of its own is there already.
fn insert(choices: &mut Vec<Party>, party: Party) {
    if choices.iter().all(|choice| choice.party_id != party.party_id) {
        choices.push(party);
    }
}
