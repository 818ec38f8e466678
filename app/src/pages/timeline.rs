//! Several repositories on one axis: those of a group, and all that are watched.

use leptos::prelude::*;

use crate::router::use_query_map;
use crate::timeline::Lanes;
use crate::ui::title;
use crate::view::live;
use crate::{phrase, url};

/// The page of a group.
#[component]
pub fn GroupPage() -> impl IntoView {
    let query = use_query_map();
    let name = Memo::new(move |_| query.with(|query| query.get("name")).unwrap_or_default());
    title(move || Some(name.get()));
    view! {
        <div class="page-head">
            <p class="crumb"><a href=move || url::with_query("repositories", &[("group", Some(&name.get()))])>"Its repositories"</a></p>
            <h1><bdi>{live(move || phrase::visible(&name.get()))}</bdi></h1>
        </div>
        <Lanes path="group" of="group" />
    }
}

/// The page of everything.
#[component]
pub fn TimelinePage() -> impl IntoView {
    title(|| Some("Timeline".into()));
    view! {
        <div class="page-head">
            <h1>"What was released, and what moved"</h1>
            <p class="lead">"All repositories that are watched, on one axis."</p>
        </div>
        <Lanes path="timeline" of="" />
    }
}
