//! Puts files together: who is named again is changed, the rest is added.

use super::People;
use super::draft::{Draft, Org, Person, System};

impl People {
    /// Adds a file.
    pub(super) fn add(&mut self, draft: Draft) {
        for person in draft.persons {
            self.add_person(person);
        }
        for org in draft.orgs {
            self.add_org(org);
        }
        for system in draft.systems {
            self.add_system(system);
        }
    }

    fn add_person(&mut self, mut person: Person) {
        let Some(known) = self.persons.iter_mut().find(|known| known.party_id == person.party_id)
        else {
            return self.persons.push(person);
        };
        // Apps often name one of the public people only to give them roles for a party of their own.
        let mut roles = std::mem::take(&mut known.party_roles);
        roles.append(&mut person.party_roles);
        person.party_roles = roles;
        person.user_id = person.user_id.or(known.user_id);
        person.party_uuid = person.party_uuid.or(known.party_uuid);
        *known = person;
    }

    fn add_org(&mut self, org: Org) {
        let same = |known: &Org| {
            known.org_number == org.org_number
                || (known.party_id.is_some() && known.party_id == org.party_id)
        };
        match self.orgs.iter_mut().find(|known| same(known)) {
            Some(known) => *known = org,
            None => self.orgs.push(org),
        }
    }

    fn add_system(&mut self, system: System) {
        let Some(known) = self.systems.iter_mut().find(|known| known.id == system.id) else {
            return self.systems.push(system);
        };
        known.system_users.retain(|user| system.system_users.iter().all(|new| new.id != user.id));
        known.system_users.extend(system.system_users);
        known.name = system.name;
    }
}
