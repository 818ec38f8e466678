//! Where a tag can go back to: every target, why it stands where it stands, and whether it can be pulled.

use leptos::prelude::*;
use tagwarden_model::api::{Page, Target};

use super::way_back::{Of, WayBack};
use crate::held::Held;
use crate::live::Live;
use crate::meaning::{ready, split_name};
use crate::remote::Remote;
use crate::router::use_query_map;
use crate::ui::{Loaded, title};
use crate::view::live;
use crate::{api, text, url};

/// The page.
#[component]
pub fn TargetsPage() -> impl IntoView {
    let query = use_query_map();
    let of = Memo::new(move |_| {
        query.with(|query| Of { repository: query.get("repository").unwrap_or_default(), tag: query.get("tag") })
    });
    let subject =
        move || of.with(|of| format!("{} {}", split_name(&of.repository).1, of.tag.as_deref().unwrap_or_default()));
    title(move || Some(text::targets::title(&subject())));
    let targets =
        Remote::new(move || of.get(), |of| api::targets(&of.repository, of.tag.as_deref().unwrap_or_default()));
    Live::here().keep_fresh(targets, move |change| {
        of.try_with_untracked(|of| Some(&of.repository) == change.repository.as_ref()) == Some(true)
    });
    let crumb = live(move || {
        of.with(|of| {
            let address = url::tag(&of.repository, of.tag.as_deref().unwrap_or_default());
            view! { <a href=address>{of.repository.clone()} ":" {of.tag.clone()}</a> }
        })
    });
    view! {
        <p class="crumb">{crumb}</p>
        <div class="page-head"><h1>{live(move || text::targets::heading(&subject()))}</h1></div>
        <Loaded remote=targets lines=6 let:page><Body of page /></Loaded>
    }
}

#[component]
fn Body(of: Memo<Of>, page: Held<Page<Target>>) -> impl IntoView {
    let targets = Signal::derive(move || page.get().items);
    view! {
        <p class="lead">{live(move || targets.with(|targets| text::targets::headline(targets.len() as u64, ready(targets))))}</p>
        <section class="card targets-card"><WayBack of targets /></section>
    }
}
