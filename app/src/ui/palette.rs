//! The way to everything by name: repositories, tags, digests, kept views, pages. `/` or Ctrl-K opens it anywhere.

use std::time::Duration;

use leptos::ev::KeyboardEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tagwarden_model::api::{Found, View};

use super::shell::{Views, is_read_only};
use super::{SummaryHere, Toasts};
use crate::router::{NavigateOptions, use_navigate};
use crate::view::live;
use crate::ways::{Way, ways};
use crate::{api, browser, meaning, text};

/// After the last key, before the server is asked.
const PAUSE: Duration = Duration::from_millis(80);
/// The dialog's id, and its field's.
const DIALOG: &str = "palette";
const FIELD: &str = "find";
/// The id of the other dialog, which lists the keys of every page.
const KEYS: &str = "keys";

/// What is shown in the dialog.
#[derive(Clone, Copy)]
struct Palette {
    typed: RwSignal<String>,
    found: RwSignal<Found>,
    /// The row that Enter takes.
    at: RwSignal<usize>,
    /// Grows with every letter: answers may overtake each other.
    number: StoredValue<u32>,
    /// Whether the server did not answer when it was asked last.
    failed: RwSignal<bool>,
    /// Whether the newest letters are still asked about.
    is_asking: RwSignal<bool>,
    /// Enter was pressed meanwhile: the chosen row is taken when it is there.
    is_hasty: StoredValue<bool>,
}

impl Palette {
    fn new() -> Self {
        Self {
            typed: RwSignal::new(String::new()),
            found: RwSignal::new(nothing()),
            at: RwSignal::new(0),
            number: StoredValue::new(0),
            failed: RwSignal::new(false),
            is_asking: RwSignal::new(false),
            is_hasty: StoredValue::new(false),
        }
    }

    /// Chooses a row by key: it may be out of sight.
    fn choose(self, at: usize) {
        self.at.set(at);
        browser::show_within(&format!("way-{at}"));
    }

    /// `on_answer` is called when the server has answered to the newest letters.
    fn typed(self, text: String, on_answer: impl Fn() + 'static) {
        self.at.set(0);
        self.is_hasty.set_value(false);
        self.is_asking.set(!text.trim().is_empty());
        self.number.update_value(|number| *number += 1);
        let number = self.number.get_value();
        let is_newest = move || self.number.try_get_value() == Some(number);
        if text.trim().is_empty() {
            self.found.set(nothing());
        } else {
            let ask = text.clone();
            let later = move || {
                if !is_newest() {
                    return;
                }
                spawn_local(async move {
                    let answer = api::search(&ask).await;
                    if is_newest() {
                        self.failed.try_set(answer.is_err());
                        self.found.try_set(answer.unwrap_or_else(|_| nothing()));
                        self.is_asking.try_set(false);
                        on_answer();
                    }
                });
            };
            set_timeout(later, PAUSE);
        }
        self.typed.set(text);
    }
}

const fn nothing() -> Found {
    Found { repositories: Vec::new(), tags: Vec::new(), digests: Vec::new() }
}

