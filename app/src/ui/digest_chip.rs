//! A digest as people compare it: a swatch of four bars and the first eight hex digits.

use leptos::prelude::*;
use tagwarden_model::digest::Digest;
use tagwarden_model::hue;

use crate::text::digests;
use crate::url;

/// A digest, leading to everything that ever pointed at it.
#[component]
pub fn DigestChip(digest: Digest) -> impl IntoView {
    let whole = digest.to_string();
    let bars = hue::bars(&digest).map(|hue| view! { <i class=format!("hue-{hue}")></i> });
    view! {
        <a class="digest" href=url::digest(&whole) title=whole.clone()>
            <span class="digest-swatch" aria-hidden="true">{bars.into_iter().collect_view()}</span>
            <code>{digest.short()}</code>
        </a>
    }
}

/// What a digest was and what it became; a missing one is absent from the registry.
#[component]
pub fn Difference(before: Option<Digest>, after: Option<Digest>) -> impl IntoView {
    let chip = |digest: Option<Digest>| match digest {
        Some(digest) => view! { <DigestChip digest /> }.into_any(),
        None => view! { <span class="digest digest-absent">{digests::ABSENT}</span> }.into_any(),
    };
    view! {
        <span class="difference">
            {chip(before)} <span class="difference-arrow" aria-hidden="true">"→"</span>
            <span class="unseen">{digests::BECAME}</span> {chip(after)}
        </span>
    }
}
