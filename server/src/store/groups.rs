//! Groups: named sets of repositories. Those of the configuration file are what it says; the others are people's.

use std::collections::BTreeMap;

use tagwarden_model::api::{ChangeKind, Group, WatchSource};
use tagwarden_model::instant::Instant;
use tagwarden_model::name::RepositoryName;
use unicode_normalization::UnicodeNormalization as _;

use super::db::{Conn, statements, values};
use super::transaction::Write;
use super::{Scope, Store, StoreError};

/// Groups that there may be: a page shows them all.
pub const MOST_GROUPS: u64 = 500;

/// Repositories of a group.
pub const MOST_MEMBERS: u64 = 5_000;

statements! {
    GROUPS = "SELECT g.name, g.description, g.source, r.name AS repository FROM groups g
            LEFT JOIN group_repositories m ON m.group_id = g.id LEFT JOIN repositories r ON r.id = m.repository_id
        WHERE CAST($1 AS TEXT) IS NULL OR g.name = $1 ORDER BY g.name, r.name";
    GROUP = "SELECT id FROM groups WHERE name = $1";
    OF_SOURCE = "SELECT id, name, description FROM groups WHERE source = $1 ORDER BY id";
    WITHIN = "SELECT m.repository_id, g.name FROM repositories r JOIN group_repositories m ON m.repository_id = r.id
            JOIN groups g ON g.id = m.group_id WHERE r.name >= $1 AND r.name <= $2 ORDER BY g.name";
    COUNT = "SELECT count(*) AS n FROM groups";
    COUNT_MEMBERS = "SELECT count(*) AS n FROM group_repositories WHERE group_id = $1";
    MEMBERS = "SELECT repository_id FROM group_repositories WHERE group_id = $1 ORDER BY repository_id";
    INSERT = "INSERT INTO groups (name, description, source) VALUES ($1, '', $2) ON CONFLICT (name) DO NOTHING";
    PUT = "INSERT INTO groups (name, description, source) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET description = excluded.description, source = excluded.source RETURNING id";
    RENAME = "UPDATE groups SET name = $2 WHERE id = $1";
    DELETE = "DELETE FROM groups WHERE id = $1";
    DELETE_MEMBERS = "DELETE FROM group_repositories WHERE group_id = $1";
    KNOWN = "SELECT id FROM repositories WHERE name = $1 AND (period_id IS NOT NULL OR state = 7)";
    PUT_MEMBER = "INSERT INTO group_repositories (group_id, repository_id) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    REMOVE_MEMBER = "DELETE FROM group_repositories WHERE group_id = $1
        AND repository_id IN (SELECT id FROM repositories WHERE name = $2)";
}

/// A group of the configuration file as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Unique name.
    pub name: String,
    /// What it is, for people; may be empty.
    pub description: String,
    /// Rows of its repositories, ascending.
    pub members: Vec<i64>,
}

/// What became of a repository that was to join a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// It is in the group.
    In,
    /// There is no such group.
    NoGroup,
    /// The repository is not watched.
    NotWatched,
}

/// A group's name with its letters composed (NFC): names that look alike are one, however they were typed.
pub fn composed(name: &str) -> String {
    name.nfc().collect()
}

/// The row of a group.
pub(super) async fn group_id(conn: &mut Conn, name: &str) -> Result<Option<i64>, StoreError> {
    conn.optional(GROUP, values![composed(name)]).await?.map(|row| row.int("id")).transpose()
}

/// The groups of the repositories whose names lie between two, by the repositories' rows.
pub(super) async fn groups_within(
    conn: &mut Conn,
    (first, last): &(String, String),
) -> Result<BTreeMap<i64, Vec<String>>, StoreError> {
    let mut groups = BTreeMap::<i64, Vec<String>>::new();
    for row in conn.all(WITHIN, values![first, last]).await? {
        groups.entry(row.int("repository_id")?).or_default().push(row.text("name")?);
    }
    Ok(groups)
}

impl Store {
    /// All groups with their repositories, or the one that is named.
    pub async fn groups(&self, scope: Scope, only: Option<&str>) -> Result<Vec<Group>, StoreError> {
        let Scope::All = scope;
        let mut groups = BTreeMap::<String, Group>::new();
        for row in self.read_conn().await?.all(GROUPS, values![only.map(composed).as_deref()]).await? {
            let (name, description) = (row.text("name")?, row.text("description")?);
            let source = row.code("source", WatchSource::from_code)?;
            let new = Group { name: name.clone(), description, source, repositories: Vec::new() };
            groups.entry(name).or_insert(new).repositories.extend(row.text_opt("repository")?);
        }
        Ok(groups.into_values().collect())
    }

    /// The groups of the configuration file.
    pub async fn file_groups(&self) -> Result<Vec<GroupRow>, StoreError> {
        Ok(of_file(&mut self.read_conn().await?).await?.into_iter().map(|(_, group)| group).collect())
    }

