//! What two digests differ in.

use leptos::prelude::*;

use crate::held::Held;
use crate::meaning::{capital, visible};
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{Difference, Loaded, changes, commit, title};
use crate::view::live;
use crate::{api, text};

/// The page.
#[component]
pub fn ComparePage() -> impl IntoView {
    let query = use_query_map();
    let of = move |key: &str| query.with(|query| query.get(key)).unwrap_or_default();
    title(|| Some(text::digests::COMPARE.to_owned()));
    let compared = Remote::new(move || (of("old"), of("new")), |(old, new)| api::compare(&old, &new));
    let digests = live(move || {
        let [before, after] = ["old", "new"].map(|key| of(key).parse().ok());
        view! { <p><Difference before after /></p> }
    });
    view! {
        <div class="page-head"><h1>{text::digests::COMPARE}</h1></div>
        <div class="stack">
            {digests}
            <Loaded remote=compared let:found><Compared found /></Loaded>
        </div>
    }
}

#[component]
fn Compared(found: Held<api::Compared>) -> impl IntoView {
    live(move || {
        let api::Compared { sentence, rows, old_source, new_source } = found.get();
        let sources = [(text::flag::BEFORE, old_source), (text::flag::AFTER, new_source)];
        let sources: Vec<_> = sources
            .into_iter()
            .filter_map(|(side, source)| Some(view! { <p>{side}": "{commit(source?)}</p> }))
            .collect();
        let sources = (!sources.is_empty())
            .then(|| view! { <div class="stack-tight">{sources}<p class="quiet">{text::digests::CLAIMED}</p></div> });
        view! {
            <section class="card stack">
                <p class="lead"><bdi>{[&capital(&visible(&sentence)), "."].concat()}</bdi></p>
                {changes(rows)}
                {sources}
            </section>
        }
    })
}
