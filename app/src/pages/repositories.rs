//! Every watched repository: whether it is checked as promised.

use leptos::prelude::*;
use tagwarden_model::api::{ChangeKind, Group, Page, Registry, Repository};

use super::add_form::AddForm;
use crate::effect::on_change;
use crate::held::{Awaited, Held};
use crate::live::Live;
use crate::meaning::Tone;
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{Acting, Loaded, More, RepositoryName, SummaryHere, When, title};
use crate::view::{Show, live, rows};
use crate::{api, meaning, text, time, url};

/// Which of them are asked for: a text in their name, and a group.
type Asked = Memo<(String, String)>;

/// The page.
#[component]
pub fn RepositoriesPage() -> impl IntoView {
    title(|| Some(text::shell::REPOSITORIES.into()));
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let of = |key: &str| query.with(|query| query.get(key)).unwrap_or_default();
        (of("find"), of("group"))
    });
    let pages = RwSignal::new(1_u32);
    let repositories =
        Remote::new(move || asked.get(), move |(find, group)| api::repositories(&find, &group, pages.get_untracked()));
    on_change(move || pages.track(), move || repositories.reload());
    Live::here().keep_fresh(repositories, |change| change.kind != ChangeKind::Job);
    let registries = Remote::new(|| (), |()| api::registries());
    Live::here().keep_fresh(registries, |change| change.kind == ChangeKind::Registry);
    let groups = Remote::new(|| (), |()| api::groups());
    view! {
        <div class="page-head"><h1>{text::shell::REPOSITORIES}</h1></div>
        <Loaded remote=repositories lines=8 let:page>
            <LockedOut registries=registries.data page />
            <div class="columns">
                <Found page pages asked groups=groups.data />
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
fn LockedOut(registries: Awaited<Page<Registry>>, page: Held<Page<Repository>>) -> impl IntoView {
    let note = |(sentence, command): (String, String)| {
        view! {
            <p class="note note-warning">
                <bdi>{meaning::visible(&sentence)}</bdi>
                {text::repositories::LOCKED_OUT_STEP}
                <code>{command}</code>
            </p>
        }
    };
    let notes = live(move || {
        let registries = registries.get().map(|page| page.items).unwrap_or_default();
        let locked_out = |registry| {
            page.with(|page| {
                let example = meaning::locked_out(registry, &page.items)?;
                Some((text::repositories::locked_out(registry), ["tagwarden check ", example].concat()))
            })
        };
        registries.iter().filter_map(locked_out).map(note).collect_view()
    });
    view! { <div class="standing" role="status">{notes}</div> }
}

#[component]
fn Found(
    page: Held<Page<Repository>>,
    pages: RwSignal<u32>,
    asked: Asked,
    groups: Awaited<Page<Group>>,
) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    let found = Memo::new(move |_| page.get().items);
    let has_more = Signal::derive(move || page.with(|page| page.next.is_some()));
    let words = live(move || {
        let (find, group) = asked.get();
        let (some, more) = (found.with(Vec::len) as u64, has_more.get());
        match (some, find.is_empty(), group.is_empty()) {
            (0, true, true) => text::repositories::NONE.to_owned(),
            (0, true, false) => text::repositories::none_in(&meaning::visible(&group)),
            (0, ..) => text::repositories::none_called(&meaning::visible(&find)),
            (_, true, true) => {
                let tone = |item: &&Repository| meaning::state_tone(&meaning::standing(item));
                let late = |item: &&Repository| matches!(tone(item), Tone::Warning | Tone::Flag);
                let late = found.with(|found| found.iter().filter(late).count() as u64);
                // The summary knows those that are not shown yet, too.
                let all = summary.data.with(|data| data.map(|data| (data.repositories, data.late)));
                let (all, late) = all.filter(|_| more).unwrap_or((some, late));
                text::repositories::all_checked(all, late)
            }
            (_, is_group, _) => {
                text::repositories::some_for(some, more, &meaning::visible(if is_group { &group } else { &find }))
            }
        }
    });
    let tab = move |name: String| {
        let (address, shown) = (url::with_query("repositories", &[("group", Some(&name))]), meaning::visible(&name));
        let shown = if name.is_empty() { text::repositories::ALL.to_owned() } else { shown };
        view! {
            <a class="segment" href=address aria-current=move || asked.with(|asked| asked.1 == name).then_some("page")>
                <bdi>{shown}</bdi>
            </a>
        }
    };
    let tabs = live(move || {
        let groups = groups.get().map(|page| page.items).unwrap_or_default();
        (!groups.is_empty()).then(|| {
            let names = groups.into_iter().map(|group| group.name);
            let tabs = std::iter::once(String::new()).chain(names).map(tab).collect_view();
            view! { <nav class="segments page-tabs" aria-label=text::repositories::GROUPS>{tabs}</nav> }
        })
    });
    view! {
        <div class="stack-tight">
            {tabs}
            <p class="lead">
                <bdi>{words}</bdi>
                " "
                <Show when=move || asked.with(|asked| !asked.0.is_empty())><a href="repositories">{text::repositories::SHOW_ALL}</a></Show>
                <Show when=move || asked.with(|asked| !asked.1.is_empty())><a href=move || asked.with(|asked| url::group(&asked.1))>{text::repositories::ITS_TIMELINE}</a></Show>
            </p>
            <Show when=move || !found.with(Vec::is_empty)><RepositoryTable repositories=found /></Show>
            <More has_more pages />
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
                <tbody>{rows(move || repositories.get(), row)}</tbody>
            </table>
        </div>
    }
}

fn row(repository: Repository) -> impl IntoView {
    let standing = meaning::standing(&repository);
    let (word, tone) = (text::repositories::state_word(&standing), meaning::state_tone(&standing));
    let sentence = text::repositories::state_sentence(&standing);
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
