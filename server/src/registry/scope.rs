//! What a token allows: `repository:team/api:pull` (distribution-spec, "Token Scope Documentation").

/// A set of scopes that remembers its order; the actions of a resource are merged and sorted, because registries name
/// them in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// What a token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// To pull from the repository.
    Pull,
    /// To read the registry's catalogue.
    Catalogue,
    /// Nothing: for the probe of `/v2/`.
    Nothing,
}

/// More scopes than this come from no registry.
const MAX_SCOPES: usize = 32;

impl Scopes {
    /// What gives a right to a repository, or to what is around it.
    pub fn of(right: Right, path: &str) -> Self {
        match right {
            Right::Pull => Self(vec![format!("repository:{path}:pull")]),
            Right::Catalogue => Self(vec!["registry:catalog:*".to_owned()]),
            Right::Nothing => Self::default(),
        }
    }

    /// Reads scopes that are separated by spaces, as in a challenge.
    pub fn parse(text: &str) -> Self {
        let mut scopes = Self::default();
        text.split_ascii_whitespace().for_each(|scope| scopes.insert(scope));
        scopes
    }

    /// Adds scopes behind those that are there.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|scope| self.insert(scope));
    }

    /// In the order in which they were named first.
    pub fn in_order(&self) -> &[String] {
        &self.0
    }

    /// In an order that does not depend on who named them.
    pub fn sorted(&self) -> Vec<String> {
        let mut sorted = self.0.clone();
        sorted.sort();
        sorted
    }

    fn insert(&mut self, scope: &str) {
        // A name may contain colons (a host with a port), actions never do.
        let Some((resource, actions)) = scope.rsplit_once(':') else {
            if self.0.len() < MAX_SCOPES && self.0.iter().all(|known| known != scope) {
                self.0.push(scope.to_owned());
            }
            return;
        };
        let known = self.0.iter().position(|known| known.rsplit_once(':').is_some_and(|(name, _)| name == resource));
        let old = known.and_then(|at| self.0[at].rsplit_once(':')).map_or("", |(_, actions)| actions);
        let mut all: Vec<_> = old.split(',').chain(actions.split(',')).filter(|action| !action.is_empty()).collect();
        all.sort_unstable();
        all.dedup();
        let merged = format!("{resource}:{}", all.join(","));
        match known {
            Some(at) => self.0[at] = merged,
            None if self.0.len() < MAX_SCOPES => self.0.push(merged),
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_actions_and_scopes_does_not_matter() {
        let one = Scopes::parse("repository:b:push,pull repository:a:pull");
        let other = Scopes::parse(" repository:a:pull  repository:b:pull,push");
        assert_eq!(one.in_order(), ["repository:b:pull,push", "repository:a:pull"]);
        assert_eq!(one.sorted(), other.sorted());
    }

    #[test]
    fn actions_of_one_resource_are_merged_and_the_first_stays_first() {
        let mut scopes = Scopes::parse("repository:host:5000/b:pull *");
        scopes.add(&Scopes::parse("registry:catalog:* repository:host:5000/b:delete,pull *"));
        assert_eq!(scopes.in_order(), ["repository:host:5000/b:delete,pull", "*", "registry:catalog:*"]);
        assert_eq!(Scopes::parse(&"a:b ".repeat(99)).in_order().len(), 1);
        let many: Vec<_> = (0..99).map(|number| format!("r:{number}:pull")).collect();
        assert_eq!(Scopes::parse(&many.join(" ")).in_order().len(), MAX_SCOPES);
    }
}
