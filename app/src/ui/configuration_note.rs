//! Says on every page that the newest configuration has mistakes, and which one is in force.

use leptos::prelude::*;

use super::Now;
use crate::live::Live;
use crate::remote::Remote;
use crate::view::live;
use crate::{api, phrase};

/// Nothing, as long as the newest configuration is in force.
#[component]
pub fn ConfigurationNote() -> impl IntoView {
    let configuration = Remote::new(|| (), |()| api::configuration());
    // No notice tells of it: it is read again with the other things that grow old.
    Live::here().keep_fresh(configuration, |_| false);
    let wrong = Memo::new(move |_| configuration.data.get().filter(|of| !of.errors.is_empty()));
    live(move || {
        let of = wrong.get()?;
        let words = move || wrong.with(|of| of.as_ref().map(|of| phrase::wrong_configuration(of, Now::get())));
        let mistakes = of.errors.iter().map(|error| {
            let words = phrase::visible(&phrase::configuration_error(error));
            view! { <li><bdi>{words}</bdi></li> }
        });
        Some(view! {
            <details class="note note-warning configuration-note">
                <summary role="status">{live(words)}</summary>
                <ul>{mistakes.collect_view()}</ul>
            </details>
        })
    })
}
