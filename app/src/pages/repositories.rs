//! Every watched repository: whether it is checked as promised.

use std::collections::BTreeSet;

use leptos::prelude::*;
use tagwarden_model::api::{ChangeKind, Page, Registry, Repository};

use super::add_form::AddForm;
use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{Acting, Loaded, RepositoryName, When, title};
use crate::view::{Show, live};
use crate::{api, phrase, time, url};

/// The page.
#[component]
pub fn RepositoriesPage() -> impl IntoView {
    title(|| Some("Repositories".into()));
    let repositories = Remote::new(|| (), |()| api::repositories());
    Live::here().keep_fresh(repositories, |change| change.kind != ChangeKind::Job);
    let registries = Remote::new(|| (), |()| api::registries());
    Live::here().keep_fresh(registries, |change| change.kind == ChangeKind::Registry);
    let query = use_query_map();
    let find = Memo::new(move |_| query.with(|query| query.get("find")).unwrap_or_default().to_ascii_lowercase());
    let group = Memo::new(move |_| query.with(|query| query.get("group")).unwrap_or_default());
    view! {
        <div class="page-head"><h1>"Repositories"</h1></div>
        <Loaded remote=repositories lines=8 let:page>
            <LockedOut registries=registries.data page />
            <div class="columns">
                <Found page find group />
                <Acting>
                    <aside class="stack-tight">
                        <h2>"Watch another repository"</h2>
                        <div class="card"><AddForm on_added=move || repositories.reload() /></div>
                    </aside>
                </Acting>
            </div>
        </Loaded>
    }
}

/// Registries that refuse everything: said once, however many repositories each has.
#[component]
fn LockedOut(registries: Held<Option<Page<Registry>>>, page: Held<Page<Repository>>) -> impl IntoView {
    let note = |(sentence, command): (String, String)| {
        view! {
            <p class="note note-warning" role="status">
                <bdi>{phrase::visible(&sentence)}</bdi>
                " See what it answers to each step: "
                <code>{command}</code>
            </p>
        }
    };
    live(move || {
        let registries = registries.get().map(|page| page.items).unwrap_or_default();
        let locked_out = |registry| page.with(|page| phrase::locked_out(registry, &page.items));
        registries.iter().filter_map(locked_out).map(note).collect_view()
    })
}

#[component]
fn Found(page: Held<Page<Repository>>, find: Memo<String>, group: Memo<String>) -> impl IntoView {
    let found = Memo::new(move |_| -> Vec<Repository> {
        let find = find.get();
        let group = group.get();
        let wanted = |item: &&Repository| {
            item.name.to_ascii_lowercase().contains(&find) && (group.is_empty() || item.groups.contains(&group))
        };
        page.with(|page| page.items.iter().filter(wanted).cloned().collect())
    });
    let words = live(move || match (page.with(|page| page.items.len()), found.with(Vec::len)) {
        (0, _) => "Nothing is watched yet.".to_owned(),
        (_, 0) => format!("No watched repository is called “{}”.", phrase::visible(&find.get())),
        (all, some) if all == some => {
            let checked =
                |item: &&Repository| !matches!(phrase::state_word(item).1, phrase::Tone::Warning | phrase::Tone::Flag);
            let fine = page.with(|page| page.items.iter().filter(checked).count());
            let all_words = phrase::count(all as u64, "repository", "repositories");
            if fine == all {
                format!("{all_words}, checked as promised.")
            } else {
                format!("{all_words}; {} not checked as promised.", phrase::count((all - fine) as u64, "is", "are"))
            }
        }
        (all, some) => {
            let of = if find.with(String::is_empty) { group.get() } else { find.get() };
            format!("{} of {all} for “{}”.", phrase::grouped(some as u64), phrase::visible(&of))
        }
    });
    let groups = Memo::new(move |_| {
        page.with(|page| page.items.iter().flat_map(|item| item.groups.clone()).collect::<BTreeSet<_>>())
    });
    let tab = move |name: String| {
        let (address, shown) = (url::with_query("repositories", &[("group", Some(&name))]), phrase::visible(&name));
        let shown = if name.is_empty() { "All".to_owned() } else { shown };
        view! {
            <a class="segment" href=address aria-current=move || (group.get() == name).then_some("page")>
                <bdi>{shown}</bdi>
            </a>
        }
    };
    let tabs = live(move || {
        let groups = groups.get();
        (!groups.is_empty()).then(|| {
            let tabs = std::iter::once(String::new()).chain(groups).map(tab).collect_view();
            view! { <nav class="segments page-tabs" aria-label="Groups">{tabs}</nav> }
        })
    });
    view! {
        <div class="stack-tight">
            {tabs}
            <p class="lead">
                <bdi>{words}</bdi>
                " "
                <Show when=move || !find.with(String::is_empty)><a href="repositories">"Show all"</a></Show>
                <Show when=move || !group.with(String::is_empty)><a href=move || url::group(&group.get())>"Its timeline"</a></Show>
            </p>
            <Show when=move || !found.with(Vec::is_empty)><RepositoryTable repositories=found /></Show>
        </div>
    }
}

/// Repositories with their freshness.
#[component]
pub fn RepositoryTable(repositories: Memo<Vec<Repository>>) -> impl IntoView {
    view! {
        <div class="card table-card">
            <table class="table">
                <thead>
                    <tr>
                        <th scope="col">"Repository"</th>
                        <th scope="col">"State"</th>
                        <th scope="col">"Checked"</th>
                        <th scope="col" class="wide">"Promised within"</th>
                        <th scope="col" class="wide number">"Releases"</th>
                        <th scope="col" class="wide number">"Tags"</th>
                    </tr>
                </thead>
                <tbody>{live(move || repositories.get().into_iter().map(row).collect_view())}</tbody>
            </table>
        </div>
    }
}

fn row(repository: Repository) -> impl IntoView {
    let (word, tone) = phrase::state_word(&repository);
    let sentence = phrase::state_sentence(&repository);
    let checked = match repository.last_pass {
        Some(at) => view! { <When at /> }.into_any(),
        None => view! { <span class="quiet">"not yet"</span> }.into_any(),
    };
    let flags = (repository.open_flags > 0).then(|| phrase::count(repository.open_flags, "flag", "flags"));
    view! {
        <tr>
            <td class="grow">
                <RepositoryName name=repository.name.clone() />
                {flags.map(|flags| view! { <span class="row-flags">{flags}</span> })}
                {sentence.map(|sentence| view! { <p class="row-note"><bdi>{phrase::visible(&sentence)}</bdi></p> })}
            </td>
            <td><span class=tone.class()>{word}</span></td>
            <td>{checked}</td>
            <td class="wide">{phrase::promised(&repository).map(time::length)}</td>
            <td class="wide number">{phrase::grouped(repository.releases)}</td>
            <td class="wide number">{phrase::grouped(repository.tags)}</td>
        </tr>
    }
}
