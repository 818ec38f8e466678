//! Says on every page that the newest configuration has mistakes, and which one is in force.

use leptos::prelude::*;

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
    live(move || {
        let of = configuration.data.get().filter(|of| !of.errors.is_empty())?;
        let words = text::settings::wrong(&of, &time::relative(of.loaded_at, Now::get()));
        let mistakes = of.errors.iter().map(|error| {
            let words = meaning::visible(&text::settings::mistake(error));
            view! { <li><bdi>{words}</bdi></li> }
        });
        Some(view! {
            <details class="note note-warning configuration-note">
                <summary><span role="status">{words}</span></summary>
                <ul>{mistakes.collect_view()}</ul>
            </details>
        })
    })
}
