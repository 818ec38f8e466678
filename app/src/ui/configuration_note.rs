//! Says on every page that the newest configuration has mistakes, and which one is in force.

use leptos::prelude::*;
use tagwarden_model::api::Configuration;

use super::Now;
use crate::live::Live;
use crate::remote::Remote;
use crate::view::live;
use crate::{api, meaning, text, time};

/// Nothing, as long as the newest configuration is in force.
#[component]
pub fn ConfigurationNote() -> impl IntoView {
    let configuration = Remote::new(|| (), |()| api::configuration());
    // No notice tells of it: it is read again with the other things that grow old.
    Live::here().keep_fresh(configuration, |_| false);
    let wrong = Memo::new(move |_| configuration.data.get().filter(|of| !of.errors.is_empty()));
    live(move || {
        let of = wrong.get()?;
        let words = move || {
            let said = |of: &Configuration| text::settings::wrong(of, &time::relative(of.loaded_at, Now::get()));
            wrong.with(|of| of.as_ref().map(said))
        };
        let mistakes = of.errors.iter().map(|error| {
            let words = meaning::visible(&text::settings::mistake(error));
            view! { <li><bdi>{words}</bdi></li> }
        });
        Some(view! {
            <details class="note note-warning configuration-note">
                <summary><span role="status">{live(words)}</span></summary>
                <ul>{mistakes.collect_view()}</ul>
            </details>
        })
    })
}
