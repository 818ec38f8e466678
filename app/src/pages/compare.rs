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
        view! { <p class="flag-difference"><Difference before after /></p> }
    });
    view! {
        <div class="page-head"><h1>{text::digests::COMPARE}</h1></div>
        {digests}
        <Loaded remote=compared let:found><Compared found /></Loaded>
    }
}

#[component]
fn Compared(found: Held<api::Compared>) -> impl IntoView {
    live(move || {
        let api::Compared { sentence, rows, old_source, new_source } = found.get();
        let sources = [(text::flag::BEFORE, old_source), (text::flag::AFTER, new_source)];
        let sources = sources.map(|(side, source)| source.map(|source| view! { <p>{side}": "{commit(source)}</p> }));
        view! {
            <section class="card">
                <p class="lead"><bdi>{[&capital(&visible(&sentence)), "."].concat()}</bdi></p>
                {changes(rows)}
                {sources.into_iter().flatten().collect_view()}
                <p class="quiet">{text::digests::CLAIMED}</p>
            </section>
        }
    })
}
