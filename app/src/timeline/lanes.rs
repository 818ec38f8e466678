//! The timeline of a page: releases as marks, rolling tags as spans, on one axis for all repositories that it is about.

use leptos::html::{Dialog, Div, Tbody};
use leptos::prelude::*;
use tagwarden_model::api::TimelineHead;
use tagwarden_model::timeline::Arranged;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement, KeyboardEvent};

use super::board::{Seen, Timeline};
use super::card::EventCard;
use super::gestures;
use super::picture::Picture;
use super::{tile_reader, twin};
use crate::api::{self, ApiError};
use crate::effect::{effect, on_change};
use crate::live::Live;
use crate::remote::Remote;
use crate::route::Params;
use crate::router::{NavigateOptions, use_navigate, use_query_map};
use crate::text::board as text;
use crate::ui::{ErrorNote, Now};
use crate::view::{later, live, make_after_paint};
use crate::window::Window;
use crate::{browser, url};

/// What an address of such a page may hold, in its order.
const KEYS: [&str; 16] = [
    "name", "view", "range", "from", "until", "q", "class", "state", "flagged", "versions", "by", "density", "pin",
    "collapse", "cursor", "event",
];

/// What of it leaves lanes out.
const FILTERS: [&str; 6] = ["q", "class", "state", "flagged", "versions", "cursor"];

/// What of it stands in fields.
const FIELDS: [&str; 7] = ["q", "versions", "class", "state", "by", "flagged", "density"];

/// The address of the page it is on, and how to change it.
#[derive(Clone, Copy)]
struct Address {
    path: &'static str,
    query: RwSignal<Params>,
}

impl Address {
    fn get(self, key: &str) -> Option<String> {
        self.query.try_with(|query| query.get(key)).flatten().filter(|value| !value.is_empty())
    }

    /// The same with some of it changed.
    fn with(self, changes: &[(&str, Option<String>)]) -> String {
        let value = |key: &str| match changes.iter().find(|(name, _)| *name == key) {
            Some((_, value)) => value.clone(),
            None => self.get(key),
        };
        let values = KEYS.map(|key| (key, value(key)));
        let values = values.each_ref().map(|(key, value)| (*key, value.as_deref()));
        url::with_query(self.path, &values)
    }
}

/// Lanes with everything that leads through them.
#[component]
pub fn Lanes(
    /// The path of the page that it is on.
    path: &'static str,
    /// Of which lanes: `repository` or `group`, or of all where that is empty; and of which.
    of: &'static str,
    /// Set once lanes have their places, or there are none: what stands below them would jump before.
    #[prop(default = RwSignal::new(false))]
    is_laid: RwSignal<bool>,
) -> impl IntoView {
    let address = Address { path, query: use_query_map() };
    let asked = Memo::new(move |_| {
        let filter = |key: &'static str| (key, address.get(key));
        let filters = FILTERS.into_iter().chain(["by"]).map(filter);
        let mut query = vec![(of, address.get("name").filter(|_| !of.is_empty())), ("pinned", address.get("pin"))];
        query.extend(filters);
        let query: Vec<(&str, Option<&str>)> = query.iter().map(|(key, value)| (*key, value.as_deref())).collect();
        url::with_query("api/v1/timeline/lanes", &query)
    });
    // With other lanes the old ones stay until the new ones are there.
    let head = Remote::new(
        || (),
        move |()| {
            let path = asked.get_untracked();
            async move {
                let text = api::lanes(&path).await?;
                tile_reader::head(&text).ok_or_else(|| ApiError::Unintelligible(text::NOT_LANES.to_owned()))
            }
        },
    );
    on_change(move || asked.track(), move || head.reload());
    Live::here().keep_fresh(head, move |change| {
        of != "repository" || change.repository == address.query.try_with_untracked(|query| query.get("name")).flatten()
    });
    let error = move || {
        let error = head.question.error.get()?;
        Some(view! { <ErrorNote error on_retry=move || head.reload() /> }.into_any())
    };
    view! {
        <section class="stack-tight">
            {live(error)} <Body address head is_laid />
        </section>
    }
}