/// The button that opens it, and the dialog.
#[component]
pub fn PaletteHere(views: Views) -> impl IntoView {
    let palette = Palette::new();
    let open = move || {
        browser::show_dialog(DIALOG);
        browser::select(FIELD);
        views.0.reload();
    };
    let listener = window_event_listener(leptos::ev::keydown, move |event| {
        let slash = event.key() == "/" && browser::is_single_key(&event);
        let letter = event.key() == "k" && (event.ctrl_key() || event.meta_key());
        if slash || letter {
            event.prevent_default();
            open();
        } else if event.key() == "?" && browser::is_single_key(&event) && !browser::has_dialog() {
            browser::show_dialog(KEYS);
        }
    });
    on_cleanup(move || listener.remove());
    let kept = move || views.0.data.with(|page| page.map(|page| page.items.clone()).unwrap_or_default());
    let rows = Memo::new(move |_| {
        let views: Vec<View> = kept();
        palette.typed.with(|typed| palette.found.with(|found| ways(typed, &views, found)))
    });
    let toasts = Toasts::here();
    let navigate = use_navigate();
    let go = move |way: Way| {
        browser::close_dialog(DIALOG);
        navigate(&way.address, NavigateOptions::default());
        // Also where the page is of the same kind, and only what it is about another.
        browser::focus("main");
    };
    let keep = move || {
        let name = palette.typed.get_untracked().trim().to_owned();
        let address = browser::address();
        browser::close_dialog(DIALOG);
        spawn_local(async move {
            let words = match api::keep_view(name, address).await {
                Ok(view) => text::shell::view_kept(&view.name),
                Err(error) => text::shell::view_not_kept(&error.words()),
            };
            views.0.reload();
            toasts.say(words);
        });
    };
    let take = move |at: usize| {
        if let Some(way) = rows.with_untracked(|rows| rows.get(at).cloned()) {
            go(way);
        }
    };
    let on_key = move |event: KeyboardEvent| {
        let (at, count) = (palette.at.get_untracked(), rows.with_untracked(Vec::len).max(1));
        match event.key().as_str() {
            "ArrowDown" => palette.choose((at + 1) % count),
            "ArrowUp" => palette.choose((at + count - 1) % count),
            "Enter" if palette.is_asking.get_untracked() => palette.is_hasty.set_value(true),
            "Enter" => take(at),
            _ => return,
        }
        event.prevent_default();
    };
    let on_input = move |event| {
        let on_answer = move || {
            let is_well = palette.failed.try_get_untracked() == Some(false);
            if is_well && palette.is_hasty.try_get_value() == Some(true) {
                take(palette.at.get_untracked());
            }
        };
        palette.typed(event_target_value(&event), on_answer);
    };
    let row = move |(at, kind, name, detail): (usize, &'static str, String, String)| {
        let selected = move || (palette.at.get() == at).to_string();
        view! {
            <li
                id=format!("way-{at}")
                class="palette-row"
                role="option"
                aria-selected=selected
                on:pointermove=move |_| palette.at.set(at)
                on:click=move |_| take(at)
            >
                <span class="palette-kind">{kind}</span>
                <bdi class="palette-name">{name}</bdi>
                <bdi class="palette-detail">{detail}</bdi>
            </li>
        }
        .into_any()
    };
    let list = move || {
        let rows = rows.get().into_iter().enumerate();
        rows.map(|(at, way)| row((at, way.kind, way.name, way.detail))).collect_view().into_any()
    };
    let status = move || match (rows.with(Vec::is_empty), palette.failed.get()) {
        (_, true) => text::shell::FIND_FAILED,
        (true, false) if !palette.is_asking.get() => text::shell::FIND_NOTHING,
        _ => "",
    };
    let can_keep = Memo::new(move |_| can_keep(palette));
    let keeper = move || {
        can_keep.get().then(|| {
            let name = meaning::visible(palette.typed.get().trim());
            let [before, after] = text::shell::KEEP_VIEW;
            view! {
                <button class="button button-quiet" type="button" on:click=move |_| keep()>
                    {before}<bdi>{name}</bdi>{after}
                </button>
            }
            .into_any()
        })
    };
    let outside = |event: leptos::ev::MouseEvent| {
        // The dialog itself is only hit beside its content.
        if browser::is_itself(&event, DIALOG) {
            browser::close_dialog(DIALOG);
        }
    };
    let keys = text::shell::PAGE_KEYS.map(|(keys, words)| view! { <dt><kbd>{keys}</kbd></dt><dd>{words}</dd> });
    view! {
        <button class="search" type="button" aria-haspopup="dialog" on:click=move |_| open()>
            <span>{text::shell::FIND_BUTTON}</span>
            <kbd aria-hidden="true">"/"</kbd>
        </button>
        <dialog id=DIALOG class="palette" aria-label=text::shell::FIND on:click=outside on:close=move |_| palette.is_hasty.set_value(false)>
            <input
                id=FIELD
                class="input"
                type="search"
                role="combobox"
                placeholder=text::shell::FIND_FIELD
                aria-label=text::shell::FIND_FIELD
                aria-expanded=move || rows.with(|rows| !rows.is_empty()).to_string()
                aria-controls="ways"
                aria-autocomplete="list"
                aria-activedescendant=move || {
                    let at = palette.at.get();
                    (at < rows.with(Vec::len)).then(|| format!("way-{at}"))
                }
                autocomplete="off"
                spellcheck="false"
                maxlength="300"
                prop:value=palette.typed
                on:input=on_input
                on:keydown=on_key
            />
            <ul id="ways" class="palette-list" role="listbox" aria-label=text::shell::FIND_LIST>{live(list)}</ul>
            <p class="palette-status" role="status">{live(status)}</p>
            <p class="palette-keep">{live(keeper)}</p>
        </dialog>
        <dialog id=KEYS class="card dialog" aria-label=text::shell::KEYS>
            <form method="dialog">
                <h2>{text::shell::KEYS}</h2>
                <dl class="keys">{keys.collect_view()}</dl>
                <button class="button" type="submit">{text::shell::CLOSE}</button>
            </form>
        </dialog>
    }
}

/// Whether what was typed could be the name of a view.
fn can_keep(palette: Palette) -> bool {
    let SummaryHere(summary) = expect_context();
    !is_read_only(summary) && palette.typed.with(|typed| !typed.trim().is_empty() && typed.trim().chars().count() <= 64)
}
