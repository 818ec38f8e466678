//! Several repositories on one axis: those of a group, and all that are watched.

use leptos::prelude::*;

use crate::meaning::visible;
use crate::router::use_query_map;
use crate::text::board as text;
use crate::timeline::Lanes;
use crate::ui::title;
use crate::url;
use crate::view::{later, live};

/// The words above them are seen first.
fn lanes(path: &'static str, of: &'static str) -> AnyView {
    later(move || view! { <Lanes path of /> }.into_any())
}

/// The page of a group.
#[component]
pub fn GroupPage() -> impl IntoView {
    let query = use_query_map();
    let name = Memo::new(move |_| query.with(|query| query.get("name")).unwrap_or_default());
    title(move || Some(name.get()));
    view! {
        <div class="page-head">
            <p class="crumb"><a href=move || url::with_query("repositories", &[("group", Some(&name.get()))])>{text::ITS_REPOSITORIES}</a></p>
            <h1><bdi>{live(move || visible(&name.get()))}</bdi></h1>
        </div>
        {lanes("group", "group")}
    }
}

/// The page of everything.
#[component]
pub fn TimelinePage() -> impl IntoView {
    title(|| Some(text::TIMELINE.into()));
    view! {
        <div class="page-head">
            <h1>{text::HEADING}</h1>
            <p class="lead">{text::LEAD}</p>
        </div>
        {lanes("timeline", "")}
    }
}