    /// Makes these the groups of the configuration file. What is as it was is not written; people's groups stay, but for one
    /// of a name that the file has: it becomes the file's, and only what the file says is in it.
    pub async fn put_groups(&self, groups: &[GroupRow]) -> Result<(), StoreError> {
        let same = |known: &GroupRow| groups.contains(known);
        let known = self.file_groups().await?;
        if known.len() == groups.len() && known.iter().all(same) {
            return Ok(());
        }
        let mut write = self.begin().await?;
        let known = of_file(&mut write.conn).await?;
        for (id, group) in &known {
            if groups.iter().all(|kept| kept.name != group.name) {
                write.conn.execute(DELETE_MEMBERS, values![*id]).await?;
                write.conn.execute(DELETE, values![*id]).await?;
            }
        }
        for group in groups.iter().filter(|group| known.iter().all(|(_, known)| known != *group)) {
            let values = values![&group.name, &group.description, WatchSource::File.code()];
            let id = write.conn.one(PUT, values).await?.int("id")?;
            write.conn.execute(DELETE_MEMBERS, values![id]).await?;
            for member in &group.members {
                write.conn.execute(PUT_MEMBER, values![id, *member]).await?;
            }
        }
        write.conn.commit().await
    }

    /// Makes a group; `false` if there is one of that name.
    pub async fn create_group(&self, name: &str) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        if group_id(&mut write.conn, name).await?.is_some() {
            return Ok(false);
        }
        if write.conn.one(COUNT, values![]).await?.count("n")? >= MOST_GROUPS {
            let message = format!("there are {MOST_GROUPS} groups already: delete one first");
            return Err(StoreError::Refused { message, field: "name" });
        }
        let made = write.conn.execute(INSERT, values![composed(name), WatchSource::Person.code()]).await?;
        write.conn.commit().await?;
        Ok(made > 0)
    }

    /// Gives a group another name; `false` if there is none. `Refused` if the other name is taken.
    pub async fn rename_group(&self, name: &str, to: &str, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some(id) = group_id(&mut write.conn, name).await? else { return Ok(false) };
        if composed(name) != composed(to) && group_id(&mut write.conn, to).await?.is_some() {
            let message = "there is a group of that name already".to_owned();
            return Err(StoreError::Refused { message, field: "to" });
        }
        write.conn.execute(RENAME, values![id, composed(to)]).await?;
        write.members_changed(id).await?;
        self.finish(write, now).await?;
        Ok(true)
    }

    /// Deletes a group; its repositories stay. `false` if there is none.
    pub async fn delete_group(&self, name: &str, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some(id) = group_id(&mut write.conn, name).await? else { return Ok(false) };
        write.members_changed(id).await?;
        write.conn.execute(DELETE_MEMBERS, values![id]).await?;
        write.conn.execute(DELETE, values![id]).await?;
        self.finish(write, now).await?;
        Ok(true)
    }

    /// Puts a watched repository into a group.
    pub async fn join_group(&self, group: &str, name: &RepositoryName, now: Instant) -> Result<Joined, StoreError> {
        let mut write = self.begin().await?;
        let Some(id) = group_id(&mut write.conn, group).await? else { return Ok(Joined::NoGroup) };
        let Some(row) = write.conn.optional(KNOWN, values![name.to_string()]).await? else {
            return Ok(Joined::NotWatched);
        };
        if write.conn.one(COUNT_MEMBERS, values![id]).await?.count("n")? >= MOST_MEMBERS {
            let message = format!("a group has at most {MOST_MEMBERS} repositories");
            return Err(StoreError::Refused { message, field: "group" });
        }
        let repository = row.int("id")?;
        if write.conn.execute(PUT_MEMBER, values![id, repository]).await? > 0 {
            write.notice(ChangeKind::Repository, 0, repository);
        }
        self.finish(write, now).await?;
        Ok(Joined::In)
    }

    /// Takes a repository out of a group; `false` if it was not in it.
    pub async fn leave_group(&self, group: &str, name: &RepositoryName, now: Instant) -> Result<bool, StoreError> {
        let mut write = self.begin().await?;
        let Some(id) = group_id(&mut write.conn, group).await? else { return Ok(false) };
        write.members_changed(id).await?;
        let left = write.conn.execute(REMOVE_MEMBER, values![id, name.to_string()]).await?;
        if left == 0 {
            return Ok(false);
        }
        self.finish(write, now).await?;
        Ok(true)
    }
}

impl Write {
    /// The page shows with each repository in which groups it is.
    async fn members_changed(&mut self, group: i64) -> Result<(), StoreError> {
        for row in self.conn.all(MEMBERS, values![group]).await? {
            self.notice(ChangeKind::Repository, 0, row.int("repository_id")?);
        }
        Ok(())
    }
}

async fn of_file(conn: &mut Conn) -> Result<Vec<(i64, GroupRow)>, StoreError> {
    let mut groups = Vec::new();
    for row in conn.all(OF_SOURCE, values![WatchSource::File.code()]).await? {
        let id = row.int("id")?;
        let members = conn.all(MEMBERS, values![id]).await?;
        let members = members.iter().map(|row| row.int("repository_id")).collect::<Result<_, _>>()?;
        groups.push((id, GroupRow { name: row.text("name")?, description: row.text("description")?, members }));
    }
    Ok(groups)
}
