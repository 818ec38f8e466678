//! All flags, by state.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use tagwarden_model::api::{Flag, Page};

use crate::effect::on_change;
use crate::live::Live;
use crate::remote::Remote;
use crate::ui::{FlagCard, Loaded, More, SummaryHere, title};
use crate::{api, phrase, url};

const STATES: [(&str, &str); 5] = [
    ("active", "All not closed"),
    ("open", "Open"),
    ("acknowledged", "Acknowledged"),
    ("restored", "Needs review"),
    ("closed", "Closed"),
];

/// The page.
#[component]
pub fn FlagsPage() -> impl IntoView {
    title(|| Some("Flags".into()));
    let SummaryHere(summary) = expect_context();
    let query = use_query_map();
    let state = Memo::new(move |_| {
        let wanted = query.with(|query| query.get("state")).unwrap_or_default();
        STATES.into_iter().map(|(state, _)| state).find(|state| *state == wanted).unwrap_or("active")
    });
    let pages = RwSignal::new(1_u32);
    let flags = Remote::new(
        move || state.get(),
        move |state| {
            let pages = pages.get_untracked();
            async move { api::flags(state, None, pages).await }
        },
    );
    on_change(move || pages.track(), move || flags.reload());
    Live::here().keep_fresh(flags, |change| change.kind == tagwarden_model::api::ChangeKind::Flag);
    let tab = move |(value, name): (&'static str, &'static str)| {
        let current = move || (state.get() == value).then_some("page");
        view! { <a class="segment" href=url::with_query("flags", &[("state", Some(value))]) aria-current=current>{name}</a> }
    };
    view! {
        <div class="page-head">
            <h1>"Flags"</h1>
            <p class="lead">{move || summary.data.get().map(|summary| phrase::flags_headline(&summary))}"\u{a0}"</p>
        </div>
        <nav class="segments page-tabs" aria-label="State of flags">{STATES.map(tab).collect_view()}</nav>
        <Loaded remote=flags let:page><FlagList page pages /></Loaded>
    }
}

#[component]
fn FlagList(page: Signal<Page<Flag>>, pages: RwSignal<u32>) -> impl IntoView {
    let has_more = Signal::derive(move || page.with(|page| page.next.is_some()));
    let first =
        move || page.with(|page| page.items.iter().find(|flag| phrase::needs_attention(flag)).map(|flag| flag.id));
    view! {
        <div class="stack-tight">
            <For each=move || page.get().items key=|flag| (flag.id, flag.version) let:flag>
                {
                    let is_first = first() == Some(flag.id);
                    view! { <FlagCard flag first=is_first /> }
                }
            </For>
        </div>
        <Show when=move || page.with(|page| page.items.is_empty())>
            <div class="empty">
                <h2>"No flag is in this state."</h2>
                <p>"A flag opens by itself when a release means other bytes than it was published with, or is removed."</p>
            </div>
        </Show>
        <More has_more pages />
    }
}