#[component]
fn Body(address: Address, head: Remote<TimelineHead>, is_laid: RwSignal<bool>) -> impl IntoView {
    let (timeline, shown) = (Timeline::new(), head.data);
    on_cleanup(move || timeline.leave());
    let now = expect_context::<Now>().0;
    let window = move || Window::read(&|key| address.get(key));
    let event = move || address.get("event").and_then(|event| event.parse().ok());
    effect(move || {
        let arranged = Arranged::read(address.get("pin").as_deref(), address.get("collapse").as_deref());
        timeline.show(window(), event(), address.get("density").is_some(), arranged);
    });
    effect(move || {
        if let Some(head) = shown.get() {
            timeline.put(head);
        }
    });
    on_change(move || now.track(), move || timeline.tick(now.get_untracked()));

    // The address follows what is looked at and what is pinned.
    let navigate = use_navigate();
    let go = move |changes: &[(&str, Option<String>)]| {
        let wanted = untrack(|| address.with(changes));
        if wanted != untrack(|| address.with(&[])) {
            navigate(&wanted, NavigateOptions { scroll: false, replace: false });
        }
    };
    let go = StoredValue::new_local(go);
    on_change(
        move || timeline.settled.track(),
        move || {
            let Some(desk) = timeline.desk() else { return };
            // What only follows the address does not write it again.
            if !std::mem::take(&mut desk.borrow_mut().is_ahead) {
                return;
            }
            let (window, sought) = (desk.borrow().window, desk.borrow().sought);
            let event =
                timeline.card.try_with_untracked(|card| card.as_ref().and_then(|told| told.seq)).flatten().or(sought);
            let [range, from, until] = window.write();
            let [pinned, collapsed] = desk.borrow().arranged.write();
            let event = ("event", event.map(|event| event.to_string()));
            go.with_value(|go| go(&[range, from, until, ("pin", pinned), ("collapse", collapsed), event]));
        },
    );
    let filter = move |event: Event| {
        // Selects have these, too.
        let Some(field) = event.target().map(JsCast::unchecked_into::<HtmlInputElement>) else { return };
        let value = if field.type_() == "checkbox" && !field.checked() { String::new() } else { field.value() };
        if let Some(key) = FIELDS.into_iter().find(|key| *key == field.name()) {
            go.with_value(|go| go(&[(key, Some(value)), ("cursor", None)]));
        }
    };
    // On a phone they are a row that is wider than the screen.
    let show = |event: leptos::ev::FocusEvent| {
        if let Some(field) = event.target() {
            browser::scroll_to(field.unchecked_ref());
        }
    };
    // What the address says comes into the fields without making them anew: the focus stays where it is.
    let fields = NodeRef::<Div>::new();
    effect(move || {
        let Some(fields) = fields.get() else { return };
        for key in FIELDS {
            let value = address.get(key).unwrap_or_default();
            let Ok(Some(field)) = fields.query_selector(&["[name=", key, "]"].concat()) else { continue };
            let field = field.unchecked_into::<HtmlInputElement>();
            if field.type_() == "checkbox" {
                field.set_checked(!value.is_empty());
            } else {
                field.set_value(&value);
            }
        }
    });
    let ranges = move || {
        let usual = move || {
            shown.with(|_| ());
            let (desk, now) = (timeline.desk()?, browser::now());
            let desk = desk.borrow();
            Some(Window::usual(desk.all(now), desk.since(), now))
        };
        let current = Some(window()).filter(|window| *window != Window::Usual).or_else(usual);
        let tab = |(key, words): (&'static str, &'static str)| {
            let window = Window::read(&|name| (name == "range").then(|| key.to_owned()));
            let href = address.with(&window.write());
            view! { <a class="segment" href=href aria-current=(current == Some(window)).then_some("true") data-noscroll="">{words}</a> }
        };
        text::RANGES.map(tab).collect_view()
    };
    let zoom = move |factor: f64| {
        if let Some(view) = timeline.desk().map(|desk| desk.borrow().view) {
            timeline.look(view.zoom(0.5, factor));
        }
    };
    let help = NodeRef::<Dialog>::new();
    effect(move || {
        if timeline.seen.get() != Seen::Loading || head.question.error.get().is_some() {
            make_after_paint(Box::new(move || {
                is_laid.try_set(true);
            }));
        }
    });
    let card = move || if is_laid.get() { "card timeline-card" } else { "card timeline-card timeline-waiting" };
    view! {
        <div class="section-head">
            <h2>{text::TIMELINE}</h2>
            <div class="acts timeline-acts">
                <nav class="segments" aria-label=text::RANGE>{live(ranges)}</nav>
                <div class="segments" role="group" aria-label=text::ZOOM>
                    <button class="segment" type="button" aria-label=text::ZOOM_IN on:click=move |_| zoom(0.5)>"+"</button>
                    <button class="segment" type="button" aria-label=text::ZOOM_OUT on:click=move |_| zoom(2.0)>"−"</button>
                </div>
                <button
                    class="button button-quiet"
                    type="button"
                    aria-label=text::KEYS_OF
                    on:click=move |_| show_help(help)
                >
                    "?"
                </button>
            </div>
        </div>
        <div class=card>
            <div class="timeline-filter" node_ref=fields on:change=filter on:focusin=show role="group" aria-label=text::LANES>
                <input class="input" type="search" name="q" placeholder=text::NAME_HAS_SHORT aria-label=text::NAME_HAS />
                <input class="input timeline-versions" name="versions" placeholder=text::TRACKS_EXAMPLE aria-label=text::TRACKS />
                <select class="input" name="class" aria-label=text::CLASS>{options(&text::CLASSES)}</select>
                <select class="input" name="state" aria-label=text::STATE>{options(&text::STATES)}</select>
                <select class="input" name="by" aria-label=text::GATHERING>{options(&text::GATHERED)}</select>
                <label class="check"><input type="checkbox" name="flagged" value="true" />{text::FLAGGED}</label>
                <label class="check"><input type="checkbox" name="density" value="compact" />{text::COMPACT}</label>
            </div>
            {later(move || view! { <Picture timeline help /> <EventCard timeline /> }.into_any())}
            {later(move || view! { <Notes timeline head address /> <Twin timeline help /> }.into_any())}
        </div>
        {later(move || view! { <Help help /> }.into_any())}
    }
}

