//! What surrounds every page: navigation with counts, search, the state of the stream, the theme.

use leptos::html::Nav;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Page, Summary, View};
use tagwarden_model::instant::Millis;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::palette::PaletteHere;
use super::toast::{ToastShelf, Toasts};
use super::{ConfigurationNote, Now};
use crate::effect::effect;
use crate::live::Live;
use crate::remote::Remote;
use crate::router::use_path;
use crate::stream::Status;
use crate::text::shell as text;
use crate::view::{Show, live, say_busy};
use crate::{api, browser, time, url};

/// The summary, asked once for the whole page.
#[derive(Clone, Copy)]
pub struct SummaryHere(pub Remote<Summary>);

/// Whether the server only shows its record.
pub(super) fn is_read_only(summary: Remote<Summary>) -> bool {
    summary.data.with(|data| data.is_some_and(|data| data.read_only))
}

/// What a person can do: shown unless the server only shows its record.
#[component]
pub fn Acting(children: ChildrenFn) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    view! { <Show when=move || !is_read_only(summary)>{children()}</Show> }
}

/// What the shown page is called; the tab's title is made of it.
#[derive(Clone, Copy)]
struct PageTitle(RwSignal<Option<String>>);

/// Names the shown page in the tab's title.
pub fn title(name: impl Fn() -> Option<String> + Send + Sync + 'static) {
    let PageTitle(title) = expect_context();
    effect(move || title.set(name()));
}

/// Navigation on the left, the page on the right.
#[component]
pub fn Shell(children: Children) -> impl IntoView {
    let summary = Remote::new(|| (), |()| api::summary());
    Live::here().keep_title_fresh(summary.question);
    provide_context(SummaryHere(summary));
    let toasts = Toasts::provide();
    let views = Views(Remote::new(|| (), |()| api::views()));
    let page_title = PageTitle(RwSignal::new(None));
    provide_context(page_title);
    effect(move || {
        let attention = summary.data.with(|data| data.map_or(0, |data| data.needs_attention));
        browser::set_title(page_title.0.get().as_deref(), attention);
    });
    // Some of it may be on its way before there is a place to say so.
    effect(say_busy);
    view! {
        <button class="button skip" type="button" on:click=|_| browser::focus("main")>{text::SKIP}</button>
        <div class="shell">
            <header class="shell-side">
                <a class="brand" href=url::OVERVIEW><Logo />"Tagwarden"</a>
                <Navigation summary />
                <KeptViews views />
                <DemoNote summary />
                <ReadOnlyNote summary />
                <ThemeSwitch />
            </header>
            <div class="shell-top"><PaletteHere views /><StreamState summary /></div>
            <main id="main" class="shell-main" tabindex="-1"><ConfigurationNote /><LostNote />{children()}<Printed /></main>
            <ToastShelf toasts />
        </div>
    }
}

#[component]
fn Logo() -> impl IntoView {
    view! {
        <svg class="brand-mark" width="20" height="20" viewBox="0 0 20 20" aria-hidden="true">
            <path class="brand-tag" d="M2 4.5h9.5L18 10l-6.5 5.5H2z" />
            <circle class="brand-dot" cx="6.5" cy="10" r="1.8" />
        </svg>
    }
}

