//! What two digests differ in, and what they claim to be built from.

use leptos::prelude::*;
use tagwarden_model::change::{ChangeRow, SourceCommit};
use tagwarden_model::digest::Digest;

use crate::meaning::{capital, visible};
use crate::remote::Remote;
use crate::text::{digests as words, flag as text};
use crate::view::live;
use crate::{api, url};

/// The rows that differ, before and after; nothing if there are none.
pub fn changes(rows: Vec<ChangeRow>) -> impl IntoView {
    let value = |value: Option<String>| value.map_or_else(|| "—".to_owned(), |value| visible(&value));
    let row = |row: ChangeRow| {
        let class = if row.critical { "changed-critical mono" } else { "mono" };
        view! {
            <tr>
                <th scope="row">{capital(&visible(&row.what))}</th>
                <td class="mono"><bdi>{value(row.before)}</bdi></td>
                <td class=class><bdi>{value(row.after)}</bdi></td>
            </tr>
        }
    };
    let rows: Vec<_> = rows.into_iter().map(row).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <table class="table table-plain changed">
                <thead><tr><th scope="col">{text::WHAT}</th><th scope="col">{text::BEFORE}</th><th scope="col">{text::AFTER}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
    })
}

/// The commit that somebody who pushed claims, with its address and where that leads.
pub fn commit(source: SourceCommit) -> impl IntoView {
    let label = words::commit(&visible(&source.revision), source.url.as_deref());
    match source.url {
        Some(url) => view! { <a href=url rel="noreferrer" title=words::CLAIMED>{label}</a> }.into_any(),
        None => view! { <span class="quiet" title=words::CLAIMED>{label}</span> }.into_any(),
    }
}

/// The commit that a digest claims to be built from, once it is known; nothing where the record does not keep it.
#[component]
pub fn Commit(digest: Digest) -> impl IntoView {
    let digest = digest.to_string();
    let found = Remote::new(|| (), move |()| api::compare(&digest, &digest));
    live(move || found.data.get().and_then(|found| found.new_source).map(commit))
}

/// Leads to the page that compares two digests.
#[component]
pub fn CompareLink(old: Digest, new: Digest) -> impl IntoView {
    view! { <a class="button" href=url::compare(&old.to_string(), &new.to_string())>{words::COMPARE}</a> }
}