fn options(choices: &'static [(&'static str, &'static str)]) -> AnyView {
    choices.iter().map(|(value, words)| view! { <option value=*value>{*words}</option> }).collect_view().into_any()
}

/// Shows the keys.
pub(super) fn show_help(help: NodeRef<Dialog>) {
    if let Some(dialog) = help.get_untracked() {
        let _ = dialog.show_modal();
    }
}

/// What there is to say about the window as a whole, the other lanes, and the legend.
#[component]
fn Notes(timeline: Timeline, head: Remote<TimelineHead>, address: Address) -> impl IntoView {
    let shown = head.data;
    let to_data = move |_| {
        let Some(desk) = timeline.desk() else { return };
        let view = desk.borrow().all(browser::now());
        timeline.look(view);
    };
    let to_now = move |_| {
        let Some(view) = timeline.desk().map(|desk| desk.borrow().view) else { return };
        timeline.look(tagwarden_model::timeline::View::last(view.length(), browser::now()));
    };
    let state = move || {
        let (words, act) = match timeline.seen.get() {
            Seen::Something | Seen::NoLane => return None,
            // What is wrong is said above.
            Seen::Loading if head.question.error.get().is_some() => return None,
            Seen::Loading => (text::LOADING, false),
            Seen::Nothing => (text::NOTHING, true),
            Seen::Blind => (text::BLIND, true),
            Seen::Failed => (text::UNREACHABLE, false),
        };
        let button =
            act.then(|| view! { " "<button class="button" type="button" on:click=to_data>{text::TO_DATA}</button> });
        Some(view! { <p class="timeline-state" role="status">{words}{button}</p> })
    };
    let news = move || {
        let news = timeline.news.get();
        (news > 0).then(|| {
            view! { <button class="button timeline-news" type="button" on:click=to_now>{text::news(news)}</button> }
        })
    };
    let more = move || {
        let about = |head: &TimelineHead| (head.lanes.len(), head.total, head.next.clone());
        let (count, total, next) = shown.with(|head| head.map(about))?;
        let first = address.get("cursor").is_some().then(|| {
            view! { <a href=address.with(&[("cursor", None)]) data-noscroll="">{text::FIRST_LANES}</a>" " }
        });
        let next = next.map(
            |next| view! { <a href=address.with(&[("cursor", Some(next))]) data-noscroll="">{text::NEXT_LANES}</a> },
        );
        match (count, total) {
            (0, _) => {
                let is_filtered = FILTERS.into_iter().any(|key| address.get(key).is_some());
                let words = if is_filtered { text::NO_LANE } else { text::NO_TAG };
                Some(view! { <p class="quiet" role="status">{words} {first}</p> }.into_any())
            }
            (count, total) if (count as u64) < total => {
                let words = text::shown(count, total);
                Some(view! { <p class="timeline-more">{words}{first}{next}</p> }.into_any())
            }
            _ => None,
        }
    };
    let reading = move || {
        let words = shown.with(|head| head.and_then(text::reading))?;
        Some(view! { <p class="timeline-more">{words}</p> })
    };
    view! {
        {live(state)} {live(news)} {live(more)} {live(reading)} <Legend />
    }
}

