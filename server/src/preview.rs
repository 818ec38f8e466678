//! What another policy would change in the record, and what the record suggests. Reads, and writes nothing.

use std::collections::BTreeMap;

use tagwarden_model::api::{ClassChange, PolicyPreview, RepositoryState, SeverityChange};
use tagwarden_model::class::class_of;
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;
use tagwarden_model::proposal::{EXAMPLES, LOOKED_BACK, TagHistory, propose};
use tagwarden_model::tag::Class;

use crate::policy::{Policy, Rule};
use crate::store::read::histories::{Flagged, Watched};
use crate::store::{Scope, Store, StoreError};

/// Tags that one preview looks at: a moment's work, also when every rule is hard to match.
pub const MOST_TAGS: usize = 20_000;

/// Repositories that it looks at.
const MOST_REPOSITORIES: u32 = 5_000;

/// Changes, flags, and proposals, that an answer has.
const MOST_ROWS: usize = 500;

/// Tags read at once; readers of the database take turns.
const PAGE: u32 = 1_000;

/// What is to be previewed.
#[derive(Clone, Copy)]
pub struct Preview<'a> {
    /// The policy in force.
    pub current: &'a Policy,
    /// The other one.
    pub proposed: &'a Policy,
    /// This repository only.
    pub repository: Option<&'a RepositoryName>,
    /// Now.
    pub now: Instant,
    /// Look at so many tags at most; [`MOST_TAGS`].
    pub most_tags: usize,
}

impl Preview<'_> {
    /// Looks at the tags of the watched repositories, by name. `None` if the one that was named is not watched.
    pub async fn of(&self, store: &Store, scope: Scope) -> Result<Option<PolicyPreview>, StoreError> {
        let repositories = store.watched_by_name(scope, self.repository, MOST_REPOSITORIES + 1).await?;
        if self.repository.is_some() && repositories.is_empty() {
            return Ok(None);
        }
        let mut found = PolicyPreview::default();
        for repository in repositories.iter().take(MOST_REPOSITORIES as usize) {
            let left = self.most_tags.saturating_sub(found.tags as usize);
            let (histories, whole) = self.histories(store, scope, repository.id, left).await?;
            self.compare(repository, &histories, whole, &mut found).await;
            let flags = store.flagged_tags(scope, repository.id, MOST_ROWS as u32 + 1).await?;
            self.compare_flags(repository, &flags, &mut found);
            if found.truncated {
                break;
            }
        }
        found.truncated |= repositories.len() > MOST_REPOSITORIES as usize;
        Ok(Some(found))
    }

    /// At most `most` tags of a repository, and whether these are all.
    async fn histories(
        &self,
        store: &Store,
        scope: Scope,
        repository: i64,
        most: usize,
    ) -> Result<(Vec<TagHistory>, bool), StoreError> {
        let mut histories: Vec<TagHistory> = Vec::new();
        loop {
            let after = histories.last().map(|history| history.tag.to_string()).unwrap_or_default();
            let page = store.histories(scope, repository, self.now - LOOKED_BACK, &after, PAGE).await?;
            let last = page.len() < PAGE as usize;
            histories.extend(page);
            let whole = histories.len() <= most;
            if last || !whole {
                histories.truncate(most);
                return Ok((histories, whole));
            }
        }
    }

    fn compare_flags(&self, repository: &Watched, flags: &[Flagged], found: &mut PolicyPreview) {
        let rules = self.proposed.of(&repository.name);
        let severities = flags.iter().map(|flag| {
            let lowering = rules.first(&flag.tag).map(Rule::lowering).unwrap_or_default();
            let (repository, tag) = (repository.name.to_string(), flag.tag.to_string());
            SeverityChange { flag: flag.flag, repository, tag, from: flag.severity, to: lowering.of(flag.worst) }
        });
        found.severities.extend(severities.filter(|change| change.from != change.to));
        found.truncated |= flags.len() > MOST_ROWS || found.severities.len() > MOST_ROWS;
        found.severities.truncate(MOST_ROWS);
    }

    /// Of a repository that was not read to its end, or that cannot be read now, nothing is proposed: what is not known may
    /// have moved.
    async fn compare(&self, repository: &Watched, histories: &[TagHistory], whole: bool, found: &mut PolicyPreview) {
        let name = repository.name.to_string();
        let (current, proposed) = (self.current.of(&repository.name), self.proposed.of(&repository.name));
        let mut changes = BTreeMap::<(Class, Class), ClassChange>::new();
        let mut by_table = Vec::new();
        for (at, history) in histories.iter().enumerate() {
            if at % PAGE as usize == 0 {
                // Others have their turn before patterns are tried on the next ones.
                tokio::task::yield_now().await;
            }
            let table = class_of(&name, history.tag.as_str());
            let (before, after) = (current.first(&history.tag), proposed.first(&history.tag));
            by_table.push((history, after.is_none().then_some(table)));
            let from = before.map_or(table.class, Rule::class);
            let to = after.map_or(table.class, Rule::class);
            found.tags += 1;
            // The class of a tag that is gone is of no use to anybody.
            if from == to || history.present == Some(false) {
                continue;
            }
            found.changed += 1;
            let none = || ClassChange { repository: name.clone(), from, to, tags: 0, examples: Vec::new() };
            let change = changes.entry((from, to)).or_insert_with(none);
            change.tags += 1;
            if change.examples.len() < EXAMPLES {
                change.examples.push(history.tag.to_string());
            }
        }
        found.changes.extend(changes.into_values());
        if whole && repository.state == RepositoryState::Ok {
            found.proposals.extend(propose(&name, by_table, self.now));
        }
        found.truncated |= !whole || found.changes.len() > MOST_ROWS || found.proposals.len() > MOST_ROWS;
        found.changes.truncate(MOST_ROWS);
        found.proposals.truncate(MOST_ROWS);
    }
}
