//! Every watched repository: whether it is checked as promised.

use std::collections::BTreeSet;

use leptos::prelude::*;
use tagwarden_model::api::{ChangeKind, Page, Registry, Repository};

use super::add_form::AddForm;
use crate::held::Held;
use crate::live::Live;
use crate::meaning::Tone;
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{Acting, Loaded, RepositoryName, When, title};
use crate::view::{Show, live};
use crate::{api, meaning, text, time, url};

/// The page.
#[component]
pub fn RepositoriesPage() -> impl IntoView {
    title(|| Some(text::shell::REPOSITORIES.into()));
    let repositories = Remote::new(|| (), |()| api::repositories());
    Live::here().keep_fresh(repositories, |change| change.kind != ChangeKind::Job);
    let registries = Remote::new(|| (), |()| api::registries());
    Live::here().keep_fresh(registries, |change| change.kind == ChangeKind::Registry);
    let query = use_query_map();
    let find = Memo::new(move |_| query.with(|query| query.get("find")).unwrap_or_default().to_ascii_lowercase());
    let group = Memo::new(move |_| query.with(|query| query.get("group")).unwrap_or_default());
    view! {
        <div class="page-head"><h1>{text::shell::REPOSITORIES}</h1></div>
        <Loaded remote=repositories lines=8 let:page>
            <LockedOut registries=registries.data page />
            <div class="columns">
                <Found page find group />
                <Acting>
                    <aside class="stack-tight">
                        <h2>{text::repositories::WATCH_ANOTHER}</h2>
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
                <bdi>{meaning::visible(&sentence)}</bdi>
                {text::repositories::LOCKED_OUT_STEP}
                <code>{command}</code>
            </p>
        }
    };
    live(move || {
        let registries = registries.get().map(|page| page.items).unwrap_or_default();
        let locked_out = |registry| {
            page.with(|page| {
                let example = meaning::locked_out(registry, &page.items)?;
                Some((text::repositories::locked_out(registry), ["tagwarden check ", example].concat()))
            })
        };
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
        (0, _) => text::repositories::NONE.to_owned(),
        (_, 0) => text::repositories::none_called(&meaning::visible(&find.get())),
        (all, some) if all == some => {
            let late = |item: &&Repository| matches!(meaning::state_tone(item), Tone::Warning | Tone::Flag);
            let late = page.with(|page| page.items.iter().filter(late).count());
            text::repositories::all_checked(all as u64, late as u64)
        }
        (all, some) => {
            let of = if find.with(String::is_empty) { group.get() } else { find.get() };
            text::repositories::some_for(some as u64, all as u64, &meaning::visible(&of))
        }
    });
    let groups = Memo::new(move |_| {
        page.with(|page| page.items.iter().flat_map(|item| item.groups.clone()).collect::<BTreeSet<_>>())
    });
    let tab = move |name: String| {
        let (address, shown) = (url::with_query("repositories", &[("group", Some(&name))]), meaning::visible(&name));
        let shown = if name.is_empty() { text::repositories::ALL.to_owned() } else { shown };
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
            view! { <nav class="segments page-tabs" aria-label=text::repositories::GROUPS>{tabs}</nav> }
        })
    });
    view! {
        <div class="stack-tight">
            {tabs}
            <p class="lead">
                <bdi>{words}</bdi>
                " "
                <Show when=move || !find.with(String::is_empty)><a href="repositories">{text::repositories::SHOW_ALL}</a></Show>
                <Show when=move || !group.with(String::is_empty)><a href=move || url::group(&group.get())>{text::repositories::ITS_TIMELINE}</a></Show>
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
                        <th scope="col">{text::REPOSITORY}</th>
                        <th scope="col">{text::STATE}</th>
                        <th scope="col">{text::repositories::CHECKED}</th>
                        <th scope="col" class="wide">{text::repositories::PROMISED}</th>
                        <th scope="col" class="wide number">{text::repositories::RELEASES}</th>
                        <th scope="col" class="wide number">{text::repositories::TAGS}</th>
                    </tr>
                </thead>
                <tbody>{live(move || repositories.get().into_iter().map(row).collect_view())}</tbody>
            </table>
        </div>
    }
}

fn row(repository: Repository) -> impl IntoView {
    let (word, tone) = (text::repositories::state_word(&repository), meaning::state_tone(&repository));
    let sentence = text::repositories::state_sentence(&repository);
    let checked = match repository.last_pass {
        Some(at) => view! { <When at /> }.into_any(),
        None => view! { <span class="quiet">{text::NOT_YET}</span> }.into_any(),
    };
    let flags = (repository.open_flags > 0).then(|| text::repositories::flags(repository.open_flags));
    view! {
        <tr>
            <td class="grow">
                <RepositoryName name=repository.name.clone() />
                {flags.map(|flags| view! { <span class="row-flags">{flags}</span> })}
                {sentence.map(|sentence| view! { <p class="row-note"><bdi>{meaning::visible(&sentence)}</bdi></p> })}
            </td>
            <td><span class=tone.class()>{word}</span></td>
            <td>{checked}</td>
            <td class="wide">{meaning::promised(&repository).map(time::length)}</td>
            <td class="wide number">{text::grouped(repository.releases)}</td>
            <td class="wide number">{text::grouped(repository.tags)}</td>
        </tr>
    }
}