#[component]
fn Legend() -> impl IntoView {
    let key = |(path, class, words): (&'static str, &'static str, &'static str)| {
        view! {
            <span class="legend-key">
                <svg width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">
                    <g class=class><path d=path /></g>
                </svg>
                {words}
            </span>
        }
    };
    let fill = |(class, words): (&'static str, &'static str)| {
        view! { <span class="legend-key"><i class=class></i>{words}</span> }
    };
    let keys = [
        ("M-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0", "t-mark", text::RELEASE),
        ("M-7 -5H7V5H-7Z", "t-cluster", text::SEVERAL),
        ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "t-before", text::FROM_BEFORE),
        ("M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "t-claim", text::HINT),
        ("M0 -6.5L6.5 0L0 6.5L-6.5 0Z", "t-breach", text::REASSIGNED),
        ("M-4 -4L4 4M4 -4L-4 4", "t-breach", text::DELETED),
        ("M0 -6.5L6.5 0L0 6.5L-6.5 0Z", "t-restored", text::RESTORED),
        ("M-4 -4L4 4M4 -4L-4 4", "t-end", text::GONE),
        ("M-7 -2H7V2H-7Z", "t-window", text::UNCERTAIN),
    ];
    let fills =
        [("legend-dots", text::NOT_WATCHED), ("legend-hatch", text::NOT_OBSERVED), ("legend-checks", text::NOT_LOADED)];
    view! {
        <p class="legend">
            {keys.map(key).collect_view()}
            {fills.map(fill).collect_view()}
            <span class="legend-key">{text::BLANK}</span>
        </p>
    }
}

/// The same window as a table, which holds the focus.
#[component]
fn Twin(timeline: Timeline, help: NodeRef<Dialog>) -> impl IntoView {
    let body = NodeRef::<Tbody>::new();
    let is_open = RwSignal::new(false);
    let write = move || {
        body.get_untracked().and_then(|body| twin::write(timeline, &body));
    };
    effect(move || {
        timeline.settled.track();
        timeline.more_rows.track();
        body.track();
        write();
    });
    on_change(move || timeline.seen.with(|_| ()), write);
    let row = move |event: &Event| {
        let target = event.target()?.dyn_into::<Element>().ok()?;
        let desk = timeline.desk()?;
        let hit = twin::at(&desk.borrow(), &target)?;
        Some(hit)
    };
    let click = move |event: leptos::ev::MouseEvent| {
        if let Some(hit) = row(&event) {
            timeline.open(hit);
        }
    };
    let focused = move |event: leptos::ev::FocusEvent| {
        if let Some(hit) = row(&event) {
            timeline.focus(true);
            timeline.choose(Some(hit), false);
        }
    };
    let left = move |event: leptos::ev::FocusEvent| {
        let next = event.related_target().and_then(|next| next.dyn_into::<Element>().ok());
        if !body.get_untracked().is_some_and(|body| body.contains(next.as_deref())) {
            timeline.focus(false);
        }
    };
    let key = move |event: KeyboardEvent| {
        if event.key() == "?" {
            show_help(help);
        } else if let Some(moved) = gestures::key(timeline, &event, false) {
            event.prevent_default();
            if let (true, Some(body)) = (moved, body.get_untracked()) {
                twin::follow(timeline, &body);
            }
        }
    };
    let summary = move || {
        let (written, all) = timeline.rows.get();
        text::rows(written, all)
    };
    view! {
        <div class="twin" class:twin-open=move || is_open.get()>
            <p class="twin-head">
                <button
                    class="button button-quiet"
                    type="button"
                    aria-expanded=move || is_open.get().to_string()
                    on:click=move |_| is_open.update(|open| *open = !*open)
                >
                    {text::TABLE}
                </button>
                <span class="quiet">{live(summary)}</span>
            </p>
            <div class="twin-body table-card">
                <table class="table" role="grid" tabindex="-1" aria-label=text::EVENTS on:keydown=key on:click=click on:focusin=focused on:focusout=left>
                    <thead>
                        <tr>
                            {text::COLUMNS.map(|words| view! { <th scope="col">{words}</th> }).collect_view()}
                        </tr>
                    </thead>
                    <tbody node_ref=body></tbody>
                </table>
            </div>
        </div>
    }
}

#[component]
fn Help(help: NodeRef<Dialog>) -> impl IntoView {
    let keys = text::KEYS.map(|(keys, words)| view! { <dt><kbd>{keys}</kbd></dt><dd>{words}</dd> }).collect_view();
    view! {
        <dialog class="card dialog" node_ref=help aria-label=text::KEYS_OF>
            <form method="dialog">
                <h2>{text::KEYS_OF}</h2>
                <dl class="keys">
                    {keys}
                </dl>
                <button class="button" type="submit">{text::CLOSE}</button>
            </form>
        </dialog>
    }
}