#[component]
fn Navigation(summary: Remote<Summary>) -> impl IntoView {
    let path = use_path();
    // Which of them a path belongs to.
    let place = Memo::new(move |_| match path.get().split('/').next().unwrap_or_default() {
        "" => 0,
        "flags" => 1,
        "repositories" | "repository" | "tag" | "targets" | "group" => 2,
        "timeline" => 3,
        "notifiers" => 4,
        "settings" => 5,
        _ => 6,
    });
    let link = move |at: u32, href: &'static str, name: &'static str, count: AnyView| {
        let current = move || (place.get() == at).then_some("page");
        view! { <a class="nav-link" href=href aria-current=current><span>{name}</span>{count}</a> }
    };
    let number = move |of: fn(&Summary) -> u64| summary.data.with(|data| data.map_or(0, of));
    let attention = move || {
        let count = number(|summary| summary.needs_attention);
        (count > 0).then(|| view! { <span class="nav-flags" title=text::NEED_ATTENTION>{count}</span> })
    };
    let repositories = move || {
        let count = number(|summary| summary.repositories);
        (count > 0).then(|| view! { <span class="nav-count">{count}</span> })
    };
    // On a phone the links stand in a row that is wider than the screen.
    let row = NodeRef::<Nav>::new();
    effect(move || {
        let (Some(row), at) = (row.get(), place.get()) else { return };
        // Counts make them wider.
        summary.data.with(|_| ());
        request_animation_frame(move || {
            if let Some(link) = row.children().item(at) {
                row.set_scroll_left(link.unchecked_into::<HtmlElement>().offset_left() - row.offset_left());
            }
        });
    });
    view! {
        <nav class="nav" node_ref=row aria-label=text::PAGES>
            {link(0, url::OVERVIEW, text::OVERVIEW, ().into_any())}
            {link(1, "flags", text::FLAGS, live(attention))}
            {link(2, "repositories", text::REPOSITORIES, live(repositories))}
            {link(3, "timeline", text::TIMELINE, ().into_any())}
            {link(4, "notifiers", text::NOTIFIERS, ().into_any())}
            {link(5, "settings", text::SETTINGS, ().into_any())}
        </nav>
    }
}

/// In the demo: that it is one, how far its past was told, and how to watch one's own.
#[component]
fn DemoNote(summary: Remote<Summary>) -> impl IntoView {
    let percent = move || summary.data.with(|data| data.and_then(|data| data.demo_percent));
    let telling = move || percent().filter(|percent| *percent < 100);
    let is_demo = move || percent().is_some();
    let [before, after] = text::DEMO_NOTE;
    view! {
        <Show when=is_demo>
            <section class="shell-note" aria-label=text::DEMO>
                {live(move || {
                    telling()
                        .map(|percent| {
                            view! {
                                <p>{text::DEMO_TELLING} <strong>{percent} {text::DEMO_PERCENT}</strong></p>
                                <progress max="100" value=percent aria-label=text::DEMO_TOLD></progress>
                            }
                        })
                })}
                <p>{before}<code>"tagwarden serve"</code>{after}</p>
            </section>
        </Show>
    }
}

#[component]
fn ReadOnlyNote(summary: Remote<Summary>) -> impl IntoView {
    let [first, rest] = text::READ_ONLY_NOTE;
    view! {
        <Show when=move || is_read_only(summary)>
            <section class="shell-note" aria-label=text::READ_ONLY>
                <p><strong>{first}</strong>{rest}</p>
            </section>
        </Show>
    }
}

/// The kept views, asked once for the whole page.
#[derive(Clone, Copy)]
pub struct Views(pub Remote<Page<View>>);

/// The kept views in the navigation.
#[component]
fn KeptViews(views: Views) -> impl IntoView {
    let SummaryHere(summary) = expect_context();
    let toasts = Toasts::here();
    let kept = move || views.0.data.with(|page| page.map(|page| page.items.clone()).unwrap_or_default());
    let forget = move |name: String| {
        spawn_local(async move {
            toasts.say(match api::forget_view(&name).await {
                Ok(()) => text::view_forgotten(&name),
                Err(error) => text::view_not_forgotten(&error.words()),
            });
            // Its row goes, and with the last one the list.
            let stays = |page: Option<&Page<View>>| page.is_some_and(|page| page.items.len() > 1);
            browser::focus(if views.0.data.try_with_untracked(stays) == Some(true) { "views" } else { "main" });
            views.0.reload();
        });
    };
    let row = move |kept: View| {
        let (name, label) = (kept.name.clone(), text::forget_view(&kept.name));
        let button = (!is_read_only(summary)).then(|| {
            view! {
                <button
                    class="button button-quiet nav-forget"
                    type="button"
                    aria-label=label
                    title=text::FORGET_VIEW
                    on:click=move |_| forget(name.clone())
                >
                    "×"
                </button>
            }
        });
        view! {
            <li class="nav-kept"><a class="nav-link" href=kept.address><bdi>{kept.name}</bdi></a>{button}</li>
        }
        .into_any()
    };
    view! {
        <Show when=move || !kept().is_empty()>
            <nav class="nav-views" aria-label=text::VIEWS_LABEL>
                <h2 id="views" tabindex="-1">{text::VIEWS}</h2>
                <ul>{live(move || kept().into_iter().map(row).collect_view())}</ul>
            </nav>
        </Show>
    }
}

