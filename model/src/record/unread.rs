use std::collections::{BTreeMap, BTreeSet};

use super::Tag;
use crate::api::Unread;
use crate::name::TagName;
use crate::observation::Seen;
use crate::tag::{Band, Class, TagState};

/// Why the newest looks at tags that nobody could read yet said nothing. Such tags have no state, so that they are missing
/// in all that is counted.
#[derive(Debug, Default)]
pub(super) struct Unreadable {
    why: BTreeMap<TagName, String>,
    /// Tags without a state that the newest listing does not name any more.
    unlisted: BTreeSet<TagName>,
}

impl Unreadable {
    /// A listing that lacks these tags, of all that have no state.
    pub(super) fn listing(&mut self, unlisted: Vec<TagName>) {
        self.unlisted = unlisted.into_iter().collect();
        self.why.retain(|name, _| !self.unlisted.contains(name));
    }

    /// A look at a tag, after it was applied. `hidden`: a 404 says nothing.
    pub(super) fn saw(&mut self, name: &TagName, tag: &Tag, seen: &Seen, message: Option<String>, hidden: bool) {
        if tag.known.record.state != TagState::Unread || self.unlisted.contains(name) {
            self.why.remove(name);
            return;
        }
        let why = match seen {
            Seen::Unknown(_, reason) => message.unwrap_or_else(|| reason.word().to_owned()),
            Seen::NotFound(_) if !hidden => "it is listed, but the registry has no manifest for it (404)".to_owned(),
            _ => return,
        };
        self.why.insert(name.clone(), why);
    }

    /// How many tags of a band are listed and were never read, and the commonest reason.
    pub(super) fn of_band(&self, band: Band, tags: &BTreeMap<TagName, Tag>) -> Option<Unread> {
        let counts = |tag: &Tag| {
            let record = &tag.known.record;
            record.band == band && record.state == TagState::Unread && tag.ruling.class != Class::Ignored
        };
        let unread = self.why.iter().filter(|(name, _)| tags.get(name).is_some_and(counts));
        let mut reasons: BTreeMap<&String, u64> = BTreeMap::new();
        for (_, why) in unread {
            *reasons.entry(why).or_default() += 1;
        }
        let (commonest, _) = reasons.iter().max_by_key(|(_, tags)| **tags)?;
        Some(Unread { count: reasons.values().sum(), reason: (*commonest).clone() })
    }
}
