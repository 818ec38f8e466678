//! What of a change counts for a version that is refreshed on purpose: RECORD.md 7.

use super::{Change, ChangeLevel, Difference, Field, PlatformChange};

impl Change {
    /// How bad it is that a refreshed version starts otherwise: by what it is, its entrypoint, command, user and platforms
    /// alone. `None` if these are the same.
    pub fn of_refresh(&self) -> Option<ChangeLevel> {
        let whole = self.whole.iter().filter(|row| row.field == Field::Kind).map(|_| ChangeLevel::Selection);
        let problem = self.problem.as_ref().map(|_| ChangeLevel::NotComparable);
        // The worst are listed: while one of these is the same, those left out are, too.
        let unlisted = self.more_platforms > 0 && self.platforms.iter().all(|one| one.level > ChangeLevel::Same);
        let unlisted = unlisted.then_some(ChangeLevel::NotComparable);
        let platforms = self.platforms.iter().filter_map(PlatformChange::of_refresh);
        whole.chain(problem).chain(unlisted).chain(platforms).max()
    }
}

impl PlatformChange {
    fn of_refresh(&self) -> Option<ChangeLevel> {
        if self.problem.is_some() {
            return Some(ChangeLevel::NotComparable);
        }
        if self.old.is_none() || self.new.is_none() {
            return Some(self.level);
        }
        let counts = |row: &&Difference| row.field.starts();
        self.differences.iter().filter(counts).map(|row| row.field.level()).max()
    }
}

impl Field {
    const fn starts(self) -> bool {
        matches!(
            self,
            Self::Kind
                | Self::Platform
                | Self::ArtifactType
                | Self::Entrypoint
                | Self::Command
                | Self::User
                | Self::Listing
        )
    }
}