/// Whether the page is kept up to date, and what is promised.
#[component]
fn StreamState(summary: Remote<Summary>) -> impl IntoView {
    let status = Live::here().status;
    let promise = move || {
        let promised = summary
            .data
            .with(|data| data.filter(|data| !data.read_only && data.demo_percent.unwrap_or(100) >= 100)?.promised_ms)?;
        let promised = Millis(i64::try_from(promised).unwrap_or(i64::MAX));
        Some(text::promise(&time::length(promised)))
    };
    let words = move || match status.get() {
        Status::Live if is_read_only(summary) => ("state-dot", text::READ_ONLY.to_owned()),
        Status::Connecting => ("state-dot", text::CONNECTING.to_owned()),
        Status::Live => ("state-dot state-dot-live", text::LIVE.to_owned()),
        Status::Asleep => ("state-dot", text::PAUSED.to_owned()),
        Status::Stale(since) => {
            ("state-dot state-dot-stale", text::stale_since(&time::clock(since, browser::offset(since))))
        }
    };
    view! {
        <p class="state" role="status">
            <span class=move || words().0 aria-hidden="true"></span>
            <span class="state-word">{live(move || words().1)}</span>
            <span class="state-promise">{live(promise)}</span>
            <span class="state-zone">{text::TIMES_IN}{live(move || time::zone(browser::offset(Now::get())))}</span>
        </p>
    }
}

/// When a sheet was printed, and what its times mean.
#[component]
fn Printed() -> impl IntoView {
    let words = move || {
        let now = Now::get();
        let offset = browser::offset(now);
        text::printed(&time::absolute(now, offset), &time::zone(offset))
    };
    view! { <p class="print-only quiet">{live(words)}</p> }
}

/// Says across the page that it is not kept up to date, since when, and that nobody need do anything.
#[component]
fn LostNote() -> impl IntoView {
    let status = Live::here().status;
    let note = move || {
        let Status::Stale(since) = status.get() else { return None };
        let words = text::lost_since(&time::clock(since, browser::offset(since)));
        Some(view! { <p class="note note-warning">{words}</p> })
    };
    // It stands there before its words: many screen readers do not say what comes together with its region.
    view! { <div class="standing screen-only" role="status">{live(note)}</div> }
}

/// Light, dark, or as the system says.
#[component]
fn ThemeSwitch() -> impl IntoView {
    let chosen = RwSignal::new(browser::theme());
    let option = move |value: &'static str, name: &'static str| {
        let is_chosen = move || chosen.with(|chosen| chosen.as_deref().unwrap_or_default() == value);
        let choose = move |_| {
            let theme = (!value.is_empty()).then_some(value);
            browser::set_theme(theme);
            chosen.set(theme.map(ToOwned::to_owned));
        };
        view! {
            <button class="segment" type="button" aria-pressed=move || is_chosen().to_string() on:click=choose>
                {name}
            </button>
        }
    };
    view! {
        <div class="segments theme-switch" role="group" aria-label=text::THEME>
            {option("", text::THEME_SYSTEM)} {option("light", text::THEME_LIGHT)} {option("dark", text::THEME_DARK)}
        </div>
    }
}
