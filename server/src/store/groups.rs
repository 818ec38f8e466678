//! Groups of repositories.

use super::db::{Conn, statements, values};
use super::{Store, StoreError};

statements! {
    ALL = "SELECT id, name, description FROM groups ORDER BY id";
    MEMBERS = "SELECT repository_id FROM group_repositories WHERE group_id = $1 ORDER BY repository_id";
    PUT = "INSERT INTO groups (name, description) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET description = excluded.description RETURNING id";
    ADD_MEMBER = "INSERT INTO group_repositories (group_id, repository_id) VALUES ($1, $2)";
    DROP_MEMBERS = "DELETE FROM group_repositories WHERE group_id = $1";
    DROP = "DELETE FROM groups WHERE id = $1";
    OF_REPOSITORY = "SELECT g.name FROM groups g JOIN group_repositories m ON m.group_id = g.id
        WHERE m.repository_id = $1 ORDER BY g.name";
}

/// A group as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Unique name.
    pub name: String,
    /// What it is, for people; may be empty.
    pub description: String,
    /// Rows of its repositories, ascending.
    pub members: Vec<i64>,
}

impl Store {
    /// All groups.
    pub async fn groups(&self) -> Result<Vec<GroupRow>, StoreError> {
        Ok(read(&mut self.read_conn().await?).await?.into_iter().map(|(_, group)| group).collect())
    }

    /// Makes these the groups that there are. What is as it was is not written.
    pub async fn put_groups(&self, groups: &[GroupRow]) -> Result<(), StoreError> {
        let same = |known: &GroupRow| groups.contains(known);
        let known = self.groups().await?;
        if known.len() == groups.len() && known.iter().all(same) {
            return Ok(());
        }
        let mut write = self.begin().await?;
        let known = read(&mut write.conn).await?;
        for (id, group) in &known {
            if !same(group) {
                write.conn.execute(DROP_MEMBERS, values![*id]).await?;
            }
            if groups.iter().all(|kept| kept.name != group.name) {
                write.conn.execute(DROP, values![*id]).await?;
            }
        }
        for group in groups.iter().filter(|group| known.iter().all(|(_, known)| known != *group)) {
            let id = write.conn.one(PUT, values![&group.name, &group.description]).await?.int("id")?;
            for member in &group.members {
                write.conn.execute(ADD_MEMBER, values![id, *member]).await?;
            }
        }
        write.conn.commit().await
    }
}

async fn read(conn: &mut Conn) -> Result<Vec<(i64, GroupRow)>, StoreError> {
    let mut groups = Vec::new();
    for row in conn.all(ALL, values![]).await? {
        let id = row.int("id")?;
        let members = conn.all(MEMBERS, values![id]).await?;
        let members = members.iter().map(|row| row.int("repository_id")).collect::<Result<_, _>>()?;
        groups.push((id, GroupRow { name: row.text("name")?, description: row.text("description")?, members }));
    }
    Ok(groups)
}

/// The names of a repository's groups.
pub(super) async fn of_repository(conn: &mut Conn, repository: i64) -> Result<Vec<String>, StoreError> {
    conn.all(OF_REPOSITORY, values![repository]).await?.iter().map(|row| row.text("name")).collect()
}
