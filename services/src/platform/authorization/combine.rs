//! One decision from the rules' effects: the combining algorithms of XACML 3.0 (appendix C), with its three kinds of
//! indeterminate, as the real service has them today.

use super::matching::Trouble;
use super::policy::Effect;

/// How the rules' effects become one. The ordered forms are the same here: rules are always taken in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Combining {
    /// A Deny beats a Permit.
    DenyOverrides,
    /// A Permit beats a Deny.
    PermitOverrides,
    /// Deny without a Permit.
    DenyUnlessPermit,
    /// Permit without a Deny.
    PermitUnlessDeny,
    /// The first rule that applies.
    FirstApplicable,
}

/// What a rule or a policy comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effected {
    /// Permit or Deny.
    Yes(Effect),
    /// It does not apply.
    NotApplicable,
    /// It might have been this, had there been no trouble; `None` for either.
    Indeterminate(Option<Effect>, Trouble),
}

impl Combining {
    /// The algorithm of an identifier of any version.
    #[must_use]
    pub fn read(id: &str) -> Option<Self> {
        let (_, name) = id.rsplit_once(':')?;
        match name.strip_prefix("ordered-").unwrap_or(name) {
            "deny-overrides" => Some(Self::DenyOverrides),
            "permit-overrides" => Some(Self::PermitOverrides),
            "deny-unless-permit" => Some(Self::DenyUnlessPermit),
            "permit-unless-deny" => Some(Self::PermitUnlessDeny),
            "first-applicable" => Some(Self::FirstApplicable),
            _ => None,
        }
    }

    /// Puts the rules' effects together.
    pub fn combine(self, effects: impl Iterator<Item = Effected>) -> Effected {
        match self {
            Self::DenyOverrides => overrides(Effect::Deny, effects),
            Self::PermitOverrides => overrides(Effect::Permit, effects),
            Self::DenyUnlessPermit => unless(Effect::Permit, Effect::Deny, effects),
            Self::PermitUnlessDeny => unless(Effect::Deny, Effect::Permit, effects),
            Self::FirstApplicable => effects
                .into_iter()
                .find(|effect| *effect != Effected::NotApplicable)
                .unwrap_or(Effected::NotApplicable),
        }
    }
}

fn unless(
    stronger: Effect,
    usual: Effect,
    mut effects: impl Iterator<Item = Effected>,
) -> Effected {
    let found = effects.any(|effect| effect == Effected::Yes(stronger));
    Effected::Yes(if found { stronger } else { usual })
}

fn overrides(stronger: Effect, effects: impl Iterator<Item = Effected>) -> Effected {
    let mut weaker_found = None;
    // Trouble in rules that could have given the stronger effect, the weaker, or either.
    let (mut strong, mut weak, mut either) = (None, None, None);
    for effect in effects {
        match effect {
            Effected::Yes(found) if found == stronger => return Effected::Yes(found),
            Effected::Yes(found) => weaker_found = Some(found),
            Effected::NotApplicable => {}
            Effected::Indeterminate(None, trouble) => either = either.or(Some(trouble)),
            Effected::Indeterminate(Some(could), trouble) if could == stronger => {
                strong = strong.or(Some(trouble));
            }
            Effected::Indeterminate(Some(_), trouble) => weak = weak.or(Some(trouble)),
        }
    }
    let weaker = match stronger {
        Effect::Permit => Effect::Deny,
        Effect::Deny => Effect::Permit,
    };
    match (either, strong, weak, weaker_found) {
        (Some(trouble), ..) => Effected::Indeterminate(None, trouble),
        (None, Some(trouble), weak, found) => {
            let could = (weak.is_none() && found.is_none()).then_some(stronger);
            Effected::Indeterminate(could, trouble)
        }
        (None, None, _, Some(found)) => Effected::Yes(found),
        (None, None, Some(trouble), None) => Effected::Indeterminate(Some(weaker), trouble),
        (None, None, None, None) => Effected::NotApplicable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P, D, N, and p, d, b for indeterminate of Permit, Deny, both.
    fn effect(letter: char) -> Effected {
        let trouble = || Trouble { code: "", message: String::new() };
        match letter {
            'P' => Effected::Yes(Effect::Permit),
            'D' => Effected::Yes(Effect::Deny),
            'p' => Effected::Indeterminate(Some(Effect::Permit), trouble()),
            'd' => Effected::Indeterminate(Some(Effect::Deny), trouble()),
            'b' => Effected::Indeterminate(None, trouble()),
            _ => Effected::NotApplicable,
        }
    }

    #[test]
    fn the_tables_of_the_standard() {
        for (name, rows) in [
            (
                "deny-overrides",
                &["PD D", "P P", "N N", "Pd b", "dp b", "d d", "Pp P", "p p", "bP b", "bD D", " N"]
                    [..],
            ),
            (
                "ordered-permit-overrides",
                &["PD P", "D D", "Dp b", "dp b", "p p", "Dd D", "d d", "bD b", "bP P"],
            ),
            ("deny-unless-permit", &["N D", " D", "p D", "DP P", "b D"]),
            ("permit-unless-deny", &["N P", " P", "d P", "PD D", "b P"]),
            ("first-applicable", &["NPD P", "NDP D", "NpP p", "N N"]),
        ] {
            let algorithm = Combining::read(&format!("urn:x:{name}")).unwrap();
            for row in rows {
                let (effects, expected) = row.rsplit_once(' ').unwrap();
                let got = algorithm.combine(effects.chars().map(effect));
                assert_eq!(got, effect(expected.chars().next().unwrap()), "{name}: {row}");
            }
        }
        assert_eq!(Combining::read("urn:x:only-one-applicable"), None);
    }
}
