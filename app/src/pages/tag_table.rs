//! The tags of a repository as a table: the timeline's twin.

use leptos::prelude::*;
use tagwarden_model::api::{Page, Tag};
use tagwarden_model::tag::Class;

use crate::effect::on_change;
use crate::held::Held;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{DigestChip, Loaded, More, When};
use crate::view::{Show, rows};
use crate::{api, meaning, text, url};

const VIEWS: [(&str, &str, Option<&str>); 3] = [
    ("", text::tags::ALL, None),
    ("releases", text::tags::RELEASES, Some("release")),
    ("rolling", text::tags::ROLLING, Some("rolling")),
];

/// Tags, newest version first.
#[component]
pub fn TagTable(
    name: Memo<String>,
    /// Shown from then on; asked for before.
    is_laid: RwSignal<bool>,
) -> impl IntoView {
    let query = use_query_map();
    let view = Memo::new(move |_| query.with(|query| query.get("view")).unwrap_or_default());
    let class = move || VIEWS.into_iter().find(|(key, ..)| *key == view.get()).and_then(|(.., class)| class);
    let pages = RwSignal::new(1_u32);
    let tags =
        Remote::new(move || (name.get(), class()), move |(name, class)| api::tags(&name, class, pages.get_untracked()));
    on_change(move || pages.track(), move || tags.reload());
    Live::here()
        .keep_fresh(tags, move |change| name.try_get_untracked().is_some_and(|name| change.repository == Some(name)));
    let tab = move |(key, words, _): (&'static str, &'static str, Option<&'static str>)| {
        view! {
            <a
                class="segment"
                href=move || {
                    let (name, range) = (name.get(), query.with(|query| query.get("range")));
                    url::with_query("repository", &[("name", Some(&name)), ("view", Some(key)), ("range", range.as_deref())])
                }
                aria-current=move || (view.get() == key).then_some("true")
                data-noscroll=""
            >
                {words}
            </a>
        }
    };
    view! {
        <Show when=move || is_laid.get()>
            <section class="stack-tight">
                <div class="section-head">
                    <h2>{text::tags::TAGS}</h2>
                    <nav class="segments" aria-label=text::tags::CLASSES>{VIEWS.map(tab).collect_view()}</nav>
                </div>
                <Loaded remote=tags lines=8 let:page><Tags page pages /></Loaded>
            </section>
        </Show>
    }
}

#[component]
fn Tags(page: Held<Page<Tag>>, pages: RwSignal<u32>) -> impl IntoView {
    let has_more = Signal::derive(move || page.with(|page| page.next.is_some()));
    view! {
        <Show
            when=move || page.with(|page| !page.items.is_empty())
            fallback=|| view! { <div class="card quiet">{text::tags::NONE}</div> }
        >
            <div class="card table-card">
                <table class="table">
                    <thead>
                        <tr>
                            <th scope="col">{text::TAG}</th>
                            <th scope="col">{text::DIGEST}</th>
                            <th scope="col" class="wide">{text::CLASS}</th>
                            <th scope="col" class="wide">{text::tags::FIRST_SEEN}</th>
                            <th scope="col">{text::tags::CHANGED}</th>
                        </tr>
                    </thead>
                    <tbody>{rows(move || page.get().items, row)}</tbody>
                </table>
            </div>
            <More has_more pages />
        </Show>
    }
}

fn row(tag: Tag) -> impl IntoView {
    let state = match (tag.in_breach, tag.present, tag.flag) {
        (true, Some(false), Some(flag)) => chip_link(flag, text::tags::REMOVED, "chip chip-flag"),
        (true, _, Some(flag)) => chip_link(flag, text::tags::REASSIGNED, "chip chip-flag"),
        (false, _, Some(flag)) => chip_link(flag, text::tags::NEEDS_REVIEW, "chip chip-warning"),
        (_, Some(false), None) => view! { <span class="chip">{text::tags::GONE}</span> }.into_any(),
        (_, None, None) => view! { <span class="chip">{text::tags::NOT_READ}</span> }.into_any(),
        _ => ().into_any(),
    };
    let address = url::tag(&tag.repository, &tag.name);
    let bad = tag.do_not_use.map(|said| {
        let why = meaning::visible(&said.reason);
        view! { " " <span class="chip chip-warning">{text::tags::BAD}</span><p class="row-note"><bdi>{why}</bdi></p> }
    });
    let claimed = (!tag.verified && tag.digest.is_some()).then_some(text::tags::CLAIMED);
    let changed = tag.changed.filter(|changed| Some(*changed) != tag.first_seen);
    view! {
        <tr>
            <td class="grow">
                <a class="tag mono" href=address title=tag.name.clone()>{tag.name.clone()}</a>
                " "
                {state}
                {bad}
            </td>
            <td>
                {tag.digest.map(|digest| view! { <DigestChip digest /> })}
                {claimed.map(|word| view! { <span class="quiet">" "{word}</span> })}
            </td>
            <td class="wide" title=tag.rule>{text::kinds::class(tag.class)}</td>
            <td class="wide">{tag.first_seen.map(|at| view! { <When at /> })}</td>
            <td>
                {match (changed, tag.class) {
                    (Some(at), _) => view! { <When at /> }.into_any(),
                    (None, Class::Release) => view! { <span class="quiet">{text::tags::CHANGED_NEVER}</span> }.into_any(),
                    (None, _) => view! { <span class="quiet">{text::NOT_YET}</span> }.into_any(),
                }}
            </td>
        </tr>
    }
}

fn chip_link(flag: i64, word: &'static str, class: &'static str) -> AnyView {
    view! { <a class=class href=url::flag(flag)>{word}</a> }.into_any()
}
