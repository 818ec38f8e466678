//! A flag in a list: what happened, when, both digests, and the way on.

use leptos::prelude::*;
use tagwarden_model::api::Flag;

use super::{Difference, DigestChip, WindowWords};
use crate::meaning::{self, Breach, Tone};
use crate::text::flags as text;
use crate::url;

/// One flag. The `first` of a page carries its primary button.
#[component]
pub fn FlagCard(
    flag: Flag,
    #[prop(optional)] first: bool,
    /// For how many others of the same pass it stands.
    #[prop(optional)]
    others: u64,
) -> impl IntoView {
    let (word, tone) = (text::word(&flag), meaning::flag_tone(&flag));
    let urgent = meaning::needs_attention(&flag);
    let address = url::flag(flag.id);
    let (verb, weight) = match (urgent, first) {
        (true, true) => (text::WAY_BACK, "button button-primary"),
        (true, false) => (text::WAY_BACK, "button"),
        (false, _) => (text::REVIEW, "button"),
    };
    let is_breach = matches!(meaning::breach(&flag), Breach::Changed | Breach::Removed);
    let digests = match (is_breach, flag.promise == flag.current, flag.promise.clone()) {
        (false, ..) => ().into_any(),
        (true, true, Some(digest)) => view! { <DigestChip digest /> }.into_any(),
        (true, _, before) => view! { <Difference before after=flag.current.clone() /> }.into_any(),
    };
    let subject = meaning::subject(&flag);
    let label = text::act_for(verb, &subject);
    let mut remarks = Vec::new();
    if flag.comparing {
        remarks.push(text::COMPARING.to_owned());
    }
    if others > 0 {
        remarks.push(text::found_with_it(others));
    }
    remarks.extend(flag.difference.as_deref().map(meaning::visible));
    if flag.flapping {
        remarks.push(text::FLAPPING.to_owned());
    }
    let class = match (urgent, tone) {
        (true, Tone::Flag) => "card flag-card flag-card-urgent",
        _ => "card flag-card",
    };
    view! {
        <article class=class>
            <p class="flag-card-what">
                <span class=tone.class()>{word}</span>
                <span class="flag-card-words">
                    <a class="flag-card-subject" href=address.clone()>{subject}</a>
                    " "
                    {text::predicate(&flag)}
                </span>
            </p>
            <p class="flag-card-when"><WindowWords not_before=flag.not_before not_after=flag.not_after /></p>
            <p class="flag-card-digests">
                {digests}
                {(!remarks.is_empty()).then(|| view! { <span class="quiet">{remarks.join(", ")}</span> })}
                <span class="flag-card-where" title=flag.repository.clone()>{flag.repository.clone()}</span>
            </p>
            <a class=format!("{weight} flag-card-button") href=address aria-label=label>{verb}</a>
        </article>
    }
}
